/** The entry of a worker whose gateway answers no charge: the production worker otherwise. */
import { runWorker } from "../supervisor/runWorker.ts";
import { layerSilentGateway } from "./layerSilentGateway.ts";
import { answerWeighing } from "./weighing.ts";

answerWeighing();
// Who is killed so often has nothing new to say about it.
runWorker({ gateways: layerSilentGateway }, "Error");
