/**
 * What a decision is given besides state and command: the moment, who we are, which gateways there are, the policy. It is
 * data of the command, so that `decide` needs no clock and no configuration and can be run again on any machine.
 */

import type { Routing } from "../routing/route.ts";

/** How often, and how long after one another, a request that was not sent, or not found, is sent again. */
export interface Retry {
  /** Tries beyond the first. */
  readonly maxRetries: number;
  /** Wait before the n-th of them, in milliseconds; the last entry stands for all that follow. */
  readonly retryDelaysMillis: ReadonlyArray<number>;
}

export interface Candidate {
  readonly gateway: string;
  readonly account: string;
  /** How long it knows an idempotency key, in milliseconds: sent again later, the same key would charge a second time. */
  readonly keyRetentionMillis: number;
  /** It goes on with a charge that waits for its customer only when it is handed what the customer brought back. */
  readonly finishesActions?: true;
  /** What holds for this gateway instead of the policy's, for charges and for operations on them. */
  readonly retry?: Retry;
}

export interface Policy {
  /** Tries of one attempt beyond the first, whatever became of them: not sent, not found, or cut short by a crash. */
  readonly maxRetries: number;
  /** Wait before the n-th of these retries, in milliseconds; the last entry stands for all that follow. */
  readonly retryDelaysMillis: ReadonlyArray<number>;
  /**
   * Wait after the n-th round that was held back here, in milliseconds, on top of what held it back asks for: growing, and
   * up to half shorter at random, so that what was held back together does not come again together.
   */
  readonly heldBackDelaysMillis: ReadonlyArray<number>;
  /**
   * Wait before a create that no gateway can take, since all are being left alone, is decided for the n-th further time, in
   * milliseconds: growing to minutes, so that what waits out an outage costs little meanwhile.
   */
  readonly createAgainDelaysMillis: ReadonlyArray<number>;
  /** The longest time to leave a gateway alone that is obeyed, in milliseconds: it may ask for longer. */
  readonly retryAfterMaxMillis: number;
  /**
   * The schedule of an unknown outcome: wait before the look-up of each step, in milliseconds. After the last step without
   * evidence people look at the payment.
   */
  readonly lookUpDelaysMillis: ReadonlyArray<number>;
  /** Wait between the look-ups that go on while people look at a payment, in milliseconds. */
  readonly reviewEveryMillis: number;
  /**
   * Rounds that one attempt may have; when they are used up only a person can go on. Without the bound a payment that
   * nobody ever resolves would be looked up for ever and outgrow its log: a round is at most two events (what was found,
   * and the next round), so that 400 rounds stay below the 1,200 events a payment may have. By then the gateway was asked
   * for months, even if each look-up cost two rounds because a new owner made it.
   */
  readonly maxRounds: number;
  /** How long after an attempt, a capture, a void or a refund began the same key may still be sent again (law 4). */
  readonly resendForMillis: number;
  /** What is taken off the gateway's retention of keys, in milliseconds: its clock is not ours. */
  readonly keyRetentionMarginMillis: number;
  /** How long a payment waits for its customer where the create names no end, in milliseconds. */
  readonly customerWaitMillis: number;
  /** How long an authorization is held, in milliseconds: schemes let most of them lapse after seven days. */
  readonly authorizationForMillis: number;
  /** Wait before an expiry that the gateway refused is tried again, in milliseconds. */
  readonly expireAgainMillis: number;
  /** Attempts a payment may make over all gateways. */
  readonly maxAttempts: number;
}

/** The guide's back-off (1 s doubling to 10 s, 3 retries); look-ups at once, then as the field does, at last daily. */
export const defaultPolicy: Policy = {
  maxRetries: 3,
  retryDelaysMillis: [1_000, 2_000, 4_000, 8_000, 10_000],
  heldBackDelaysMillis: [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 60_000, 120_000],
  createAgainDelaysMillis: [2_000, 5_000, 15_000, 60_000, 180_000],
  retryAfterMaxMillis: 300_000,
  lookUpDelaysMillis: [0, 5_000, 15_000, 60_000, 300_000, 900_000, 3_600_000, 21_600_000, 86_400_000],
  reviewEveryMillis: 86_400_000,
  maxRounds: 400,
  resendForMillis: 15 * 60_000,
  keyRetentionMarginMillis: 60 * 60_000,
  customerWaitMillis: 60 * 60_000,
  authorizationForMillis: 7 * 86_400_000,
  expireAgainMillis: 86_400_000,
  maxAttempts: 5,
};

export interface Given {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly deployment: string;
  /** All that are configured, in that order. */
  readonly candidates: ReadonlyArray<Candidate>;
  /** How they are chosen among, and how they are doing; without it they are tried in the configured order. */
  readonly routing?: Routing;
  readonly policy: Policy;
  /** From 0 to 1: how much of the half of a wait that may go is left out, so that what failed together does not come again together. */
  readonly jitter: number;
}

let lastMillis = Number.NaN;
let lastIsoTime = "";

/** ISO 8601. The last one is kept: what happens within one millisecond shares its text (3 µs each otherwise). */
export const isoTime = (millis: number): string => {
  if (millis === lastMillis) return lastIsoTime;
  lastIsoTime = new Date(millis).toISOString();
  lastMillis = millis;
  return lastIsoTime;
};

/** The n-th wait, in whole milliseconds: at most what the policy says, at least half of it. */
export const delayOf = (delaysMillis: ReadonlyArray<number>, index: number, jitter: number): number =>
  Math.round((delaysMillis[Math.min(index, delaysMillis.length - 1)] ?? 0) * (1 - jitter / 2));
