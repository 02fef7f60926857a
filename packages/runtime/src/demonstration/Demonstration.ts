/**
 * The demonstration of `npm start`: payments of mixed fates through real processes, the node killed with SIGKILL in the
 * middle, and at the end the gateway's ledger held against the payments.
 */
import { Clock, Effect } from "effect";
import { quantile } from "../metrics/quantile.ts";
import { AegisClient } from "../client/AegisClient.ts";
import type { Workers } from "../supervisor/Workers.ts";
import { audit, type Ended, type FateAudit } from "./audit.ts";
import { fateOf, fates } from "./Fates.ts";

export interface DemonstrationOptions {
  readonly payments: number;
  readonly simulator: string;
  readonly workers: Workers;
  readonly onProgress: (text: string) => Effect.Effect<void>;
}

export interface DemonstrationResult {
  readonly fates: ReadonlyArray<FateAudit>;
  readonly payments: number;
  readonly chargedOnce: number;
  readonly inFlight: number;
  readonly kills: number;
  readonly p50Millis: number;
  readonly p99Millis: number;
  readonly right: boolean;
}

const merchant = "demo-shop";
/** Payments under way at once. */
const concurrency = 40;
const answerTimeoutMillis = 60_000;

export const demonstrate = Effect.fnUntraced(function* (options: DemonstrationOptions) {
  const client = yield* AegisClient;
  const { payments, workers, onProgress, simulator } = options;
  const run = (yield* Clock.currentTimeMillis).toString(36);
  const killAt = Math.floor(payments * 0.4);
  let done = 0;
  let kills = 0;

  const killOne = Effect.gen(function* () {
    const victim = workers.list()[0];
    if (victim === undefined) return;
    kills++;
    yield* onProgress(`kill -9 ${victim.pid} (${victim.node}), with payments under way`);
    process.kill(victim.pid, "SIGKILL");
  });

  const pay = Effect.fnUntraced(function* (index: number) {
    const fate = fateOf(index);
    const paymentId = `${run}-${String(index).padStart(4, "0")}`;
    const amount = 1_000 + index;
    const body = { amount: { value: amount, currency: "USD" }, method: { type: "card", token: fate.token } } as const;
    const create = client.execute(
      { merchant, payment: { id: paymentId }, body },
      { timeoutMillis: answerTimeoutMillis },
    );
    const startedAt = yield* Clock.currentTimeMillis;
    const replies = yield* Effect.forEach(
      Array.from({ length: fate.copies }),
      () => Effect.catch(create, () => Effect.succeed(undefined)),
      { concurrency: "unbounded" },
    );
    const millis = (yield* Clock.currentTimeMillis) - startedAt;
    const states = new Set(replies.map((reply) => (reply?.ok === true ? reply.payment.state : undefined)));
    done++;
    if (done === killAt) yield* killOne;
    if (done % 100 === 0) yield* onProgress(`${done} of ${payments} payments answered`);
    const state = states.size === 1 ? [...states][0] : undefined;
    return { reference: `${merchant}/${paymentId}`, fate, amount, state, millis } satisfies Ended;
  });

  const ended = yield* Effect.forEach(
    Array.from({ length: payments }, (_, index) => index),
    pay,
    { concurrency },
  );
  const audited = yield* audit(simulator, fates, ended);
  const sum = (pick: (line: FateAudit) => number) => audited.reduce((total, line) => total + pick(line), 0);
  const times = ended.map(({ millis }) => millis).toSorted((left, right) => left - right);
  return {
    fates: audited,
    payments,
    chargedOnce: sum((line) => line.chargedOnce),
    inFlight: sum((line) => line.inFlight),
    kills,
    p50Millis: quantile(times, 0.5),
    p99Millis: quantile(times, 0.99),
    right: sum((line) => line.asExpected) === payments && kills > 0,
  } satisfies DemonstrationResult;
});
