/**
 * What each answer of a hook makes of a payment that is to begin, and what the failure of one makes of it. Pure.
 *
 * 1. What validates or looks for fraud lets nothing through unless it says so: no answer, a late one and nonsense refuse or park.
 * 2. What enriches or routes lets the payment go on without it, unless the rules say otherwise.
 */
import type { AskedHook } from "@aegispay/core/payment/hookEvents";
import type { Failure } from "@aegispay/core/payment/PaymentEvent";
import type { Verdicts } from "@aegispay/core/payment/verdicts";
import type { EnrichAnswer, FraudAnswer, RouteAnswer, ValidateAnswer } from "./hookAnswers.ts";
import type { HookRules } from "./HooksInForce.ts";

/** How a payment ends before it begins. */
export type End =
  | { readonly _tag: "Refused"; readonly failure: Failure }
  /** People are to look at it first. */
  | { readonly _tag: "Parked"; readonly reason: string };

/** What one hook has said. */
export interface Said {
  /** The verdict, for the metrics. */
  readonly result: string;
  readonly event?: Verdicts["events"][number];
  readonly labels?: Readonly<Record<string, string>>;
  readonly route?: ReadonlyArray<string>;
  readonly end?: End;
}

export const onValidate = (answer: typeof ValidateAnswer.Type, millis: number): Said => {
  if (answer.verdict === "accept") {
    return { result: "accept", event: { type: "HookJudged", data: { hook: "validate", verdict: "accepted", millis } } };
  }
  const { code, message } = answer;
  return {
    result: "refuse",
    event: { type: "HookJudged", data: { hook: "validate", verdict: "refused", code, reason: message, millis } },
    end: { _tag: "Refused", failure: { code: "validation_refused", message, declineCode: code } },
  };
};

export const onEnrich = (labels: typeof EnrichAnswer.Type): Said => ({
  result: "enriched",
  event: { type: "PaymentEnriched", data: { labels } },
  labels,
});

export const onFraudCheck = (answer: typeof FraudAnswer.Type, millis: number): Said => {
  const score = answer.score === undefined ? {} : { score: answer.score };
  switch (answer.verdict) {
    case "allow": {
      const data = { hook: "fraudCheck", verdict: "allowed", ...score, millis } as const;
      return { result: "allow", event: { type: "HookJudged", data } };
    }
    case "refuse": {
      const data = { hook: "fraudCheck", verdict: "refused", reason: answer.reason, ...score, millis } as const;
      const failure = { code: "fraud_refused", message: "the fraud check refused the payment" };
      return { result: "refuse", event: { type: "HookJudged", data }, end: { _tag: "Refused", failure } };
    }
    case "review": {
      const scored = answer.score === undefined ? "" : ` (score ${answer.score})`;
      const reason = `the fraud check wants people to look at it${scored}: ${answer.reason}`;
      return { result: "review", end: { _tag: "Parked", reason } };
    }
  }
};

export const onRoute = (order: typeof RouteAnswer.Type, millis: number): Said =>
  order === undefined || order === null
    ? { result: "passed", event: { type: "HookJudged", data: { hook: "route", verdict: "passed", millis } } }
    : {
        result: "ordered",
        event: { type: "HookJudged", data: { hook: "route", verdict: "ordered", order, millis } },
        route: order,
      };

const named: Readonly<Record<AskedHook, { readonly what: string; readonly code: string }>> = {
  validate: { what: "the validation", code: "validation_refused" },
  enrich: { what: "the enrichment", code: "enrichment_failed" },
  fraudCheck: { what: "the fraud check", code: "fraud_refused" },
  route: { what: "the routing hook", code: "routing_failed" },
};

/** `how`: late, threw, nonsense. */
export const onFailedHook = (hook: AskedHook, rules: HookRules, how: string, reason: string, millis: number): Said => {
  const { what, code } = named[hook];
  const isJudge = hook === "validate" || hook === "fraudCheck";
  const onFailure = rules[hook]?.onFailure ?? (isJudge ? "park" : "goOn");
  // Rules that were not read from a file may say anything.
  if (onFailure === "park" || (isJudge && onFailure !== "refuse")) {
    return { result: how, end: { _tag: "Parked", reason: `${what} failed: ${reason}` } };
  }
  const verdict = onFailure === "refuse" ? "refused" : "failed";
  const event = { type: "HookJudged", data: { hook, verdict, reason, millis } } as const;
  const failure = { code, message: `${what} failed` };
  return { result: how, event, ...(onFailure === "refuse" ? { end: { _tag: "Refused", failure } as const } : {}) };
};
