/** One side of one round, from a new server on an empty disk: so each has the same log before it, which is none. */
import { startSimulator } from "@aegispay/gateways/simulator/SimulatorServer";
import { Data, Effect } from "effect";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultSettings } from "../config/RuntimeSettings.ts";
import { layerNats, Nats } from "../nats/NatsConnection.ts";
import { setUp } from "../nats/NatsTopology.ts";
import { startNatsServer } from "../supervisor/NatsServerProcess.ts";
import { startWorkers, type WorkersFailed } from "../supervisor/Workers.ts";
import { startBareWorkers, type BareWorkerEnded } from "./NatsBareRound.ts";
import { saturate } from "./NatsLoad.ts";
import { benchRoot, benchShards, warmUpPayments, type Load, type Workload } from "./settings.ts";

export type Side = "bare" | "runtime";

export class LoadFailed extends Data.TaggedError("LoadFailed")<{ readonly side: Side; readonly cause: unknown }> {
  override get message(): string {
    return `the ${this.side} side came to no figure: ${this.cause instanceof Error ? this.cause.message : String(this.cause)}`;
  }
}

const scratchFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "aegispay-bench-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true })),
);

const settings = { ...defaultSettings, root: benchRoot, nodeId: "bench" };

const startRuntime = Effect.fnUntraced(function* (url: string, { workers: count, gateway }: Workload, dataDir: string) {
  const simulator = yield* gateway === "simulator"
    ? startSimulator({ port: 0, dataDir: join(dataDir, "simulator") })
    : Effect.succeed({ url: "http://127.0.0.1:1" });
  const workers = yield* startWorkers({
    count,
    node: {
      nats: { url, name: "bench" },
      settings,
      gateways: { gateways: [{ name: "simulator", type: "simulator", url: simulator.url }] },
    },
    ...(gateway === "instant" ? { entry: new URL("./instantWorker.ts", import.meta.url) } : {}),
  });
  while (workers.served() < benchShards) yield* Effect.sleep(50);
  return workers.failed;
});

export const measure = Effect.fnUntraced(function* (side: Side, workload: Workload, load: Load, binary: string) {
  const dataDir = yield* scratchFolder;
  const { sync, replicas, workers } = workload;
  const server = yield* startNatsServer({ binary, port: 0, dataDir, portFlag: "--nats-server", sync });
  const onNats = Effect.gen(function* () {
    yield* setUp({ root: benchRoot, shards: benchShards, replicas, leaseTtlMillis: settings.leaseTtlMillis });
    const { connection } = yield* Nats;
    const failed: Effect.Effect<never, BareWorkerEnded | WorkersFailed> =
      side === "bare"
        ? yield* startBareWorkers(server.url, workers)
        : yield* startRuntime(server.url, workload, dataDir);
    const run = (payments: number) =>
      Effect.tryPromise({
        try: () => saturate(connection, { ...load, payments }),
        catch: (cause) => new LoadFailed({ side, cause }),
      });
    const all = Effect.andThen(run(warmUpPayments), run(load.payments));
    return yield* Effect.raceFirst(all, failed);
  });
  return yield* onNats.pipe(Effect.scoped, Effect.provide(layerNats({ url: server.url, name: "bench-load" })));
}, Effect.scoped);
