/** The runtime's side of a measurement: its worker processes, as in production but for their gateway. */
import { startSimulator } from "@aegispay/gateways/simulator/SimulatorServer";
import { Effect } from "effect";
import { join } from "node:path";
import { defaultSettings, type RuntimeSettings } from "../config/RuntimeSettings.ts";
import { startWorkers } from "../supervisor/Workers.ts";
import { benchRoot, benchShards, type GatewayKind } from "./settings.ts";

/** `silent`: no charge is answered, and each is found when it is looked up. */
export type WorkerGateway = GatewayKind | "silent";

export interface RuntimeSideOptions {
  readonly url: string;
  readonly workers: number;
  readonly gateway: WorkerGateway;
  /** Where the simulator keeps its ledger. */
  readonly dataDir: string;
  /** What differs from the defaults. */
  readonly settings?: Partial<RuntimeSettings>;
}

const entries = {
  instant: new URL("./instantWorker.ts", import.meta.url),
  silent: new URL("./silentWorker.ts", import.meta.url),
};

/** A gateway in the worker's own process has no address. */
const nowhere = { url: "http://127.0.0.1:1" };

const pollMillis = 50;

/** Starts the workers; done when they serve every shard. */
export const startRuntimeSide = Effect.fnUntraced(function* (options: RuntimeSideOptions) {
  const { url, workers: count, gateway, dataDir, settings } = options;
  const simulator = yield* gateway === "simulator"
    ? startSimulator({ port: 0, dataDir: join(dataDir, "simulator") })
    : Effect.succeed(nowhere);
  const workers = yield* startWorkers({
    count,
    node: {
      nats: { url, name: "bench" },
      settings: { ...defaultSettings, root: benchRoot, nodeId: "bench", ...settings },
      gateways: { gateways: [{ name: "simulator", type: "simulator", url: simulator.url }] },
    },
    ...(gateway === "simulator" ? {} : { entry: entries[gateway] }),
  });
  /** All are up, and every shard is served. */
  const serving = Effect.gen(function* () {
    while (!workers.areReady() || workers.served() < benchShards) yield* Effect.sleep(pollMillis);
  });
  yield* serving;
  return { workers, serving };
});
