/** The section `hooks` of a configuration: whose functions are asked about payments, how long, and what if they fail. */
import { Schema } from "effect";
import { between, shortText } from "./fields.ts";

/**
 * What all hooks that are asked before a payment begins may take together, in milliseconds: they hold a place in their shard's
 * window meanwhile, and what waits longer than this must wait on a durable timer.
 */
export const hooksTogetherMillis = 5_000;
export const defaultTimeLimitMillis = 1_000;

const timeLimit = {
  /** 1 to 5000, default 1000: an answer that comes later is as good as none. */
  timeLimitMillis: Schema.optionalKey(between(1, hooksTogetherMillis)),
};

const neverGoOn = (hook: string) =>
  Schema.Literals(["refuse", "park"]).annotate({
    message: `expected "refuse" or "park": a ${hook} that fails never lets a payment through`,
  });

/** Default `park`: people decide, and `aegispay dead retry` asks again. */
const Judging = (hook: string) => Schema.Struct({ ...timeLimit, onFailure: Schema.optionalKey(neverGoOn(hook)) });

/** Default `goOn`: the payment goes on as if there were no such hook. */
const Helping = Schema.Struct({
  ...timeLimit,
  onFailure: Schema.optionalKey(Schema.Literals(["goOn", "refuse", "park"])),
});

const Telling = Schema.Struct({
  ...timeLimit,
  /** What waits to be told, of each process; what comes while it is full is left out and counted. 1 to 100000, default 1000. */
  queueLength: Schema.optionalKey(between(1, 100_000)),
});

const asked = ["validate", "enrich", "fraudCheck", "route"] as const;

export const HooksConfig = Schema.Struct({
  /** A JavaScript or TypeScript module whose default export has the hooks; relative to the configuration's own folder. */
  module: shortText("module", 1_024),
  validate: Schema.optionalKey(Judging("validation")),
  enrich: Schema.optionalKey(Helping),
  fraudCheck: Schema.optionalKey(Judging("fraud check")),
  route: Schema.optionalKey(Helping),
  onEvent: Schema.optionalKey(Telling),
  onError: Schema.optionalKey(Telling),
  /** Payments about which hooks are asked at the same time, of each process; others wait. 1 to 10000, default 64. */
  concurrency: Schema.optionalKey(between(1, 10_000)),
}).check(
  Schema.makeFilter((hooks) => {
    const all = asked.reduce((sum, hook) => sum + (hooks[hook]?.timeLimitMillis ?? defaultTimeLimitMillis), 0);
    return all <= hooksTogetherMillis
      ? undefined
      : `the time limits of ${asked.join(", ")} (${defaultTimeLimitMillis} ms each by default) are at most ${hooksTogetherMillis} ms in all, not ${all}`;
  }),
);
export type HooksConfig = typeof HooksConfig.Type;
