/**
 * How long a payment takes where the machine is not full: one at a time, and at a quarter, half and three quarters of what
 * the same workers have just taken at most.
 */
import { Effect } from "effect";
import { keepPace, saturate } from "../NatsLoad.ts";
import { Nats } from "../../nats/NatsConnection.ts";
import { onSide, runLoad, saturateSide, type Side } from "../round.ts";
import { warmUpPayments, type Latency, type Workload } from "../settings.ts";
import { rounded, roundedLatency } from "../statistics.ts";
import { headlines, nameOf, type MeasurementOptions } from "./options.ts";

export const shares = [0.25, 0.5, 0.75] as const;

export interface OpenLoopStep extends Latency {
  /** Of the saturation rate. */
  readonly share: number;
  /** Payments a second that were to begin, and that ended. */
  readonly offered: number;
  readonly achieved: number;
}

export interface OpenLoopFigures extends Workload {
  /** The runtime's, payments a second. */
  readonly saturation: number;
  /** One payment at a time. */
  readonly idle: { readonly bare: Latency; readonly runtime: Latency };
  /** The runtime's. */
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

const bareIdle = (options: MeasurementOptions) =>
  Effect.andThen(saturateSide("bare", { ...options.load, payments: warmUpPayments }), payAlone("bare"));

const atPaces = Effect.fnUntraced(function* (load: MeasurementOptions["load"]) {
  const { connection } = yield* Nats;
  const { rate: saturation } = yield* saturateSide("runtime", load);
  yield* Effect.sleep(restMillis);
  const idle = yield* payAlone("runtime");
  const steps: Array<OpenLoopStep> = [];
  for (const share of shares) {
    const offered = saturation * share;
    const kept = yield* runLoad("runtime", () => keepPace(connection, { rate: offered, seconds: paceSeconds }));
    steps.push({ share, offered: rounded(offered, 0), achieved: rounded(kept.rate, 0), ...roundedLatency(kept) });
    yield* Effect.sleep(restMillis);
  }
  return { saturation: rounded(saturation, 0), idle: roundedLatency(idle), steps };
});

export const measureOpenLoop = Effect.fnUntraced(function* (options: MeasurementOptions) {
  const done: Array<OpenLoopFigures> = [];
  for (const workload of headlines(options.workloads)) {
    const bare = yield* onSide("bare", workload, options.natsServer, bareIdle(options));
    const runtime = yield* onSide("runtime", workload, options.natsServer, atPaces(options.load));
    const { saturation, idle, steps } = runtime;
    done.push({ ...workload, saturation, idle: { bare: roundedLatency(bare), runtime: idle }, steps });
    const half = steps.find(({ share }) => share === 0.5)!;
    yield* options.onProgress(
      `open loop, ${nameOf(workload)}: idle p50 ${idle.p50} ms (bare ${rounded(bare.p50, 1)} ms); ` +
        `at half of ${saturation}/s p50 ${half.p50} ms, p99 ${half.p99} ms`,
    );
  }
  return done;
});
