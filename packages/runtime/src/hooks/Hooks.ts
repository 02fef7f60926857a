/**
 * What a deployment may add to the runtime: its own validation, enrichment, fraud check and routing, asked before a payment
 * begins, and two that are told what happens. All are optional.
 *
 * A hook is asked at least once: a process that ends between its answer and the payment's first commit asks again. Once the
 * payment's log begins nobody is asked any more, whatever is repeated. Answers may be Effects, promises or plain values. They
 * run in the worker's own process: one that never yields stops the worker, one that ends the process ends it.
 */
import type { CreateBody } from "@aegispay/core/payment/CreateBody";
import type { Effect } from "effect";

/** A hook's answer: an Effect that needs nothing, a promise, or the value itself. */
export type Answer<Value> = Effect.Effect<Value, unknown> | PromiseLike<Value> | Value;

/** What is asked for. The token that stands for the card is not in it: who judges a payment cannot charge it. */
export interface HookOrder extends Omit<CreateBody, "method"> {
  readonly method: { readonly type: "card" };
}

export interface HookQuestion {
  readonly merchant: string;
  readonly paymentId: string;
  readonly order: HookOrder;
  /** What `enrich` has added; empty before that. */
  readonly labels: Readonly<Record<string, string>>;
  /** Aborted when the answer is too late: nobody waits for it any more. */
  readonly signal: AbortSignal;
}

/** `code` and `message`, at most 64 and 500 characters, are what the client is told. */
export type ValidateAnswer =
  | { readonly verdict: "accept" }
  | { readonly verdict: "refuse"; readonly code: string; readonly message: string };

/** `score`: any number from -1,000,000 to 1,000,000, recorded. `review`: people decide; the payment is parked until they do. */
export type FraudAnswer =
  | { readonly verdict: "allow"; readonly score?: number }
  | { readonly verdict: "refuse"; readonly reason: string; readonly score?: number }
  | { readonly verdict: "review"; readonly reason: string; readonly score?: number };

export interface RouteQuestion extends HookQuestion {
  /** The gateways that this payment could be charged at, in the order in which they would be tried. */
  readonly candidates: ReadonlyArray<{ readonly gateway: string; readonly account: string }>;
}

/** An event as it now stands in a log. */
export interface HookEvent {
  readonly merchant: string;
  readonly paymentId: string;
  /** The payment's state after the commit that the event is in. */
  readonly state: string;
  readonly event: { readonly version: number; readonly type: string; readonly at: string; readonly data: unknown };
}

export interface HookError {
  /** What went wrong: a payment's actor crashed, something was parked, a gateway's answer is unknown, a hook failed. */
  readonly kind: "actorCrashed" | "parked" | "gatewayUnknown" | "hookFailed";
  readonly merchant: string;
  readonly paymentId: string;
  readonly message: string;
}

export interface Hooks {
  /** Whether the order is one that this deployment takes. A refusal ends the payment in FAILURE (`validation_refused`). */
  readonly validate?: (question: HookQuestion) => Answer<ValidateAnswer>;
  /** Labels for routing and for readers of the log: at most 20, names and values of 1 to 64 and 1 to 256 characters. */
  readonly enrich?: (question: HookQuestion) => Answer<Readonly<Record<string, string>>>;
  /** Whether the payment may be charged. A refusal ends it in FAILURE (`fraud_refused`); no gateway is ever called. */
  readonly fraudCheck?: (question: HookQuestion) => Answer<FraudAnswer>;
  /** Names of gateways to try first, in that order; names that are no candidates are passed over. Nothing: as configured. */
  readonly route?: (question: RouteQuestion) => Answer<ReadonlyArray<string> | undefined>;
  /** Told of each event after this process has committed it. Best effort: who needs every event reads the event stream. */
  readonly onEvent?: (event: HookEvent) => Answer<unknown>;
  /** Told of what went wrong here. Best effort too. */
  readonly onError?: (error: HookError) => Answer<unknown>;
}

export const hookNames = ["validate", "enrich", "fraudCheck", "route", "onEvent", "onError"] as const;
export type HookName = (typeof hookNames)[number];
