/** What puts a payment before people, what comes late, and what people find out. */
import { awaitingEvidence, openAttempt } from "./evolveAttempt.ts";
import { operationDone, operationFailed } from "./evolveOperation.ts";
import { base, findAttempt, findOperation, remembering, settled, withAttempt, withOperation } from "./evolving.ts";
import { isOpen, type Attempt } from "./Errand.ts";
import { refunded, refunding } from "./reservations.ts";
import type { OpenPayment } from "./attempts.ts";
import type { CurrentEvent, EventOf, Failure } from "./PaymentEvent.ts";
import {
  attemptOf,
  hasEnded,
  isHeld,
  ownOpenOperations,
  type ExistingPayment,
  type PaymentState,
  type RequiresAction,
} from "./PaymentState.ts";

type Waiting = RequiresAction & { readonly attempt: Attempt };

const waitingFor = (state: ExistingPayment, attempt: number): Waiting | undefined =>
  state.name === "REQUIRES_ACTION" && state.attempt?.number === attempt ? (state as Waiting) : undefined;

/** `round` stays undefined unless the same commit goes on with a look-up. */
const needsReview = (
  open: OpenPayment | Waiting,
  event: CurrentEvent,
  reason: string,
  mismatch: boolean,
  gatewayTransactionId = open.attempt.gatewayTransactionId,
): PaymentState => ({
  ...base(open, event),
  name: "NEEDS_REVIEW",
  attempt: {
    ...open.attempt,
    status: "UNKNOWN",
    round: undefined,
    ...(gatewayTransactionId === undefined ? {} : { gatewayTransactionId }),
  },
  reason,
  mismatch,
  behind: undefined,
});

/** What has succeeded is in question only once it has come back, and then it has failed. */
const inQuestion = (
  state: ExistingPayment,
  event: CurrentEvent,
  number: number,
  review: string,
): PaymentState | undefined => {
  const operation = findOperation(state, number);
  if (operation === undefined || operation.status === "SUCCEEDED") return undefined;
  return withOperation({ ...state, ...base(state, event) }, { ...operation, round: undefined, review });
};

const reviewRequested = (state: ExistingPayment, event: EventOf<"ReviewRequested.v2">): PaymentState | undefined => {
  const { about, reason } = event.data;
  if ("operation" in about) return inQuestion(state, event, about.operation, reason);
  const open = waitingFor(state, about.attempt) ?? openAttempt(state, about.attempt);
  return open && needsReview(open, event, reason, false);
};

const mismatched = (
  state: ExistingPayment,
  event: EventOf<"IntegrityMismatchDetected.v2">,
): PaymentState | undefined => {
  const { about, reported } = event.data;
  const reason = "the gateway reports another amount or status than was asked for";
  if ("operation" in about) {
    const operation = findOperation(state, about.operation);
    return operation && isOpen(operation) ? inQuestion(state, event, about.operation, reason) : undefined;
  }
  const attempt = attemptOf(state);
  if (isHeld(state) && attempt?.number === about.attempt) {
    return withAttempt({ ...state, ...base(state, event) }, { ...attempt, round: undefined, review: reason });
  }
  const open = waitingFor(state, about.attempt) ?? awaitingEvidence(state, about.attempt);
  const id = reported._tag === "Approved" ? reported.gatewayTransactionId : undefined;
  return open && needsReview(open, event, reason, true, id);
};

const lateSuccess = (state: ExistingPayment, event: EventOf<"LateSuccessDetected">): PaymentState | undefined => {
  const { attempt: number, reported } = event.data;
  const ended = state.ended.find((attempt) => attempt.number === number);
  if (ended === undefined || ended.isLate === true) return undefined;
  const late: Attempt = {
    ...settled(ended, "SUCCEEDED"),
    gatewayTransactionId: reported.gatewayTransactionId,
    isLate: true,
    // The winner stands, and what is still open goes on. A payment that had ended is for people to look at.
    ...(hasEnded(state) ? { review: "an attempt succeeded after the payment had ended" } : {}),
  };
  return withAttempt({ ...state, ...base(state, event) }, late);
};

/** What the operator says the payment is: of its own attempt, which is in question. */
const resolvedAs = (
  state: ExistingPayment,
  attempt: Attempt,
  event: EventOf<"ReviewResolved">,
): ExistingPayment | undefined => {
  const { as, reason, gatewayTransactionId = attempt.gatewayTransactionId, expiresAt } = event.data;
  if (as === "SUCCESS" || as === "AUTHORIZED") {
    const { value } = event.data.amount ?? attempt.request.amount;
    if (gatewayTransactionId === undefined) return undefined;
    const own = { ...settled(attempt, "SUCCEEDED"), gatewayTransactionId };
    if (as === "SUCCESS") {
      if (refunded(state) + refunding(state) > value) return undefined;
      return { ...base(state, event), name: "SUCCESS", attempt: own, authorized: value, captured: value };
    }
    const captured = isHeld(state) ? state.captured : 0;
    if (expiresAt === undefined || captured >= value) return undefined;
    const held = { attempt: own, authorized: value, captured, expiry: { version: event.version, due: expiresAt } };
    return captured === 0
      ? { ...base(state, event), name: "AUTHORIZED", ...held }
      : { ...base(state, event), name: "PARTIALLY_CAPTURED", ...held };
  }
  // What was taken is not forgotten: it is refunded, or said to be another amount.
  if (isHeld(state) && state.captured > 0) return undefined;
  const failure: Failure = { code: "resolved", message: reason };
  const ended = [...state.ended, { ...settled(attempt, "FAILED"), failure, isDoubtful: true as const }];
  const existing = base(state, event, ended);
  if (as === "FAILURE") return { ...existing, name: "FAILURE", failure };
  return as === "VOIDED" || as === "EXPIRED" ? { ...existing, name: as } : undefined;
};

/** What had ended ends for good: whatever came late has been seen. */
const endedAs = (state: ExistingPayment, event: EventOf<"ReviewResolved">): ExistingPayment | undefined => {
  const { as, reason } = event.data;
  const seen = state.ended.map((attempt) => (attempt.review === undefined ? attempt : settled(attempt, "SUCCEEDED")));
  const existing = base(state, event, seen);
  if (as === "FAILURE") {
    const failure = state.name === "FAILURE" ? state.failure : { code: "resolved", message: reason };
    return { ...existing, name: "FAILURE", failure };
  }
  return as === "VOIDED" || as === "EXPIRED" ? { ...existing, name: as } : undefined;
};

const resolved = (state: ExistingPayment, event: EventOf<"ReviewResolved">): PaymentState | undefined => {
  const { operation: number, as, reason, command } = event.data;
  if (number !== undefined) {
    const operation = findOperation(state, number);
    if (operation?.review === undefined) return undefined;
    const after =
      as === "SUCCEEDED"
        ? operationDone(state, event, operation)
        : operationFailed(state, event, operation, { code: "resolved", message: reason });
    return after && remembering(after, command, {});
  }
  // What it comes to would meet a payment that people have ended otherwise.
  if (ownOpenOperations(state).length > 0) return undefined;
  const attempt = attemptOf(state);
  const isAsked = (state.name === "NEEDS_REVIEW" && attempt !== undefined) || attempt?.review !== undefined;
  const after = isAsked
    ? resolvedAs(state, attempt!, event)
    : hasEnded(state) && state.ended.some(({ review }) => review !== undefined)
      ? endedAs(state, event)
      : undefined;
  return after && remembering(after, command, {});
};

const lookUpEnded = (state: ExistingPayment, event: EventOf<"LookUpEnded">): PaymentState | undefined => {
  const { about, round } = event.data;
  const existing = { ...state, ...base(state, event) };
  if ("operation" in about) {
    const operation = findOperation(state, about.operation);
    if (operation?.round?.round !== round || isOpen(operation)) return undefined;
    return withOperation(existing, { ...operation, round: undefined });
  }
  const attempt = findAttempt(state, about.attempt);
  if (attempt?.round?.round !== round) return undefined;
  if (isOpen(attempt) && state.name !== "REQUIRES_ACTION") return undefined;
  return withAttempt(existing, { ...attempt, round: undefined });
};

export const evolveReview = (state: ExistingPayment, event: CurrentEvent): PaymentState | undefined => {
  switch (event.type) {
    case "ReviewRequested.v2":
      return reviewRequested(state, event);
    case "IntegrityMismatchDetected.v2":
      return mismatched(state, event);
    case "LateSuccessDetected":
      return lateSuccess(state, event);
    case "ReviewResolved":
      return resolved(state, event);
    case "LookUpEnded":
      return lookUpEnded(state, event);
    default:
      return undefined;
  }
};
