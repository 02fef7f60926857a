/**
 * What has happened to captures, voids and refunds. Each is a child of its payment with a number of its own, counted over
 * all three kinds, and each begins with a request that says letter for letter what will be sent (law 1).
 */
import { Schema } from "effect";
import { About, CommandRecord, event, Failure, HeldBack, LookUpAction, Moment, RecordedMoney } from "./eventShape.ts";

/** `command`: a client asked for it. The others are the system's own: see Operation in PaymentState.ts. */
export const Purpose = Schema.Literals(["command", "cancel", "expiry", "compensation"]);
export type Purpose = typeof Purpose.Type;

/** What will be sent: to which charge, under which key. */
const requested = {
  operation: Schema.Int,
  attempt: Schema.Int,
  idempotencyKey: Schema.String,
  gatewayTransactionId: Schema.String,
};

export const CaptureRequested = event("CaptureRequested", {
  ...requested,
  amount: RecordedMoney,
  command: CommandRecord,
});

/** It releases all that is left of the charge. */
export const VoidRequested = event("VoidRequested", {
  ...requested,
  purpose: Purpose,
  command: Schema.optionalKey(CommandRecord),
});

export const RefundRequested = event("RefundRequested", {
  ...requested,
  amount: RecordedMoney,
  purpose: Purpose,
  reason: Schema.optionalKey(Schema.String),
  command: Schema.optionalKey(CommandRecord),
});

/** The gateway's word that it is done; `operationId` is the gateway's name for it. */
const done = { operation: Schema.Int, operationId: Schema.String };
const failed = { operation: Schema.Int, failure: Failure };
/** An expiry whose void failed is tried again at that moment. */
const expiresAgain = { expiresAt: Schema.optionalKey(Moment) };
const unknown = { operation: Schema.Int, round: Schema.Int, reason: Schema.String };

export const CaptureSucceeded = event("CaptureSucceeded", { ...done, amount: RecordedMoney });
export const CaptureFailed = event("CaptureFailed", failed);
export const CaptureOutcomeUnknown = event("CaptureOutcomeUnknown", unknown);

export const PaymentVoided = event("PaymentVoided", done);
export const VoidFailed = event("VoidFailed", { ...failed, ...expiresAgain });
export const VoidOutcomeUnknown = event("VoidOutcomeUnknown", unknown);

export const RefundSucceeded = event("RefundSucceeded", { ...done, amount: RecordedMoney });
export const RefundFailed = event("RefundFailed", failed);
export const RefundOutcomeUnknown = event("RefundOutcomeUnknown", unknown);
/** A refund that had succeeded has come back: the money is the merchant's again. */
export const RefundReversed = event("RefundReversed", { ...done, amount: RecordedMoney });

/** By the void `operation`; without one by the gateway itself, whose word a look-up brought. */
const released = { operation: Schema.optionalKey(Schema.Int) };

/** What was authorized and not captured is the customer's again. */
export const RemainderReleased = event("RemainderReleased", released);
export const AuthorizationExpired = event("AuthorizationExpired", released);
export const PaymentExpired = event("PaymentExpired", released);
export const PaymentCancelled = event("PaymentCancelled", {
  ...released,
  command: Schema.optionalKey(CommandRecord),
});

/** The void or refund that undoes a success which came late is done. */
export const LateSuccessCompensated = event("LateSuccessCompensated", done);

/** The request certainly never left this process, as in AttemptNotSent. `last`: the operation has failed. */
export const OperationNotSent = event("OperationNotSent", {
  operation: Schema.Int,
  round: Schema.Int,
  reason: Schema.String,
  last: Schema.Boolean,
  heldBack: HeldBack,
  ...expiresAgain,
});

/** A further round of an operation's debt, as RoundStarted is one of an attempt's. */
export const OperationRoundStarted = event("OperationRoundStarted", {
  operation: Schema.Int,
  round: Schema.Int,
  action: LookUpAction,
  due: Moment,
  step: Schema.Int,
  heldBack: HeldBack,
});

/** The gateway answered a look-up: it has nothing under the operation's key. */
export const OperationNotFound = event("OperationNotFound", { operation: Schema.Int, round: Schema.Int });

/** A look-up of something settled has brought nothing new, and there is none to follow. */
export const LookUpEnded = event("LookUpEnded", { about: About, round: Schema.Int, found: Schema.String });

export const operationEvents = [
  CaptureRequested,
  CaptureSucceeded,
  CaptureFailed,
  CaptureOutcomeUnknown,
  VoidRequested,
  PaymentVoided,
  VoidFailed,
  VoidOutcomeUnknown,
  RefundRequested,
  RefundSucceeded,
  RefundFailed,
  RefundOutcomeUnknown,
  RefundReversed,
  RemainderReleased,
  AuthorizationExpired,
  PaymentExpired,
  PaymentCancelled,
  LateSuccessCompensated,
  OperationNotSent,
  OperationRoundStarted,
  OperationNotFound,
  LookUpEnded,
] as const;
