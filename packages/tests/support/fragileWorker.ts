/**
 * The entry of a worker that ends as soon as it starts while a file says so: `<AEGISPAY_TEST_BROKEN>/<its id>`, whose text is
 * the exit code. Otherwise the production worker.
 */
import { runWorker } from "@aegispay/runtime/supervisor/runWorker";
import { workerOptionsVariable } from "@aegispay/runtime/supervisor/WorkerMessage";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const options = JSON.parse(process.env[workerOptionsVariable]!) as { readonly settings: { readonly nodeId: string } };
const broken = join(process.env["AEGISPAY_TEST_BROKEN"]!, options.settings.nodeId);

if (existsSync(broken)) process.exit(Number(readFileSync(broken, "utf8")));
runWorker();
