/** A payment as other programs see it (CONTRACT, "A payment"): derived from the state, stored nowhere. */
import { Schema } from "effect";
import type { Attempt, ExistingPayment } from "./PaymentState.ts";
import { Failure } from "./PaymentEvent.ts";
import { NextAction } from "./GatewayOutcome.ts";
import type { PaymentRef } from "../identity/Identity.ts";

const AttemptView = Schema.Struct({
  number: Schema.Int,
  gateway: Schema.String,
  account: Schema.String,
  status: Schema.Literals(["PENDING", "SUCCEEDED", "FAILED", "UNKNOWN"]),
  startedAt: Schema.String,
  gatewayTransactionId: Schema.optionalKey(Schema.String),
  failure: Schema.optionalKey(Failure),
});

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
  gateway: Schema.optionalKey(Schema.String),
  gatewayTransactionId: Schema.optionalKey(Schema.String),
  failure: Schema.optionalKey(Failure),
  nextAction: Schema.optionalKey(NextAction),
  attempts: Schema.Array(AttemptView),
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
  ...(attempt.gatewayTransactionId === undefined ? {} : { gatewayTransactionId: attempt.gatewayTransactionId }),
  ...(attempt.failure === undefined ? {} : { failure: attempt.failure }),
});

export const viewPayment = (payment: PaymentRef, state: ExistingPayment): PaymentView => {
  const attempts = "attempt" in state ? [...state.ended, state.attempt] : state.ended;
  const current = attempts.at(-1);
  const captured = state.name === "SUCCESS" ? state.captured : 0;
  return {
    merchant: payment.merchant,
    paymentId: payment.paymentId,
    state: state.name,
    version: state.version,
    amount: state.order.create.amount,
    authorized: captured,
    captured,
    refunded: 0,
    ...(current === undefined ? {} : { gateway: current.gateway }),
    ...(current?.gatewayTransactionId === undefined ? {} : { gatewayTransactionId: current.gatewayTransactionId }),
    ...(state.name === "FAILURE" ? { failure: state.failure } : {}),
    ...(state.name === "REQUIRES_ACTION" ? { nextAction: state.nextAction } : {}),
    attempts: attempts.map(viewAttempt),
    createdAt: state.order.createdAt,
    updatedAt: state.updatedAt,
  };
};

/** The names of the states in which a payment is at rest, as a reader of views needs them. */
export const isViewAtRest = (view: PaymentView): boolean =>
  ["SUCCESS", "FAILURE", "REQUIRES_ACTION", "NEEDS_REVIEW"].includes(view.state);
