/**
 * How long a payment takes where the machine is not full: one at a time, and at a quarter, half and three quarters of what
 * the same workers have just taken at most.
 */
import { Effect } from "effect";
import { keepPace, saturate } from "../NatsLoad.ts";
import { Nats } from "../../nats/NatsConnection.ts";
import { onSide, runLoad, saturateSide, type Side } from "../round.ts";
import { warmUpPayments, type Latency, type Load, type Measured, type Workload } from "../settings.ts";
import { rounded, roundedLatency } from "../statistics.ts";
import { headlines, nameOf, type MeasurementOptions } from "./options.ts";

export const shares = [0.25, 0.5, 0.75] as const;

export interface OpenLoopStep extends Latency {
  /** Of the saturation rate. */
  readonly share: number;
  /** Payments a second that were to begin, and that ended. */
  readonly offered: number;
  readonly achieved: number;
  /** At the same rate. */
  readonly bare: Latency;
}

export interface OpenLoopFigures extends Workload {
  /** The runtime's, payments a second. */
  readonly saturation: number;
  /** One payment at a time. */
  readonly idle: { readonly bare: Latency; readonly runtime: Latency };
  /** The runtime's; what hits bare too, a disk that pauses, is none of its doing. */
  readonly steps: ReadonlyArray<OpenLoopStep>;
}

/** Enough for the slowest percent to be more than a single payment. */
const idlePayments = 500;
const paceSeconds = 8;
/** Between two paces, in milliseconds: what the one before left is done by then. */
const restMillis = 500;

const payAlone = (side: Side) =>
  Effect.gen(function* () {
    const { connection } = yield* Nats;
    return yield* runLoad(side, () => saturate(connection, { payments: idlePayments, inFlight: 1 }));
  });

/** One payment at a time, then each rate in turn; on workers that are warm. */
const atRates = Effect.fnUntraced(function* (side: Side, rates: ReadonlyArray<number>) {
  const { connection } = yield* Nats;
  yield* Effect.sleep(restMillis);
  const idle = roundedLatency(yield* payAlone(side));
  const paced: Array<Measured> = [];
  for (const rate of rates) {
    yield* Effect.sleep(restMillis);
    paced.push(yield* runLoad(side, () => keepPace(connection, { rate, seconds: paceSeconds })));
  }
  return { idle, paced };
});

const ofSaturation = (rate: number): ReadonlyArray<number> => shares.map((share) => rate * share);

const runtimeAtRates = Effect.fnUntraced(function* (load: Load) {
  const { rate } = yield* saturateSide("runtime", load);
  return { saturation: rate, ...(yield* atRates("runtime", ofSaturation(rate))) };
});

const bareAtRates = (load: Load, rates: ReadonlyArray<number>) =>
  Effect.andThen(saturateSide("bare", { ...load, payments: warmUpPayments }), atRates("bare", rates));

export const measureOpenLoop = Effect.fnUntraced(function* (options: MeasurementOptions) {
  const { load, natsServer, onProgress } = options;
  const done: Array<OpenLoopFigures> = [];
  for (const workload of headlines(options.workloads)) {
    const runtime = yield* onSide("runtime", workload, natsServer, runtimeAtRates(load));
    const rates = ofSaturation(runtime.saturation);
    const bare = yield* onSide("bare", workload, natsServer, bareAtRates(load, rates));
    const steps = shares.map((share, index) => {
      const kept = runtime.paced[index]!;
      return {
        share,
        offered: rounded(rates[index]!, 0),
        achieved: rounded(kept.rate, 0),
        ...roundedLatency(kept),
        bare: roundedLatency(bare.paced[index]!),
      };
    });
    const saturation = rounded(runtime.saturation, 0);
    const idle = { bare: bare.idle, runtime: runtime.idle };
    done.push({ ...workload, saturation, idle, steps });
    const half = steps.find(({ share }) => share === 0.5)!;
    yield* onProgress(
      `open loop, ${nameOf(workload)}: idle p50 ${idle.runtime.p50} ms (bare ${idle.bare.p50} ms); ` +
        `at half of ${saturation}/s p99 ${half.p99} ms (bare ${half.bare.p99} ms)`,
    );
  }
  return done;
});
