/**
 * What surrounds the calls to one gateway: the `resilience` block of its entry, with the defaults of the guide. Durations are
 * in milliseconds and say so in their names, also where the guide writes `initialDelayMs`.
 */
import type { Retry } from "@aegispay/core/payment/Given";
import { Schema } from "effect";

/** As in fields.ts, which is built on this file. */
const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }));

const oneHourMillis = 3_600_000;

const defaults = {
  maxRetries: 3,
  initialDelayMillis: 1_000,
  maxDelayMillis: 10_000,
  backoffMultiplier: 2,
  failureThreshold: 5,
  successThreshold: 2,
  openForMillis: 60_000,
} as const;

export const ResilienceConfig = Schema.Struct({
  /** Tries beyond the first of a charge, a capture, a void or a refund: 0 to 20, default 3. Declines are never tried again. */
  maxRetries: Schema.optionalKey(between(0, 20)),
  /** Wait before the first of them, in milliseconds: 0 to 3600000, default 1000. Each wait is up to half shorter, at random. */
  initialDelayMillis: Schema.optionalKey(between(0, oneHourMillis)),
  /** The longest of these waits, in milliseconds: 0 to 3600000, default 10000; not below initialDelayMillis. */
  maxDelayMillis: Schema.optionalKey(between(0, oneHourMillis)),
  /** How many times longer than the one before each wait is: 1 to 10, default 2. */
  backoffMultiplier: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 1, maximum: 10 }))),

  /** Failures in a row, over all nodes, that open a circuit: 1 to 1000000, default 5. */
  failureThreshold: Schema.optionalKey(between(1, 1_000_000)),
  /** Successes in a row, over all nodes, that close one that is half open: 1 to 100, default 2. */
  successThreshold: Schema.optionalKey(between(1, 100)),
  /** How long an open circuit rejects every call before one may probe, in milliseconds: 1 to 3600000, default 60000. */
  openForMillis: Schema.optionalKey(between(1, oneHourMillis)),

  /** Calls a second of the whole cluster, 1 to 100000; each node takes its share. By default there is no limit. */
  callsPerSecond: Schema.optionalKey(between(1, 100_000)),
  /** Calls that may leave at once after a pause, of the whole cluster: 1 to 100000, default callsPerSecond. Only beside it. */
  burst: Schema.optionalKey(between(1, 100_000)),
  /** Calls under way at once, of each process: 1 to 100000, default 128 (the setting gatewayConcurrency). */
  concurrentCalls: Schema.optionalKey(between(1, 100_000)),
}).check(
  Schema.makeFilter(
    ({ initialDelayMillis = defaults.initialDelayMillis, maxDelayMillis = defaults.maxDelayMillis, ...rest }) => {
      if (maxDelayMillis < initialDelayMillis) {
        return { path: ["maxDelayMillis"], issue: `at least initialDelayMillis, which is ${initialDelayMillis}` };
      }
      return rest.burst !== undefined && rest.callsPerSecond === undefined
        ? { path: ["burst"], issue: "means nothing without callsPerSecond: say how many calls a second there may be" }
        : undefined;
    },
  ),
);
export type ResilienceConfig = typeof ResilienceConfig.Type;

/** The same, every default filled in but those of the node's settings. */
export interface Resilience {
  readonly failureThreshold: number;
  readonly successThreshold: number;
  readonly openForMillis: number;
  readonly rate?: { readonly callsPerSecond: number; readonly burst: number };
  readonly concurrentCalls?: number;
}

export const resilienceOf = (config: ResilienceConfig = {}): Resilience => {
  const { failureThreshold, successThreshold, openForMillis } = { ...defaults, ...config };
  const { callsPerSecond, burst = callsPerSecond, concurrentCalls } = config;
  return {
    failureThreshold,
    successThreshold,
    openForMillis,
    ...(callsPerSecond === undefined || burst === undefined ? {} : { rate: { callsPerSecond, burst } }),
    ...(concurrentCalls === undefined ? {} : { concurrentCalls }),
  };
};

export const defaultResilience = resilienceOf();

/** Waits are written down until they are as long as they get; none needs more than these. */
const delaysMax = 64;

/** What core works with; undefined where the entry turns none of these knobs, so that the node's policy holds. */
export const retryOf = (config: ResilienceConfig = {}): Retry | undefined => {
  const { maxRetries, initialDelayMillis, maxDelayMillis, backoffMultiplier } = config;
  const turned = [maxRetries, initialDelayMillis, maxDelayMillis, backoffMultiplier];
  if (turned.every((knob) => knob === undefined)) return undefined;
  const knobs = { ...defaults, ...config };
  const retryDelaysMillis: Array<number> = [];
  let delayMillis: number = knobs.initialDelayMillis;
  while (delayMillis < knobs.maxDelayMillis && retryDelaysMillis.length < delaysMax) {
    retryDelaysMillis.push(Math.round(delayMillis));
    delayMillis = Math.max(delayMillis, 1) * knobs.backoffMultiplier;
  }
  retryDelaysMillis.push(Math.min(Math.round(delayMillis), knobs.maxDelayMillis));
  return { maxRetries: knobs.maxRetries, retryDelaysMillis };
};
