/** A payment as other programs see it (CONTRACT, "A payment"): derived from the state, stored nowhere. */
import { Schema } from "effect";
import type { Attempt, Operation } from "./Errand.ts";
import { expirySet } from "./intents.ts";
import { authorized, captured, refunded } from "./reservations.ts";
import { attemptOf, behindReview, restingNames, type ExistingPayment } from "./PaymentState.ts";
import { Failure } from "./PaymentEvent.ts";
import { NextAction } from "./GatewayOutcome.ts";
import { RecordedRoute } from "./RecordedRoute.ts";
import type { PaymentRef } from "../identity/Identity.ts";

const AttemptView = Schema.Struct({
  number: Schema.Int,
  gateway: Schema.String,
  account: Schema.String,
  status: Schema.Literals(["PENDING", "SUCCEEDED", "FAILED", "UNKNOWN"]),
  startedAt: Schema.String,
  /** Why this gateway: in a few words, and where there was a choice, what spoke for and against each. */
  why: Schema.optionalKey(Schema.String),
  route: Schema.optionalKey(RecordedRoute),
  gatewayTransactionId: Schema.optionalKey(Schema.String),
  failure: Schema.optionalKey(Failure),
});

/**
 * A capture, void or refund; `number` counts all of them. `commandId`: the command that asked for it; without one it was
 * asked for by nobody: an expiry, or the compensation of a success that came late. A refund that was reversed is FAILED,
 * with the failure code `reversed`.
 */
const OperationView = Schema.Struct({
  number: Schema.Int,
  /** The attempt whose charge it is for. */
  attempt: Schema.Int,
  purpose: Schema.Literals(["command", "cancel", "expiry", "compensation"]),
  commandId: Schema.optionalKey(Schema.String),
  /** Of a capture or refund. A void releases all that is left. */
  amount: Schema.optionalKey(Schema.Struct({ value: Schema.Number, currency: Schema.String })),
  reason: Schema.optionalKey(Schema.String),
  status: Schema.Literals(["PENDING", "SUCCEEDED", "FAILED", "UNKNOWN"]),
  requestedAt: Schema.String,
  failure: Schema.optionalKey(Failure),
});
export type OperationView = typeof OperationView.Type;

/** `amount` is money; `authorized`, `captured` and `refunded` are minor units of its currency. */
export const PaymentView = Schema.Struct({
  merchant: Schema.String,
  paymentId: Schema.String,
  state: Schema.String,
  version: Schema.Int,
  amount: Schema.Struct({ value: Schema.Number, currency: Schema.String }),
  authorized: Schema.Number,
  captured: Schema.Number,
  refunded: Schema.Number,
  /** Derived: how much of what was captured has been given back. It never replaces the state. */
  refundProgress: Schema.Literals(["none", "partial", "full"]),
  gateway: Schema.optionalKey(Schema.String),
  gatewayTransactionId: Schema.optionalKey(Schema.String),
  failure: Schema.optionalKey(Failure),
  nextAction: Schema.optionalKey(NextAction),
  attempts: Schema.Array(AttemptView),
  captures: Schema.Array(OperationView),
  voids: Schema.Array(OperationView),
  refunds: Schema.Array(OperationView),
  /** Why people are to look at it, in NEEDS_REVIEW. */
  review: Schema.optionalKey(Schema.String),
  /** When what waits for the customer, or an authorization, expires: ISO 8601. */
  expiresAt: Schema.optionalKey(Schema.String),
  createdAt: Schema.String,
  updatedAt: Schema.String,
});
export type PaymentView = typeof PaymentView.Type;

const viewAttempt = (attempt: Attempt): typeof AttemptView.Type => ({
  number: attempt.number,
  gateway: attempt.gateway,
  account: attempt.account,
  status: attempt.status,
  startedAt: attempt.startedAt,
  why: attempt.why,
  ...(attempt.route === undefined ? {} : { route: attempt.route }),
  ...(attempt.gatewayTransactionId === undefined ? {} : { gatewayTransactionId: attempt.gatewayTransactionId }),
  ...(attempt.failure === undefined ? {} : { failure: attempt.failure }),
});

const viewOperation = (operation: Operation): OperationView => {
  const { number, attempt, purpose, commandId, amount, reason, status, startedAt, failure } = operation;
  return {
    number,
    attempt,
    purpose,
    status,
    requestedAt: startedAt,
    ...(commandId === undefined ? {} : { commandId }),
    ...(amount === undefined ? {} : { amount }),
    ...(reason === undefined ? {} : { reason }),
    ...(failure === undefined ? {} : { failure }),
  };
};

const refundProgress = (taken: number, givenBack: number): PaymentView["refundProgress"] => {
  if (givenBack === 0) return "none";
  return givenBack < taken ? "partial" : "full";
};

export const viewPayment = (payment: PaymentRef, state: ExistingPayment): PaymentView => {
  const shown = behindReview(state);
  const own = attemptOf(shown);
  const attempts = own === undefined ? state.ended : [...state.ended, own];
  const current = attempts.at(-1);
  const taken = captured(state);
  const givenBack = refunded(state);
  const children = (kind: Operation["kind"]) =>
    state.operations.filter((operation) => operation.kind === kind).map(viewOperation);
  const expiry = expirySet(state);
  return {
    merchant: payment.merchant,
    paymentId: payment.paymentId,
    state: state.name,
    version: state.version,
    amount: state.order.create.amount,
    authorized: authorized(state),
    captured: taken,
    refunded: givenBack,
    refundProgress: refundProgress(taken, givenBack),
    ...(current === undefined ? {} : { gateway: current.gateway }),
    ...(current?.gatewayTransactionId === undefined ? {} : { gatewayTransactionId: current.gatewayTransactionId }),
    ...(shown.name === "FAILURE" ? { failure: shown.failure } : {}),
    ...(shown.name === "REQUIRES_ACTION" ? { nextAction: shown.nextAction } : {}),
    attempts: attempts.map(viewAttempt),
    captures: children("capture"),
    voids: children("void"),
    refunds: children("refund"),
    ...(state.name === "NEEDS_REVIEW" ? { review: state.reason } : {}),
    ...(expiry === undefined ? {} : { expiresAt: expiry.due }),
    createdAt: state.order.createdAt,
    updatedAt: state.updatedAt,
  };
};

/** Whether a payment is at rest, as a reader of views needs it: see `isAtRest`. */
export const isViewAtRest = ({ state, captures, voids, refunds }: PaymentView): boolean =>
  restingNames.has(state) &&
  (state === "NEEDS_REVIEW" ||
    [...captures, ...voids, ...refunds].every(({ status }) => status === "SUCCEEDED" || status === "FAILED"));
