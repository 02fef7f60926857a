/** How the figures grow with the log: the same measurements on top of a thousand, ten thousand … finished payments. */
import { Effect } from "effect";
import { Nats } from "../../nats/NatsConnection.ts";
import { startBareWorkers } from "../NatsBareRound.ts";
import { saturate } from "../NatsLoad.ts";
import { onCopyOf, prefilledFolder, type Prefilled } from "../prefilled.ts";
import { runLoad, saturateSide } from "../round.ts";
import { startRuntimeSide } from "../runtimeSide.ts";
import type { Latency, Load, Sync } from "../settings.ts";
import { median, rounded } from "../statistics.ts";
import { residentBytes, weighWorker } from "../weighing.ts";
import type { MeasurementOptions } from "./options.ts";
import { measureKills } from "./takeOver.ts";

export interface GrowthFigures extends Latency {
  readonly sync: Sync;
  /** Finished payments in the log when a round begins. */
  readonly paymentsInLog: number;
  /** Payments a second, one worker, instant gateway. */
  readonly bare: number;
  readonly runtime: number;
  readonly ratio: number;
  /** One payment at a time, the median in milliseconds. */
  readonly idleMillis: number;
  /** From the death of a worker with payments in flight to the last one's end, in milliseconds. */
  readonly takeOverMillis: number;
  readonly takeOverInFlight: number;
  /** A worker's heap and buffers after the load and a garbage collection. */
  readonly workerBytes: number;
  /** Resident, after the load. */
  readonly serverBytes: number;
}

/** What each round comes to; the rest is measured once for a size. */
type EachRound = Omit<GrowthFigures, "sync" | "paymentsInLog" | "takeOverMillis" | "takeOverInFlight">;

export const smallestGrowth = 1_000;
export const largestGrowth = 1_000_000;
const idlePayments = 200;
const takeOverInFlight = 128;
const restMillis = 1_000;

/** Powers of ten from a thousand, up to the given number. */
export const logSizes = (upTo: number): ReadonlyArray<number> => {
  const sizes: Array<number> = [];
  for (let size = smallestGrowth; size <= upTo; size *= 10) sizes.push(size);
  return sizes;
};

const bareRate = (load: Load) => (where: Prefilled) =>
  Effect.gen(function* () {
    const failed = yield* startBareWorkers(where.url, 1);
    return (yield* Effect.raceFirst(saturateSide("bare", load), failed)).rate;
  });

const runtimeFigures = (load: Load) => (where: Prefilled) =>
  Effect.gen(function* () {
    const { connection } = yield* Nats;
    const { workers } = yield* startRuntimeSide({ ...where, workers: 1, gateway: "instant" });
    const measured = Effect.gen(function* () {
      const full = yield* saturateSide("runtime", load);
      yield* Effect.sleep(restMillis);
      const alone = yield* runLoad("runtime", () => saturate(connection, { payments: idlePayments, inFlight: 1 }));
      const workerBytes = yield* weighWorker(workers.list()[0]!.pid);
      const serverBytes = where.pids().reduce((sum, pid) => sum + residentBytes(pid), 0);
      const { rate: runtime, p50, p99 } = full;
      return { runtime, p50, p99, idleMillis: alone.p50, workerBytes, serverBytes };
    });
    return yield* Effect.raceFirst(measured, workers.failed);
  });

const measureSize = Effect.fnUntraced(function* (options: MeasurementOptions, sync: Sync, paymentsInLog: number) {
  const { load, rounds, natsServer: binary } = options;
  const folder = yield* prefilledFolder(binary, paymentsInLog);
  const place = { binary, sync };
  const done: Array<EachRound> = [];
  for (let round = 0; round < rounds; round++) {
    const bare = yield* onCopyOf(folder, place, bareRate(load));
    const runtime = yield* onCopyOf(folder, place, runtimeFigures(load));
    done.push({ ...runtime, bare, ratio: runtime.runtime / bare });
  }
  const [kills] = yield* onCopyOf(folder, place, (where) => measureKills(where, [takeOverInFlight], rounds));
  const of = (key: keyof EachRound, digits: number) => rounded(median(done.map((one) => one[key])), digits);
  const figures: GrowthFigures = {
    sync,
    paymentsInLog,
    bare: of("bare", 0),
    runtime: of("runtime", 0),
    ratio: of("ratio", 3),
    p50: of("p50", 1),
    p99: of("p99", 1),
    idleMillis: of("idleMillis", 1),
    takeOverMillis: kills!.lastMillis,
    takeOverInFlight,
    workerBytes: of("workerBytes", 0),
    serverBytes: of("serverBytes", 0),
  };
  return figures;
}, Effect.scoped);

export const measureGrowth = Effect.fnUntraced(function* (options: MeasurementOptions, sync: Sync, upTo: number) {
  const done: Array<GrowthFigures> = [];
  for (const size of logSizes(upTo)) {
    const figures = yield* measureSize(options, sync, size);
    done.push(figures);
    yield* options.onProgress(
      `growth, sync ${sync}, ${size} payments in the log: ${figures.runtime}/s (bare ${figures.bare}/s), idle p50 ` +
        `${figures.idleMillis} ms, take-over ${figures.takeOverMillis} ms, worker ${figures.workerBytes} bytes`,
    );
  }
  return done;
});
