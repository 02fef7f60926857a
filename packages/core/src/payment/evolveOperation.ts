/** The transitions of captures, voids and refunds once they are asked for, and what they make of their payment. */
import { isOpen, type Operation } from "./Errand.ts";
import { base, findOperation, remembering, settled, untried, withOperation, withRound } from "./evolving.ts";
import { capturable, refundable } from "./reservations.ts";
import type { CurrentEvent, EventOf, Failure } from "./PaymentEvent.ts";
import { ownOpenOperations, type ExistingPayment, type PaymentState } from "./PaymentState.ts";

const doneOf = (operation: Operation, operationId: string | undefined): Operation => ({
  ...settled(operation, "SUCCEEDED"),
  ...(operationId === undefined ? {} : { operationId }),
});

const captureDone = (state: ExistingPayment, captured: number): ExistingPayment | undefined => {
  if (state.name !== "AUTHORIZED" && state.name !== "PARTIALLY_CAPTURED") return undefined;
  const { expiry, ...held } = state;
  return held.authorized === captured
    ? { ...held, name: "SUCCESS", captured }
    : { ...held, expiry, name: "PARTIALLY_CAPTURED", captured };
};

/** The charge holds nothing any more: what that makes of a payment depends on what had been taken, and on who wanted it. */
const released = (
  state: ExistingPayment,
  as: "VOIDED" | "EXPIRED",
  why: "cancelled" | "expired",
): ExistingPayment | undefined => {
  const { order, version, updatedAt, ended, operations, commands } = state;
  const existing = { order, version, updatedAt, operations, commands };
  switch (state.name) {
    case "INITIATED":
      return { ...existing, ended, name: as };
    case "AUTHENTICATED":
      return state.attempt === undefined ? { ...existing, ended, name: as } : undefined;
    case "REQUIRES_ACTION": {
      if (state.attempt === undefined) return { ...existing, ended, name: as };
      const failure = { code: why, message: `the payment was ${why} before the customer had acted` };
      return { ...existing, ended: [...ended, { ...settled(state.attempt, "FAILED"), failure }], name: as };
    }
    case "AUTHORIZED":
      return { ...existing, ended: [...ended, { ...state.attempt, round: undefined }], name: as };
    case "PARTIALLY_CAPTURED": {
      const { expiry: _expiry, ...held } = state;
      return { ...held, attempt: { ...held.attempt, round: undefined }, name: "SUCCESS" };
    }
    default:
      return undefined;
  }
};

/** The gateway's word, or an operator's, that an operation is done. */
export const operationDone = (
  state: ExistingPayment,
  event: CurrentEvent,
  operation: Operation,
  operationId?: string,
): ExistingPayment | undefined => {
  const { kind, purpose, amount } = operation;
  const wasOpen = isOpen(operation);
  const next = withOperation({ ...state, ...base(state, event) }, doneOf(operation, operationId));
  if (purpose === "compensation") return next;
  switch (kind) {
    case "capture": {
      if (state.name !== "AUTHORIZED" && state.name !== "PARTIALLY_CAPTURED") return undefined;
      const value = amount?.value ?? 0;
      return !wasOpen && value > capturable(state) ? undefined : captureDone(next, state.captured + value);
    }
    case "refund":
      return !wasOpen && (amount?.value ?? 0) > refundable(state) ? undefined : next;
    case "void":
      return purpose === "expiry" ? released(next, "EXPIRED", "expired") : released(next, "VOIDED", "cancelled");
  }
};

export const operationFailed = (
  state: ExistingPayment,
  event: CurrentEvent,
  operation: Operation,
  failure: Failure,
): ExistingPayment => {
  // Whoever says it again after the gateway has contradicted has heard the gateway: asking on would never end.
  const isDoubtful = event.type === "ReviewResolved" && operation.status !== "FAILED";
  return withOperation(
    { ...state, ...base(state, event) },
    { ...settled(operation, "FAILED"), failure, ...(isDoubtful ? { isDoubtful } : {}) },
  );
};

/** An expiry that could not be carried out is put off. */
const expiringAt = (state: PaymentState, version: number, due: string | undefined): PaymentState =>
  due !== undefined &&
  (state.name === "REQUIRES_ACTION" || state.name === "AUTHORIZED" || state.name === "PARTIALLY_CAPTURED")
    ? { ...state, expiry: { version, due } }
    : state;

const open = (state: ExistingPayment, number: number, kind: Operation["kind"]): Operation | undefined => {
  const operation = findOperation(state, number);
  return operation?.kind === kind && isOpen(operation) ? operation : undefined;
};

type Done = EventOf<"CaptureSucceeded" | "PaymentVoided" | "RefundSucceeded">;

/** Which state a void by that purpose may end, under the name the field has for it. */
const succeeded = (state: ExistingPayment, event: Done, kind: Operation["kind"]): PaymentState | undefined => {
  const operation = open(state, event.data.operation, kind);
  if (operation === undefined || operation.purpose === "compensation") return undefined;
  const isExpiry = operation.purpose === "expiry";
  if (event.type === "PaymentVoided" && (isExpiry || state.name !== "AUTHORIZED")) return undefined;
  return operationDone(state, event, operation, event.data.operationId);
};

type Release = EventOf<"RemainderReleased" | "AuthorizationExpired" | "PaymentExpired" | "PaymentCancelled">;

const isBeforeAnyCharge = ({ name }: ExistingPayment): boolean =>
  name === "INITIATED" || name === "AUTHENTICATED" || name === "REQUIRES_ACTION";

/** `purpose`: of the void that has released it. */
const mayRelease = (state: ExistingPayment, { type }: Release, purpose: Operation["purpose"] | undefined): boolean => {
  if (purpose === "compensation") return false;
  const isExpiry = purpose === undefined || purpose === "expiry";
  switch (type) {
    case "RemainderReleased":
      return state.name === "PARTIALLY_CAPTURED";
    case "AuthorizationExpired":
      return state.name === "AUTHORIZED" && isExpiry;
    case "PaymentExpired":
      return isBeforeAnyCharge(state) && isExpiry;
    case "PaymentCancelled":
      return isBeforeAnyCharge(state) && purpose !== "expiry";
  }
};

/** By a void, or by the gateway itself, or because no gateway was ever asked. */
const onRelease = (state: ExistingPayment, event: Release): PaymentState | undefined => {
  const { operation: number } = event.data;
  if (number === undefined) {
    if (!mayRelease(state, event, undefined) || ownOpenOperations(state).length > 0) return undefined;
    const next = { ...state, ...base(state, event) };
    if (event.type !== "PaymentCancelled") return released(next, "EXPIRED", "expired");
    const remembered = remembering(next, event.data.command, {});
    return remembered && released(remembered, "VOIDED", "cancelled");
  }
  const operation = open(state, number, "void");
  return operation !== undefined && mayRelease(state, event, operation.purpose)
    ? operationDone(state, event, operation)
    : undefined;
};

const failed = (
  state: ExistingPayment,
  event: EventOf<"CaptureFailed" | "VoidFailed" | "RefundFailed">,
  kind: Operation["kind"],
): PaymentState | undefined => {
  const operation = open(state, event.data.operation, kind);
  if (operation === undefined) return undefined;
  const next = operationFailed(state, event, operation, event.data.failure);
  return event.type === "VoidFailed" ? expiringAt(next, event.version, event.data.expiresAt) : next;
};

const unknown = (
  state: ExistingPayment,
  event: EventOf<"CaptureOutcomeUnknown" | "VoidOutcomeUnknown" | "RefundOutcomeUnknown">,
  kind: Operation["kind"],
): PaymentState | undefined => {
  const operation = open(state, event.data.operation, kind);
  return operation?.status === "PENDING"
    ? withOperation({ ...state, ...base(state, event) }, { ...operation, status: "UNKNOWN", round: undefined })
    : undefined;
};

const reversed = (state: ExistingPayment, event: EventOf<"RefundReversed">): PaymentState | undefined => {
  const operation = findOperation(state, event.data.operation);
  if (operation?.kind !== "refund" || operation.status !== "SUCCEEDED") return undefined;
  const failure = { code: "reversed", message: "the refund came back: the money is the merchant's again" };
  return operationFailed(state, event, operation, failure);
};

const notSent = (state: ExistingPayment, event: EventOf<"OperationNotSent">): PaymentState | undefined => {
  const { operation: number, last, reason, expiresAt, heldBack } = event.data;
  const found = findOperation(state, number);
  if (found?.status !== "PENDING") return undefined;
  const operation = heldBack === true ? untried(found) : found;
  const failure = { code: "gateway_unavailable", message: reason };
  return last
    ? expiringAt(operationFailed(state, event, operation, failure), event.version, expiresAt)
    : withOperation({ ...state, ...base(state, event) }, { ...operation, round: undefined });
};

/** Only what is open is sent again, and nothing behind the back of whoever looks at it. */
const roundStarted = (state: ExistingPayment, event: EventOf<"OperationRoundStarted">): PaymentState | undefined => {
  const operation = findOperation(state, event.data.operation);
  const next = operation && withRound(operation, event.version, event.data);
  if (next === undefined) return undefined;
  if (event.data.action === "resend" && (!isOpen(next) || next.review !== undefined)) return undefined;
  return withOperation({ ...state, ...base(state, event) }, next);
};

const notFound = (state: ExistingPayment, event: EventOf<"OperationNotFound">): PaymentState | undefined => {
  const operation = findOperation(state, event.data.operation);
  return operation?.status === "UNKNOWN"
    ? withOperation({ ...state, ...base(state, event) }, { ...operation, round: undefined })
    : undefined;
};

const compensated = (state: ExistingPayment, event: EventOf<"LateSuccessCompensated">): PaymentState | undefined => {
  const operation = findOperation(state, event.data.operation);
  return operation !== undefined && isOpen(operation) && operation.purpose === "compensation"
    ? operationDone(state, event, operation, event.data.operationId)
    : undefined;
};

export const evolveOperation = (state: ExistingPayment, event: CurrentEvent): PaymentState | undefined => {
  switch (event.type) {
    case "CaptureSucceeded":
      return succeeded(state, event, "capture");
    case "PaymentVoided":
      return succeeded(state, event, "void");
    case "RefundSucceeded":
      return succeeded(state, event, "refund");
    case "RemainderReleased":
    case "AuthorizationExpired":
    case "PaymentExpired":
    case "PaymentCancelled":
      return onRelease(state, event);
    case "LateSuccessCompensated":
      return compensated(state, event);
    case "CaptureFailed":
      return failed(state, event, "capture");
    case "VoidFailed":
      return failed(state, event, "void");
    case "RefundFailed":
      return failed(state, event, "refund");
    case "CaptureOutcomeUnknown":
      return unknown(state, event, "capture");
    case "VoidOutcomeUnknown":
      return unknown(state, event, "void");
    case "RefundOutcomeUnknown":
      return unknown(state, event, "refund");
    case "RefundReversed":
      return reversed(state, event);
    case "OperationNotSent":
      return notSent(state, event);
    case "OperationRoundStarted":
      return roundStarted(state, event);
    case "OperationNotFound":
      return notFound(state, event);
    default:
      return undefined;
  }
};
