/**
 * How long payments in flight are held up by the death of their worker, against how many they are and how long the log is.
 * Two workers under one primary, which sees the death; the dead one is started again, as in production.
 */
import { Effect, References } from "effect";
import { killInFlight } from "../NatsTakeOver.ts";
import { onCopyOf, prefilledFolder } from "../prefilled.ts";
import { startRuntimeSide } from "../runtimeSide.ts";
import type { Sync } from "../settings.ts";
import { median, range, rounded } from "../statistics.ts";
import type { MeasurementOptions } from "./options.ts";

export interface TakeOverFigures {
  readonly sync: Sync;
  /** Payments that had ended before. */
  readonly paymentsInLog: number;
  readonly inFlight: number;
  /** From the kill to the first one's end being committed, in milliseconds; the median. */
  readonly firstMillis: number;
  /** To the last one's. */
  readonly lastMillis: number;
  readonly lastRangeMillis: readonly [least: number, most: number];
}

/** Half of the shards, each with a full window, is the most that one of two workers can have in flight. */
export const inFlightCounts = [1, 16, 128, 512, 1_024] as const;
/** All of them are at the gateway, and none waits for a place. */
const settings = { gatewayConcurrency: 2_048 };
/** A worker that has served for a second is started again at once. */
const betweenKillsMillis = 1_500;

/** The primary warns of each death; these are meant. */
const quietly = <A, E, R>(kills: Effect.Effect<A, E, R>) =>
  Effect.scoped(kills).pipe(Effect.provideService(References.MinimumLogLevel, "Error"));

/** On servers that are there: kills a worker in each round, for each count. */
export const measureKills = Effect.fnUntraced(function* (
  where: { readonly url: string; readonly dataDir: string },
  counts: ReadonlyArray<number>,
  rounds: number,
) {
  const { url, dataDir } = where;
  const { workers, serving } = yield* startRuntimeSide({ url, dataDir, workers: 2, gateway: "silent", settings });
  const measureAll = Effect.gen(function* () {
    const done = [];
    for (const inFlight of counts) {
      const kills = [];
      for (let round = 0; round < rounds; round++) {
        yield* Effect.sleep(betweenKillsMillis);
        kills.push(yield* killInFlight(workers, inFlight));
        yield* serving;
      }
      const lasts = kills.map(({ last }) => last);
      const [least, most] = range(lasts);
      done.push({
        inFlight,
        firstMillis: rounded(median(kills.map(({ first }) => first)), 0),
        lastMillis: rounded(median(lasts), 0),
        lastRangeMillis: [rounded(least, 0), rounded(most, 0)] as const,
      });
    }
    return done;
  });
  return yield* Effect.raceFirst(measureAll, workers.failed);
}, quietly);

/** Lengths of the log, in payments: a short one, and one as long as may be. */
export const measureTakeOver = Effect.fnUntraced(function* (
  options: MeasurementOptions,
  sync: Sync,
  lengths: ReadonlyArray<number>,
) {
  const { natsServer: binary, rounds, onProgress } = options;
  const done: Array<TakeOverFigures> = [];
  for (const paymentsInLog of lengths) {
    const onLog = Effect.gen(function* () {
      const folder = yield* prefilledFolder(binary, paymentsInLog);
      return yield* onCopyOf(folder, { binary, sync }, (where) => measureKills(where, inFlightCounts, rounds));
    });
    const kills = yield* Effect.scoped(onLog);
    for (const kill of kills) {
      done.push({ sync, paymentsInLog, ...kill });
      yield* onProgress(
        `take-over, sync ${sync}, ${paymentsInLog} payments in the log, ${kill.inFlight} in flight: ` +
          `first after ${kill.firstMillis} ms, all after ${kill.lastMillis} ms`,
      );
    }
  }
  return done;
});
