/**
 * The bodies of the commands that follow a create, as clients and operators publish them. Unknown fields are refused; an
 * amount that is left out means all that there is to capture, or to give back.
 */
import { Schema } from "effect";
import { Money } from "../money/Money.ts";
import { shortText } from "./CreateBody.ts";

export const CaptureBody = Schema.Struct({ amount: Schema.optionalKey(Money) });
export type CaptureBody = typeof CaptureBody.Type;

/** An empty Struct takes anything at all: a void of a part would silently become one of the whole. */
const Nothing = Schema.Record(Schema.String, Schema.Never);

export const VoidBody = Nothing;
export type VoidBody = typeof VoidBody.Type;

export const RefundBody = Schema.Struct({
  amount: Schema.optionalKey(Money),
  reason: Schema.optionalKey(shortText("reason", 1000)),
});
export type RefundBody = typeof RefundBody.Type;

export const CancelBody = Nothing;
export type CancelBody = typeof CancelBody.Type;

/**
 * `result`: whatever the customer's browser brought back. It proves nothing, so nothing of it is kept but its hash, unless
 * the gateway waits to be handed it: it makes a node ask the gateway about the attempt.
 */
export const AuthenticateBody = Schema.Struct({ result: Schema.Json });
export type AuthenticateBody = typeof AuthenticateBody.Type;

/** What an operator found out about the payment itself. `amount`: what the gateway really holds, or has taken. */
export const ResolvePayment = Schema.Struct({
  as: Schema.Literals(["SUCCESS", "AUTHORIZED", "FAILURE", "VOIDED", "EXPIRED"]),
  gatewayTransactionId: Schema.optionalKey(shortText("gatewayTransactionId", 255)),
  amount: Schema.optionalKey(Money),
  reason: shortText("reason", 1000),
});
export type ResolvePayment = typeof ResolvePayment.Type;

/** What an operator found out about one capture, void or refund, by its number. */
export const ResolveOperation = Schema.Struct({
  operation: Schema.Int,
  as: Schema.Literals(["SUCCEEDED", "FAILED"]),
  reason: shortText("reason", 1000),
});
export type ResolveOperation = typeof ResolveOperation.Type;

/** Published to `payments.internal.<merchant>.<payment>.resolve` while people look at the payment (NEEDS_REVIEW). */
export const ResolveBody = Schema.Union([ResolvePayment, ResolveOperation]);
export type ResolveBody = typeof ResolveBody.Type;
