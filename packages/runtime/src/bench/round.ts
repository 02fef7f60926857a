/** One side of one round, from new servers on an empty disk: so each has the same log before it, which is none. */
import { Data, Effect } from "effect";
import { Nats } from "../nats/NatsConnection.ts";
import type { WorkersFailed } from "../supervisor/Workers.ts";
import { startBareWorkers, type BareWorkerEnded } from "./NatsBareRound.ts";
import { saturate } from "./NatsLoad.ts";
import { startRuntimeSide } from "./runtimeSide.ts";
import { onServers, scratchFolder } from "./servers.ts";
import { warmUpPayments, type Load, type Mix, type Workload } from "./settings.ts";

export type Side = "bare" | "runtime";

export class LoadFailed extends Data.TaggedError("LoadFailed")<{ readonly side: Side; readonly cause: unknown }> {
  override get message(): string {
    return `the ${this.side} side came to no figure: ${this.cause instanceof Error ? this.cause.message : String(this.cause)}`;
  }
}

/** Lets a load run, and turns what it throws into a failure that says whose load it was. */
export const runLoad = <A>(side: Side, run: () => Promise<A>): Effect.Effect<A, LoadFailed> =>
  Effect.tryPromise({ try: run, catch: (cause) => new LoadFailed({ side, cause }) });

/** Starts the workers of a side; answers what fails when they cannot go on. */
export const startSide = Effect.fnUntraced(function* (side: Side, workload: Workload, url: string, dataDir: string) {
  const failed: Effect.Effect<never, BareWorkerEnded | WorkersFailed> =
    side === "bare"
      ? yield* startBareWorkers(url, workload.workers)
      : (yield* startRuntimeSide({ ...workload, url, dataDir })).workers.failed;
  return failed;
});

/** Payments as fast as they go, on workers that are there; warmed up before. */
export const saturateSide = Effect.fnUntraced(function* (side: Side, load: Load, mix?: Mix) {
  const { connection } = yield* Nats;
  const run = (payments: number) => runLoad(side, () => saturate(connection, { ...load, payments }, mix));
  yield* run(warmUpPayments);
  return yield* run(load.payments);
});

/** Starts servers and workers of a side, and measures with them. */
export const onSide = <A, E, R>(side: Side, workload: Workload, binary: string, use: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const dataDir = yield* scratchFolder;
    const { sync, replicas } = workload;
    return yield* onServers({ binary, dataDir, sync, replicas }, ({ url }) =>
      Effect.gen(function* () {
        const failed = yield* startSide(side, workload, url, dataDir);
        return yield* Effect.raceFirst(use, failed);
      }),
    );
  }).pipe(Effect.scoped);

export const measure = (side: Side, workload: Workload, load: Load, binary: string, mix?: Mix) =>
  onSide(side, workload, binary, saturateSide(side, load, mix));
