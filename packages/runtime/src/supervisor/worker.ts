/** The entry of a worker process. */
import { runWorker } from "./runWorker.ts";

runWorker();
