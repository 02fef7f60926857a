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

/** Only Overloaded may be tried again as it is. */
export const reject = (code: RejectionCode, message: string): Rejection => ({
  code,
  message,
  retryable: code === "Overloaded",
});
