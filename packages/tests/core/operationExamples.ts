/** Captures, voids and refunds of the payment in paymentExamples.ts: what is asked, what is heard, what may be said of it. */
import { canonicalHash } from "@aegispay/core/identity/canonical";
import { gatewayIdempotencyKey } from "@aegispay/core/identity/Identity";
import type { OperationKind } from "@aegispay/core/payment/GatewayOutcome";
import { isoTime } from "@aegispay/core/payment/Given";
import type { Purpose } from "@aegispay/core/payment/operationEvents";
import type { FurtherCommand, RecordOperation } from "@aegispay/core/payment/PaymentCommand";
import type { CommandRecord, NewEvent } from "@aegispay/core/payment/PaymentEvent";
import {
  actionWasRequired,
  attemptDeclined,
  attemptStarted,
  authenticated,
  beginning,
  body,
  declinedForGood,
  deployment,
  failed,
  givenAt,
  heldUntil,
  initiated,
  mayMoveOn,
  north,
  payment,
  south,
  started,
  succeeded,
} from "./paymentExamples.ts";

const operationKey = (kind: OperationKind, operation: number, attempt = 1): string =>
  gatewayIdempotencyKey(deployment, payment, attempt, kind, operation);

/** A command as it is remembered; its id tells it from others, its body is part of the hash. */
export const commandRecord = (verb: string, wanted: unknown = {}, commandId = `${verb}-1`): CommandRecord => ({
  commandId,
  verb,
  message: `1/${commandId}`,
  hash: canonicalHash(wanted),
});

export const usd = (value: number) => ({ value, currency: "USD" });

/** What will be sent, as every request says it. */
const requested = (kind: OperationKind, operation: number, attempt = 1) => ({
  operation,
  attempt,
  idempotencyKey: operationKey(kind, operation, attempt),
  gatewayTransactionId: "ch_1",
});

export const captureRequested = (operation: number, value: number, asked = true): NewEvent => ({
  type: "CaptureRequested",
  data: {
    ...requested("capture", operation),
    amount: usd(value),
    command: commandRecord("capture", asked ? { amount: usd(value) } : {}, `capture-${operation}`),
  },
});
export const refundRequested = (operation: number, value: number, asked = true): NewEvent => ({
  type: "RefundRequested",
  data: {
    ...requested("refund", operation),
    amount: usd(value),
    purpose: "command",
    command: commandRecord("refund", asked ? { amount: usd(value) } : {}, `refund-${operation}`),
  },
});
export const voidRequested = (operation: number, purpose: Purpose = "command"): NewEvent => ({
  type: "VoidRequested",
  data: {
    ...requested("void", operation),
    purpose,
    ...(purpose === "command" ? { command: commandRecord("void", {}, `void-${operation}`) } : {}),
    ...(purpose === "cancel" ? { command: commandRecord("cancel", {}, `cancel-${operation}`) } : {}),
  },
});

/** A command of the type, under the id that its event has in these examples: `capture-1`. */
export const asks = <Type extends FurtherCommand["type"]>(
  type: Type,
  wanted: Extract<FurtherCommand, { readonly type: Type }>["body"],
  commandId = `${type.toLowerCase()}-1`,
  given = givenAt(),
): FurtherCommand =>
  ({
    type,
    payment,
    body: wanted,
    hash: canonicalHash(wanted),
    commandId,
    message: `1/${commandId}`,
    given,
  }) as FurtherCommand;

export const capture = (value?: number, commandId?: string, given = givenAt()) =>
  asks("Capture", value === undefined ? {} : { amount: usd(value) }, commandId, given);
export const refund = (value?: number, commandId?: string, given = givenAt()) =>
  asks("Refund", value === undefined ? {} : { amount: usd(value) }, commandId, given);
export const voidIt = (commandId?: string) => asks("Void", {}, commandId);
export const cancel = (commandId?: string) => asks("Cancel", {}, commandId);
export const authenticate = (commandId?: string, given = givenAt()) =>
  asks("Authenticate", { result: "back" }, commandId, given);

/** What came of a call for an operation. */
export const heard = (
  operation: number,
  outcome: RecordOperation["outcome"],
  round = 0,
  given = givenAt(),
): RecordOperation => ({ type: "RecordOperation", payment, operation, round, outcome, given });

export const done = (value: number, currency = "USD") =>
  ({ _tag: "Done", operationId: "op_1", amount: { value, currency } }) as const;
export const reversed = (value: number) => ({ ...done(value), _tag: "Reversed" }) as const;
export const refused = { _tag: "Refused", code: "refused", message: "no" } as const;
const failure = { code: "refused", message: "no" };

export const captureSucceeded = (operation: number, value: number): NewEvent => ({
  type: "CaptureSucceeded",
  data: { operation, operationId: "op_1", amount: usd(value) },
});
export const captureFailed = (operation: number): NewEvent => ({ type: "CaptureFailed", data: { operation, failure } });
export const refundSucceeded = (operation: number, value: number): NewEvent => ({
  type: "RefundSucceeded",
  data: { operation, operationId: "op_1", amount: usd(value) },
});
export const refundFailed = (operation: number): NewEvent => ({ type: "RefundFailed", data: { operation, failure } });
export const voidFailed = (operation: number, expiresAt?: string): NewEvent => ({
  type: "VoidFailed",
  data: { operation, failure, ...(expiresAt === undefined ? {} : { expiresAt }) },
});
const unknownTypes = {
  capture: "CaptureOutcomeUnknown",
  void: "VoidOutcomeUnknown",
  refund: "RefundOutcomeUnknown",
} as const;
export const operationUnknown = (
  kind: OperationKind,
  operation: number,
  round = 0,
  reason = "no answer in time",
): NewEvent => ({ type: unknownTypes[kind], data: { operation, round, reason } });
export const operationRound = (
  operation: number,
  round: number,
  action: "lookUp" | "resend",
  later = 0,
  step = 0,
): NewEvent => ({
  type: "OperationRoundStarted",
  data: { operation, round, action, due: isoTime(beginning + later), step },
});
export const operationNotSent = (operation: number, round: number, last = false): NewEvent => ({
  type: "OperationNotSent",
  data: { operation, round, reason: "connection refused", last },
});
export const operationNotFound = (operation: number, round: number): NewEvent => ({
  type: "OperationNotFound",
  data: { operation, round },
});
export const operationReview = (operation: number, reason: string): NewEvent => ({
  type: "ReviewRequested.v2",
  data: { about: { operation }, reason },
});
export const lookUpEnded = (
  about: { attempt: number } | { operation: number },
  round: number,
  found: string,
): NewEvent => ({
  type: "LookUpEnded",
  data: { about, round, found },
});

const manual = { capture: "manual" } as const;
/** The gateway holds 19.99 for the merchant. */
export const authorized: ReadonlyArray<NewEvent> = [
  initiated(manual),
  authenticated,
  attemptStarted(1, north, "first", "manual"),
  {
    type: "PaymentAuthorized",
    data: { attempt: 1, gatewayTransactionId: "ch_1", amount: body.amount, expiresAt: heldUntil },
  },
];
export const partlyCaptured = [...authorized, captureRequested(1, 600), captureSucceeded(1, 600)];
/** The gateway has taken 19.99. */
export const taken = [...started, succeeded()];
/** The customer must act. */
export const waiting = [...started, actionWasRequired];
/** The first gateway declined: the second one is asked, has taken 19.99; or none was asked any more. */
export const secondAsked = [...started, attemptDeclined(mayMoveOn), attemptStarted(2, south, "after processing_error")];
export const secondWon = [...secondAsked, succeeded(2)];
export const lost = [...started, attemptDeclined(declinedForGood), failed("card_declined", "no")];
