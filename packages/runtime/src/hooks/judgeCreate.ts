/**
 * Asks the hooks about a payment that is to begin: validate, enrich, fraudCheck, route, in this order, each with what the ones
 * before have said. The first that refuses or parks is the last that is asked.
 */
import type { Candidate } from "@aegispay/core/payment/Given";
import type { AskedHook } from "@aegispay/core/payment/hookEvents";
import type { Create } from "@aegispay/core/payment/PaymentCommand";
import type { Verdicts } from "@aegispay/core/payment/verdicts";
import { defaultTimeLimitMillis } from "@aegispay/gateways/configuration/hooksConfig";
import { Effect, Result, type Schema } from "effect";
import { askHook } from "./askHook.ts";
import { asReason, EnrichAnswer, FraudAnswer, readAnswer, RouteAnswer, ValidateAnswer } from "./hookAnswers.ts";
import type { Answer, HookQuestion } from "./Hooks.ts";
import type { ConfiguredHooks } from "./HooksInForce.ts";
import { onEnrich, onFailedHook, onFraudCheck, onRoute, onValidate, type Said } from "./hookVerdicts.ts";

export type Judgement =
  | { readonly _tag: "Judged"; readonly verdicts: Verdicts }
  /** People are to look at it before it begins. */
  | { readonly _tag: "Parked"; readonly hook: AskedHook; readonly reason: string };

/** Told of each answer: for the metrics. `result`: the verdict, or how the hook failed. */
export type OnAnswer = (hook: AskedHook, result: string, millis: number, failure?: string) => void;

/** What hooks see of a create: a copy, so that none can change what is charged, and without the token. */
const questionOf = ({ payment, body }: Create, labels: HookQuestion["labels"], signal: AbortSignal): HookQuestion => {
  const { method, ...rest } = structuredClone(body);
  const { merchant, paymentId } = payment;
  return { merchant, paymentId, order: { ...rest, method: { type: method.type } }, labels: { ...labels }, signal };
};

/** One of the hooks that are asked: how, what it may answer, and what its answer makes of the payment. */
interface Asking<Value> {
  readonly hook: AskedHook;
  readonly call: (question: HookQuestion) => Answer<unknown>;
  readonly schema: Schema.Codec<Value, unknown>;
  readonly said: (answer: Value, millis: number) => Said;
}

type AskOne = <Value>(asking: Asking<Value>) => Effect.Effect<Said>;

/** Those that there are, in their order, each to be begun when the ones before have said what they say. */
const asked = (
  { hooks }: ConfiguredHooks,
  candidates: ReadonlyArray<Candidate>,
  ask: AskOne,
): ReadonlyArray<{ readonly hook: AskedHook; readonly begin: Effect.Effect<Said> }> => {
  const one = <Value>(asking: Asking<Value>) => ({ hook: asking.hook, begin: Effect.suspend(() => ask(asking)) });
  const shown = () => candidates.map(({ gateway, account }) => ({ gateway, account }));
  const all = [
    one({ hook: "validate", call: (about) => hooks.validate!(about), schema: ValidateAnswer, said: onValidate }),
    one({ hook: "enrich", call: (about) => hooks.enrich!(about), schema: EnrichAnswer, said: onEnrich }),
    one({ hook: "fraudCheck", call: (about) => hooks.fraudCheck!(about), schema: FraudAnswer, said: onFraudCheck }),
    one({
      hook: "route",
      call: (about) => hooks.route!({ ...about, candidates: shown() }),
      schema: RouteAnswer,
      said: onRoute,
    }),
  ];
  return all.filter(({ hook }) => hooks[hook] !== undefined);
};

export const judgeCreate = Effect.fnUntraced(function* (
  configured: ConfiguredHooks,
  create: Create,
  candidates: ReadonlyArray<Candidate>,
  onAnswer: OnAnswer,
) {
  const { rules } = configured;
  const events: Array<Verdicts["events"][number]> = [];
  let labels: HookQuestion["labels"] = {};
  let route: ReadonlyArray<string> | undefined;

  const ask: AskOne = Effect.fnUntraced(function* ({ hook, call, schema, said }) {
    const limit = rules[hook]?.timeLimitMillis ?? defaultTimeLimitMillis;
    const heard = yield* askHook((signal) => call(questionOf(create, labels, signal)), limit);
    const { millis } = heard;
    const failed = (how: string, reason: string): Said => {
      onAnswer(hook, how, millis, reason);
      return onFailedHook(hook, rules, how, asReason(reason), millis);
    };
    if (heard._tag !== "Answered") return failed(heard._tag.toLowerCase(), heard.reason);
    const read = readAnswer(schema, heard.value);
    if (Result.isFailure(read)) return failed("nonsense", read.failure);
    const answer = said(read.success, millis);
    onAnswer(hook, answer.result, millis);
    return answer;
  });

  for (const { hook, begin } of asked(configured, candidates, ask)) {
    const said = yield* begin;
    if (said.event !== undefined) events.push(said.event);
    labels = said.labels ?? labels;
    route = said.route ?? route;
    const { end } = said;
    if (end?._tag === "Parked") return { _tag: "Parked", hook, reason: end.reason } as Judgement;
    if (end?._tag === "Refused") return { _tag: "Judged", verdicts: { events, refusal: end.failure } } as Judgement;
  }
  return { _tag: "Judged", verdicts: { events, ...(route === undefined ? {} : { route }) } } as Judgement;
});
