/** What the hooks of a deployment have said before a payment began: events of its first commit, before anything else. */
import { Schema } from "effect";
import { event } from "./eventShape.ts";

/** Asked in this order. */
export const askedHooks = ["validate", "enrich", "fraudCheck", "route"] as const;
export type AskedHook = (typeof askedHooks)[number];

/**
 * accepted (validate), allowed (fraudCheck), ordered and passed (route: with an order, and without), refused: the payment
 * ends here; failed: no answer, or one that is none, and the rules let the payment go on. A refusal may be the rules' own, where
 * the hook failed: its reason says so.
 */
export const HookJudged = event("HookJudged", {
  hook: Schema.Literals(askedHooks),
  verdict: Schema.Literals(["accepted", "allowed", "ordered", "passed", "refused", "failed"]),
  /** The hook's own code of a refusal. */
  code: Schema.optionalKey(Schema.String),
  reason: Schema.optionalKey(Schema.String),
  score: Schema.optionalKey(Schema.Finite),
  /** Names of gateways, the first to be tried first. */
  order: Schema.optionalKey(Schema.Array(Schema.String)),
  /** How long it took, in milliseconds. */
  millis: Schema.optionalKey(Schema.Int),
});

/** What `enrich` has added: for routing, and for whoever reads the log. */
export const PaymentEnriched = event("PaymentEnriched", { labels: Schema.Record(Schema.String, Schema.String) });
