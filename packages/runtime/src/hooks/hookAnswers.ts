/**
 * What a hook may answer, checked before it is believed: an answer that is none of these is a failure of the hook. What is
 * accepted stands in a log for ever, so texts are short and hold no card number.
 */
import { holdsCardNumber } from "@aegispay/core/identity/CardNumber";
import { Result, Schema } from "effect";

/** The most that is kept of a reason, in characters. */
export const reasonMax = 500;

const text = (max: number) =>
  Schema.String.check(
    Schema.makeFilter((value: string) => {
      if (value.length < 1 || value.length > max) return `a text of 1 to ${max} characters`;
      return holdsCardNumber(value) ? "it holds a card number" : undefined;
    }),
  );

const scoreMax = 1_000_000;
/** Nobody's card number is a score. */
const score = {
  score: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: -scoreMax, maximum: scoreMax }))),
};

export const ValidateAnswer = Schema.Union([
  Schema.Struct({ verdict: Schema.Literal("accept") }),
  Schema.Struct({ verdict: Schema.Literal("refuse"), code: text(64), message: text(reasonMax) }),
]);

export const FraudAnswer = Schema.Union([
  Schema.Struct({ verdict: Schema.Literal("allow"), ...score }),
  Schema.Struct({ verdict: Schema.Literals(["refuse", "review"]), reason: text(reasonMax), ...score }),
]);

const labelName = /^(?!__proto__$)[A-Za-z0-9_.-]{1,64}$/;
const labelsMax = 20;

export const EnrichAnswer = Schema.Record(Schema.String, text(256)).check(
  Schema.makeFilter((labels: Readonly<Record<string, string>>) => {
    const names = Object.keys(labels);
    if (names.length > labelsMax) return `at most ${labelsMax} labels`;
    const isRight = names.every((name) => labelName.test(name) && !holdsCardNumber(name));
    return isRight ? undefined : "a label's name has 1 to 64 characters of [A-Za-z0-9_.-]";
  }),
);

/** More gateways than any deployment has. */
const gatewaysMax = 100;

export const RouteAnswer = Schema.Union([
  Schema.Undefined,
  Schema.Null,
  Schema.Array(text(64)).check(Schema.isMaxLength(gatewaysMax)),
]);

const nonsense = (why: string): string => `it answered nonsense: ${why.replaceAll(/\s+/g, " ").slice(0, 200)}`;

/** The answer, or in which way it is none; never what it held. A copy: what the hook does with its own later is its business. */
export const readAnswer = <Answer>(
  schema: Schema.Codec<Answer, unknown>,
  answer: unknown,
): Result.Result<Answer, string> => {
  try {
    return Result.mapError(Schema.decodeUnknownResult(schema)(structuredClone(answer)), ({ message }) =>
      nonsense(message),
    );
  } catch {
    return Result.fail(nonsense("it is no plain value"));
  }
};

/** The longest way to write a card number: one that begins in what is kept may end behind it. */
const cardNumberMax = 40;

/** A text from anywhere as it may be kept. It may be of any length: no more of it is looked at than could be kept. */
export const asReason = (reason: string): string =>
  holdsCardNumber(reason.slice(0, reasonMax + cardNumberMax))
    ? "(not kept: it held a card number)"
    : reason.slice(0, reasonMax);
