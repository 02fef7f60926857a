/** The entry of a worker whose gateway answers at once: the production worker otherwise. */
import { runWorker } from "../supervisor/runWorker.ts";
import { layerInstantGateway } from "./layerInstantGateway.ts";
import { answerWeighing } from "./weighing.ts";

answerWeighing();
runWorker({ gateways: layerInstantGateway });
