/**
 * Asks the hooks about a payment that is to begin: validate, enrich, fraudCheck, route, in this order, each with what the ones
 * before have said. The first that refuses or parks is the last that is asked.
 *
 * 1. What validates or looks for fraud lets nothing through unless it says so: no answer, a late one and nonsense refuse or park.
 * 2. What enriches or routes lets the payment go on without it, unless the rules say otherwise.
 */
import type { AskedHook } from "@aegispay/core/payment/hookEvents";
import type { Candidate } from "@aegispay/core/payment/Given";
import type { Create } from "@aegispay/core/payment/PaymentCommand";
import type { Verdicts } from "@aegispay/core/payment/verdicts";
import { defaultTimeLimitMillis } from "@aegispay/gateways/configuration/hooksConfig";
import { Effect, Result, type Schema } from "effect";
import { askHook } from "./askHook.ts";
import { asReason, EnrichAnswer, FraudAnswer, readAnswer, RouteAnswer, ValidateAnswer } from "./hookAnswers.ts";
import type { Answer, HookQuestion } from "./Hooks.ts";
import type { ConfiguredHooks } from "./HooksInForce.ts";

export type Judgement =
  | { readonly _tag: "Judged"; readonly verdicts: Verdicts }
  /** People are to look at it before it begins. */
  | { readonly _tag: "Parked"; readonly hook: AskedHook; readonly reason: string };

/** Told of each answer: for the metrics. `result`: the verdict, or how the hook failed. */
export type OnAnswer = (hook: AskedHook, result: string, millis: number, failure?: string) => void;

const named: Readonly<Record<AskedHook, { readonly what: string; readonly code: string }>> = {
  validate: { what: "the validation", code: "validation_refused" },
  enrich: { what: "the enrichment", code: "enrichment_failed" },
  fraudCheck: { what: "the fraud check", code: "fraud_refused" },
  route: { what: "the routing hook", code: "routing_failed" },
};

type Judged = Verdicts["events"][number];

type Failed = { readonly _tag: "Failed"; readonly how: string; readonly reason: string; readonly millis: number };
type Believed<Value> = { readonly _tag: "Believed"; readonly value: Value; readonly millis: number } | Failed;

/** What hooks see of a create: a copy, so that none can change what is charged, and without the token. */
const questionOf = ({ payment, body }: Create): Omit<HookQuestion, "signal"> => {
  const { method, ...rest } = structuredClone(body);
  const { merchant, paymentId } = payment;
  return { merchant, paymentId, order: { ...rest, method: { type: method.type } }, labels: {} };
};

const judgedBy = (hook: AskedHook, verdict: "refused" | "failed", reason: string, millis: number): Judged => ({
  type: "HookJudged",
  data: { hook, verdict, reason, millis },
});

export const judgeCreate = (
  { hooks, rules }: ConfiguredHooks,
  create: Create,
  candidates: ReadonlyArray<Candidate>,
  onAnswer: OnAnswer,
): Effect.Effect<Judgement> =>
  Effect.gen(function* () {
    const question = questionOf(create);
    let labels: Readonly<Record<string, string>> = {};
    let route: ReadonlyArray<string> | undefined;
    const events: Array<Judged> = [];

    const ask = Effect.fnUntraced(function* <Value>(
      hook: AskedHook,
      schema: Schema.Codec<Value, unknown>,
      call: (question: HookQuestion) => Answer<unknown>,
      resultOf: (value: Value) => string,
    ) {
      const limit = rules[hook]?.timeLimitMillis ?? defaultTimeLimitMillis;
      const asked = yield* askHook((signal) => call({ ...structuredClone(question), labels, signal }), limit);
      const { millis } = asked;
      const failed = (how: string, reason: string): Failed => {
        onAnswer(hook, how, millis, reason);
        return { _tag: "Failed", how, reason: asReason(reason), millis };
      };
      if (asked._tag !== "Answered") return failed(asked._tag.toLowerCase(), asked.reason) as Believed<Value>;
      const read = readAnswer(schema, asked.value);
      if (Result.isFailure(read)) return failed("nonsense", read.failure) as Believed<Value>;
      onAnswer(hook, resultOf(read.success), millis);
      return { _tag: "Believed", value: read.success, millis } as Believed<Value>;
    });

    const judged = (): Judgement => ({
      _tag: "Judged",
      verdicts: { events, ...(route === undefined ? {} : { route }) },
    });

    const refuse = (hook: AskedHook, message: string, declineCode?: string): Judgement => {
      const failure = { code: named[hook].code, message, ...(declineCode === undefined ? {} : { declineCode }) };
      return { _tag: "Judged", verdicts: { events, refusal: failure } };
    };

    /** What the rules make of a hook that failed; undefined: the payment goes on. */
    const afterFailure = (
      hook: AskedHook,
      { reason, millis }: Failed,
      fallback: "goOn" | "park",
    ): Judgement | undefined => {
      const onFailure = rules[hook]?.onFailure ?? fallback;
      if (onFailure === "park") return { _tag: "Parked", hook, reason: `${named[hook].what} failed: ${reason}` };
      events.push(judgedBy(hook, onFailure === "refuse" ? "refused" : "failed", reason, millis));
      return onFailure === "refuse" ? refuse(hook, `${named[hook].what} failed`) : undefined;
    };

    if (hooks.validate !== undefined) {
      const { validate } = hooks;
      const heard = yield* ask(
        "validate",
        ValidateAnswer,
        (one) => validate(one),
        ({ verdict }) => verdict,
      );
      // Its rules have no "goOn": whatever happens, nothing goes on from here.
      if (heard._tag === "Failed") return afterFailure("validate", heard, "park") ?? refuse("validate", heard.reason);
      const { value, millis } = heard;
      if (value.verdict === "refuse") {
        const { code, message } = value;
        events.push({
          type: "HookJudged",
          data: { hook: "validate", verdict: "refused", code, reason: message, millis },
        });
        return refuse("validate", message, code);
      }
      events.push({ type: "HookJudged", data: { hook: "validate", verdict: "accepted", millis } });
    }
    if (hooks.enrich !== undefined) {
      const { enrich } = hooks;
      const heard = yield* ask(
        "enrich",
        EnrichAnswer,
        (one) => enrich(one),
        () => "enriched",
      );
      if (heard._tag === "Failed") {
        const end = afterFailure("enrich", heard, "goOn");
        if (end !== undefined) return end;
      } else {
        labels = heard.value;
        events.push({ type: "PaymentEnriched", data: { labels } });
      }
    }
    if (hooks.fraudCheck !== undefined) {
      const { fraudCheck } = hooks;
      const heard = yield* ask(
        "fraudCheck",
        FraudAnswer,
        (one) => fraudCheck(one),
        ({ verdict }) => verdict,
      );
      if (heard._tag === "Failed")
        return afterFailure("fraudCheck", heard, "park") ?? refuse("fraudCheck", heard.reason);
      const { value, millis } = heard;
      const score = value.score === undefined ? {} : { score: value.score };
      if (value.verdict === "review") {
        const scored = value.score === undefined ? "" : ` (score ${value.score})`;
        return {
          _tag: "Parked",
          hook: "fraudCheck",
          reason: `the fraud check wants people to look at it${scored}: ${value.reason}`,
        };
      }
      if (value.verdict === "refuse") {
        const { reason } = value;
        events.push({ type: "HookJudged", data: { hook: "fraudCheck", verdict: "refused", reason, ...score, millis } });
        return refuse("fraudCheck", "the fraud check refused the payment");
      }
      events.push({ type: "HookJudged", data: { hook: "fraudCheck", verdict: "allowed", ...score, millis } });
    }
    if (hooks.route !== undefined) {
      const { route: choose } = hooks;
      const shown = candidates.map(({ gateway, account }) => ({ gateway, account }));
      const heard = yield* ask(
        "route",
        RouteAnswer,
        (one) => choose({ ...one, candidates: structuredClone(shown) }),
        (order) => (order === undefined || order === null ? "passed" : "ordered"),
      );
      if (heard._tag === "Failed") {
        const end = afterFailure("route", heard, "goOn");
        if (end !== undefined) return end;
      } else {
        const { value, millis } = heard;
        route = value ?? undefined;
        const verdict =
          route === undefined ? ({ verdict: "passed" } as const) : ({ verdict: "ordered", order: route } as const);
        events.push({ type: "HookJudged", data: { hook: "route", ...verdict, millis } });
      }
    }
    return judged();
  });
