/** Why a command was refused: a value, never an exception. Codes as other programs know them (CONTRACT, "A command"). */
import { Schema } from "effect";

export const RejectionCode = Schema.Literals([
  "InvalidCommand",
  "CardDataRefused",
  "IdempotencyConflict",
  "PaymentNotFound",
  "IllegalTransition",
  "AmountExceeded",
  "CurrencyUnsupported",
  "NoGatewayAvailable",
  "Overloaded",
  "EventContinuity",
  /** An operator must look at the payment before it goes on. */
  "Parked",
]);
export type RejectionCode = typeof RejectionCode.Type;

export const Rejection = Schema.Struct({
  code: RejectionCode,
  message: Schema.String,
  retryable: Schema.Boolean,
});
export type Rejection = typeof Rejection.Type;

/** Overloaded may always be tried again as it is; anything else only where whoever refuses it knows that it passes. */
export const reject = (code: RejectionCode, message: string, retryable = code === "Overloaded"): Rejection => ({
  code,
  message,
  retryable,
});
