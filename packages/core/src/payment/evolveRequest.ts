/**
 * How a capture, a void or a refund begins. A request reserves what it is for: it is not legal where that would be more than
 * there is (reservations.ts), nor while something is under way that it would contradict.
 */
import type { Operation } from "./Errand.ts";
import { base, findAttempt, remembering } from "./evolving.ts";
import { capturable, refundable } from "./reservations.ts";
import type { EventOf } from "./PaymentEvent.ts";
import { isBeingVoided, openOperations, type ExistingPayment, type PaymentState } from "./PaymentState.ts";

type Requested = EventOf<"CaptureRequested" | "VoidRequested" | "RefundRequested">;

const isOwn = (state: ExistingPayment, attempt: number): boolean =>
  "attempt" in state && state.attempt?.number === attempt;

const currencyOf = (state: ExistingPayment): string => state.order.create.amount.currency;

/** Whether the state allows it, and has what it reserves. */
const mayBeRequested = (state: ExistingPayment, event: Requested): boolean => {
  const { attempt } = event.data;
  const { name } = state;
  if (event.type === "CaptureRequested") {
    const { amount } = event.data;
    if (!isOwn(state, attempt) || (name !== "AUTHORIZED" && name !== "PARTIALLY_CAPTURED")) return false;
    return !isBeingVoided(state) && amount.currency === currencyOf(state) && amount.value <= capturable(state);
  }
  if (event.data.purpose === "compensation") return findAttempt(state, attempt)?.isLate === true;
  if (!isOwn(state, attempt)) return false;
  if (event.type === "RefundRequested") {
    const { amount } = event.data;
    const isTaken = name === "SUCCESS" || name === "PARTIALLY_CAPTURED";
    return isTaken && amount.currency === currencyOf(state) && amount.value <= refundable(state);
  }
  if (openOperations(state).length > 0) return false;
  const isHolding = name === "AUTHORIZED" || name === "PARTIALLY_CAPTURED";
  const isWaiting = name === "REQUIRES_ACTION";
  switch (event.data.purpose) {
    case "command":
      return isHolding;
    case "cancel":
      return isWaiting;
    case "expiry":
      return isHolding || isWaiting;
  }
};

const kinds = { CaptureRequested: "capture", VoidRequested: "void", RefundRequested: "refund" } as const;

export const evolveRequest = (state: ExistingPayment, event: Requested): PaymentState | undefined => {
  const { operation: number, attempt, idempotencyKey, gatewayTransactionId, command } = event.data;
  if (number !== state.operations.length + 1 || !mayBeRequested(state, event)) return undefined;
  const operation: Operation = {
    number,
    kind: kinds[event.type],
    attempt,
    purpose: event.type === "CaptureRequested" ? "command" : event.data.purpose,
    idempotencyKey,
    gatewayTransactionId,
    ...("amount" in event.data ? { amount: event.data.amount } : {}),
    ...(event.type === "RefundRequested" && event.data.reason !== undefined ? { reason: event.data.reason } : {}),
    ...(command === undefined ? {} : { commandId: command.commandId }),
    startedAt: event.at,
    status: "PENDING",
    lastRound: 0,
    tries: 1,
    round: { round: 0, version: event.version, action: "start", due: event.at, step: 0 },
  };
  const next = { ...state, ...base(state, event), operations: [...state.operations, operation] };
  // A void decides about the attempt that waits for the customer: nothing else is asked about it meanwhile.
  const isAsked = next.name === "REQUIRES_ACTION" && operation.purpose !== "compensation" && next.attempt;
  return remembering(isAsked ? { ...next, attempt: { ...isAsked, round: undefined } } : next, command, {
    operation: number,
  });
};
