/**
 * Faults to order, and the dice that deal them out.
 *
 * Each kind of request (charge, operation, look-up) has dice of its own, thrown in full for every request whatever is
 * ordered: the same seed and the same order of requests give the same faults, and look-ups, whose number depends on
 * time, do not shift those of the charges. They apply in this order:
 *
 * | fault                        | to                           | what happens                                          |
 * |------------------------------|------------------------------|-------------------------------------------------------|
 * | networkErrorRate             | all of /v1                   | the connection is reset, nothing is recorded          |
 * | rateLimitPerSecond (0: none) | charges, operations          | 429 and Retry-After, nothing is recorded              |
 * | latencyMs ± latencyJitterMs  | all of /v1                   | the key is in flight meanwhile; done at the end of it |
 * | http500Rate                  | all of /v1                   | 500; done in half the cases                           |
 * | declineRate, declineCode     | charges, a key's first result| declined; `try_again_later` lets others try           |
 * | refusalRate                  | operations, the same         | refused, and the refusal stands for its key           |
 * | otherAmountRate,             | charges, captures, refunds,  | something else than what was asked for is booked,     |
 * | otherCurrencyRate            | the same                     | and reported                                          |
 * | partialFailureRate           | charges, operations          | done, then the connection is dropped                  |
 * | timeoutRate, timeoutDelayMs  | all of /v1                   | done, then the answer is held back                    |
 *
 * `firstRequests` needs no luck: what it orders for a kind of request happens to the first one of each key.
 */
import { Effect, Random, Schema } from "effect";

const rate = Schema.Number.check(Schema.isBetween({ minimum: 0, maximum: 1 }));
const oneHourMillis = 3_600_000;
const millis = Schema.Number.check(Schema.isBetween({ minimum: 0, maximum: oneHourMillis }));

/**
 * `reset`: the connection drops before anything is done. `lose-answer`: it is done, then the connection drops. `delay`:
 * the connection drops and the key stays in flight, found by no look-up, until `POST /admin/delayed` finishes it.
 */
const FirstRequest = Schema.Literals(["reset", "lose-answer", "delay"]);
export type FirstRequest = typeof FirstRequest.Type;

const FirstRequests = Schema.Struct({
  charge: Schema.optionalKey(FirstRequest),
  capture: Schema.optionalKey(FirstRequest),
  void: Schema.optionalKey(FirstRequest),
  refund: Schema.optionalKey(FirstRequest),
});
type FirstRequests = typeof FirstRequests.Type;

const noFaults: Required<FaultOrder> = {
  latencyMs: 0,
  latencyJitterMs: 0,
  timeoutRate: 0,
  timeoutDelayMs: 30_000,
  partialFailureRate: 0,
  networkErrorRate: 0,
  declineRate: 0,
  declineCode: "generic_decline",
  refusalRate: 0,
  otherAmountRate: 0,
  otherCurrencyRate: 0,
  http500Rate: 0,
  rateLimitPerSecond: 0,
  firstRequests: {},
  seed: 1,
};

/** `PUT /admin/faults`: what is left out is as in `noFaults`, not as it was before. */
export const FaultOrder = Schema.Struct({
  latencyMs: Schema.optionalKey(millis),
  latencyJitterMs: Schema.optionalKey(millis),
  timeoutRate: Schema.optionalKey(rate),
  timeoutDelayMs: Schema.optionalKey(millis),
  partialFailureRate: Schema.optionalKey(rate),
  networkErrorRate: Schema.optionalKey(rate),
  declineRate: Schema.optionalKey(rate),
  declineCode: Schema.optionalKey(Schema.Literals(["generic_decline", "insufficient_funds", "try_again_later"])),
  refusalRate: Schema.optionalKey(rate),
  otherAmountRate: Schema.optionalKey(rate),
  otherCurrencyRate: Schema.optionalKey(rate),
  http500Rate: Schema.optionalKey(rate),
  rateLimitPerSecond: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))),
  firstRequests: Schema.optionalKey(FirstRequests),
  seed: Schema.optionalKey(Schema.Int),
});
type FaultOrder = typeof FaultOrder.Type;

export type RequestKind = "charge" | "operation" | "look-up";

/** What will happen to one request. */
export interface Fate {
  readonly connectionResets: boolean;
  readonly latencyMillis: number;
  /** A 500 is an unknown outcome: sometimes it was done, sometimes not. */
  readonly internalError: "none" | "done" | "not-done";
  /** The code of the decline. */
  readonly declined: Required<FaultOrder>["declineCode"] | undefined;
  readonly refused: boolean;
  readonly otherAmount: boolean;
  readonly otherCurrency: boolean;
  readonly answerLost: boolean;
  readonly holdMillis: number;
  /** What to do to a request that is the first of its key. */
  readonly firstRequests: FirstRequests;
}

export interface Faults {
  readonly ordered: () => FaultOrder;
  readonly order: (faults: FaultOrder) => void;
  readonly throwDice: (kind: RequestKind) => Fate;
  /** Whether the rate limit lets a request in at this time: so many in each second of the clock. */
  readonly admits: (nowMillis: number) => boolean;
}

const diceOf = (seed: string): (() => number) => {
  const random = Effect.runSync(Random.Random.pipe(Random.withSeed(seed)));
  return () => random.nextDoubleUnsafe();
};

export const makeFaults = (): Faults => {
  let ordered = noFaults;
  let dice: Record<RequestKind, () => number>;
  let second = 0;
  let admittedInSecond = 0;

  const order = (faults: FaultOrder) => {
    ordered = { ...noFaults, ...faults };
    const { seed } = ordered;
    dice = {
      charge: diceOf(`${seed}/charge`),
      operation: diceOf(`${seed}/operation`),
      "look-up": diceOf(`${seed}/look-up`),
    };
    second = 0;
  };
  order({});

  return {
    ordered: () => ordered,
    order,
    throwDice: (kind) => {
      const next = dice[kind];
      const [network, jitter, error, errorDone] = [next(), next(), next(), next()];
      const [decline, lost, timeout] = [next(), next(), next()];
      const [refuse, amount, currency] = [next(), next(), next()];
      const changes = kind !== "look-up";
      return {
        connectionResets: network < ordered.networkErrorRate,
        latencyMillis: Math.max(0, ordered.latencyMs + (jitter * 2 - 1) * ordered.latencyJitterMs),
        internalError: error < ordered.http500Rate ? (errorDone < 0.5 ? "done" : "not-done") : "none",
        declined: decline < ordered.declineRate ? ordered.declineCode : undefined,
        refused: refuse < ordered.refusalRate,
        otherAmount: amount < ordered.otherAmountRate,
        otherCurrency: currency < ordered.otherCurrencyRate,
        answerLost: changes && lost < ordered.partialFailureRate,
        holdMillis: timeout < ordered.timeoutRate ? ordered.timeoutDelayMs : 0,
        firstRequests: ordered.firstRequests,
      };
    },
    admits: (nowMillis) => {
      if (ordered.rateLimitPerSecond === 0) return true;
      const now = Math.floor(nowMillis / 1000);
      if (now !== second) {
        second = now;
        admittedInSecond = 0;
      }
      if (admittedInSecond >= ordered.rateLimitPerSecond) return false;
      admittedInSecond += 1;
      return true;
    },
  };
};
