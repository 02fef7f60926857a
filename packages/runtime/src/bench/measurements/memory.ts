/**
 * What a payment costs in memory, as the difference between two weighings of the same process:
 *
 * - live: at the gateway; its command is un-acked, its actor holds its call;
 * - passive: at rest, its state kept for repeats;
 * - finished: at rest and forgotten; what is left of it is in the log.
 *
 * A worker is weighed by its heap and buffers after a garbage collection, the server by its resident memory: started anew
 * on logs of different lengths for finished payments, before and after for live ones.
 */
import { Effect } from "effect";
import type { RuntimeSettings } from "../../config/RuntimeSettings.ts";
import { Nats } from "../../nats/NatsConnection.ts";
import { saturate } from "../NatsLoad.ts";
import { beginPayments, followStates } from "../NatsStates.ts";
import { logBytes } from "../prefill.ts";
import { onCopyOf, prefilledFolder } from "../prefilled.ts";
import { runLoad } from "../round.ts";
import { startRuntimeSide, type WorkerGateway } from "../runtimeSide.ts";
import { onServers, scratchFolder, type BenchServers } from "../servers.ts";
import { residentBytes, weighWorker } from "../weighing.ts";
import type { MeasurementOptions } from "./options.ts";

/** Bytes a payment. */
export interface MemoryFigures {
  readonly worker: { readonly live: number; readonly passive: number; readonly finished: number };
  readonly server: { readonly live: number; readonly finished: number };
  /** A finished payment in the log, on disk. */
  readonly disk: number;
  /** Finished payments in the longer of the two logs that the server was weighed with. */
  readonly paymentsInLog: number;
}

/** Before the first weighing, and between the two. */
const warmUp = { live: 1_000, ended: 5_000 };
const weighed = { live: 5_000, ended: 20_000 };
const shortLog = 1_000;
/** Until what was just under way has left a process, in milliseconds. */
const restMillis = 1_000;
const inFlight = 256;

const serverBytes = ({ pids }: BenchServers): number => pids().reduce((sum, pid) => sum + residentBytes(pid), 0);

/** One worker on a server of its own. */
const onWorker = <A, E, R>(
  binary: string,
  gateway: WorkerGateway,
  settings: Partial<RuntimeSettings>,
  use: (pid: number, servers: BenchServers) => Effect.Effect<A, E, R>,
) =>
  Effect.gen(function* () {
    const dataDir = yield* scratchFolder;
    return yield* onServers({ binary, dataDir, sync: "default", replicas: 1 }, (servers) =>
      Effect.gen(function* () {
        const { workers } = yield* startRuntimeSide({ url: servers.url, dataDir, workers: 1, gateway, settings });
        return yield* Effect.raceFirst(use(workers.list()[0]!.pid, servers), workers.failed);
      }),
    );
  }).pipe(Effect.scoped);

/** A window that none of them has to wait outside of, and a place at the gateway for each. */
const roomForLive = { shardWindow: 1_024, mailboxCapacity: 1_024, gatewayConcurrency: 16_384 };

const weighLive = (pid: number, servers: BenchServers) =>
  Effect.gen(function* () {
    const states = yield* followStates;
    const weigh = Effect.fnUntraced(function* (from: number, to: number) {
      yield* beginPayments(Array.from({ length: to - from }, (_, index) => `live-${from + index}`));
      yield* states.reached("PROCESSING", to);
      yield* Effect.sleep(restMillis);
      return { worker: yield* weighWorker(pid), server: serverBytes(servers) };
    });
    const before = yield* weigh(0, warmUp.live);
    const after = yield* weigh(warmUp.live, warmUp.live + weighed.live);
    return {
      worker: (after.worker - before.worker) / weighed.live,
      server: (after.server - before.server) / weighed.live,
    };
  }).pipe(Effect.scoped);

const weighEnded = Effect.fnUntraced(function* (pid: number) {
  const { connection } = yield* Nats;
  const payAndWeigh = Effect.fnUntraced(function* (payments: number) {
    yield* runLoad("runtime", () => saturate(connection, { payments, inFlight }));
    yield* Effect.sleep(restMillis);
    return yield* weighWorker(pid);
  });
  const before = yield* payAndWeigh(warmUp.ended);
  const after = yield* payAndWeigh(weighed.ended);
  return (after - before) / weighed.ended;
});

const weighServer = Effect.fnUntraced(function* (binary: string, payments: number) {
  const folder = yield* prefilledFolder(binary, payments);
  return yield* onCopyOf(folder, { binary, sync: "default" }, (servers) =>
    Effect.gen(function* () {
      yield* Effect.sleep(restMillis);
      return { resident: serverBytes(servers), disk: yield* logBytes };
    }),
  );
}, Effect.scoped);

export const measureMemory = Effect.fnUntraced(function* (options: MeasurementOptions, paymentsInLog: number) {
  const { natsServer: binary, onProgress } = options;
  const live = yield* onWorker(binary, "silent", roomForLive, weighLive);
  const keepAll = { passiveActors: warmUp.ended + weighed.ended };
  const passive = yield* onWorker(binary, "instant", keepAll, weighEnded);
  const finished = yield* onWorker(binary, "instant", { passiveActors: 1 }, weighEnded);
  const short = yield* weighServer(binary, shortLog);
  const long = yield* weighServer(binary, paymentsInLog);
  const difference = paymentsInLog - shortLog;
  const whole = Math.round;
  const figures: MemoryFigures = {
    worker: { live: whole(live.worker), passive: whole(passive), finished: whole(finished) },
    server: { live: whole(live.server), finished: whole((long.resident - short.resident) / difference) },
    disk: whole((long.disk - short.disk) / difference),
    paymentsInLog,
  };
  const { worker, server, disk } = figures;
  yield* onProgress(
    `memory, bytes a payment: worker ${worker.live} live, ${worker.passive} passive, ${worker.finished} finished; ` +
      `server ${server.live} live, ${server.finished} finished; disk ${disk}`,
  );
  return figures;
});
