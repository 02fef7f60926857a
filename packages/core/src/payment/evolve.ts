/**
 * state + event → state. Total: an event that is not legal in a state gives undefined, which replay reports as a broken
 * history. This function is the table of legal transitions.
 */
import type { Failure, PaymentEvent } from "./PaymentEvent.ts";
import type { OpenPayment } from "./attempts.ts";
import type { Attempt, ExistingPayment, PaymentState, Round } from "./PaymentState.ts";

type EventOf<Type extends PaymentEvent["type"]> = Extract<PaymentEvent, { readonly type: Type }>;

/** The part every existing state has, moved on to the event. */
const base = (state: ExistingPayment, event: PaymentEvent, ended = state.ended) => ({
  order: state.order,
  version: event.version,
  updatedAt: event.at,
  ended,
});

/** The states in which an attempt is open. After a mismatch it is not: nothing but a person's word ends that review. */
const openAttempt = (state: PaymentState, attempt: number): OpenPayment | undefined =>
  (state.name === "PROCESSING" ||
    state.name === "OUTCOME_UNKNOWN" ||
    (state.name === "NEEDS_REVIEW" && !state.mismatch)) &&
  state.attempt.number === attempt &&
  (state.attempt.status === "PENDING" || state.attempt.status === "UNKNOWN")
    ? state
    : undefined;

/** The open states in which the gateway's answer counts: in review only while the gateway is still being asked. */
const awaitingEvidence = (state: PaymentState, attempt: number): OpenPayment | undefined => {
  const open = openAttempt(state, attempt);
  return open?.name === "NEEDS_REVIEW" && open.round === undefined ? undefined : open;
};

const initiated = (state: PaymentState, event: EventOf<"PaymentInitiated">): PaymentState | undefined => {
  if (state.name !== "ABSENT") return undefined;
  const { create, commandId, message, hash, replyTo } = event.data;
  return {
    name: "INITIATED",
    order: { create, commandId, message, hash, createdAt: event.at, ...(replyTo === undefined ? {} : { replyTo }) },
    version: event.version,
    updatedAt: event.at,
    ended: [],
  };
};

const attemptStarted = (state: PaymentState, event: EventOf<"AttemptStarted">): PaymentState | undefined => {
  const afterFailed =
    state.name === "PROCESSING" && state.attempt.status === "FAILED" && state.attempt.mayMoveOn === true;
  if (state.name !== "AUTHENTICATED" && !afterFailed) return undefined;
  const ended = afterFailed ? [...state.ended, state.attempt] : state.ended;
  const { attempt: number, gateway, account, idempotencyKey, request } = event.data;
  if (number !== ended.length + 1) return undefined;
  const attempt: Attempt = {
    number,
    gateway,
    account,
    idempotencyKey,
    request,
    startedAt: event.at,
    status: "PENDING",
    lastRound: 0,
    tries: 1,
  };
  const round: Round = { round: 0, version: event.version, action: "start", due: event.at, step: 0 };
  return { ...base(state, event, ended), name: "PROCESSING", attempt, round };
};

const roundStarted = (state: PaymentState, event: EventOf<"RoundStarted">): PaymentState | undefined => {
  const open = openAttempt(state, event.data.attempt);
  if (open === undefined) return undefined;
  const { round, action, due } = event.data;
  const { lastRound } = open.attempt;
  if (round !== lastRound + 1) return undefined;
  // Nothing is sent again behind the back of whoever looks at the payment.
  if (open.name === "NEEDS_REVIEW" && action === "resend") return undefined;
  const tries = open.attempt.tries + (action === "resend" ? 1 : 0);
  const attempt: Attempt = { ...open.attempt, lastRound: round, tries };
  // Version 0.1.0 told the step by the number of rounds before: its logs go on from there.
  const step = event.data.step ?? Math.ceil(lastRound / 2);
  return { ...open, ...base(open, event), attempt, round: { round, version: event.version, action, due, step } };
};

const notSent = (state: PaymentState, event: EventOf<"AttemptNotSent">): PaymentState | undefined => {
  if (state.name !== "PROCESSING" || openAttempt(state, event.data.attempt) === undefined) return undefined;
  const failure: Failure = { code: "gateway_unavailable", message: event.data.reason };
  const attempt: Attempt = event.data.last
    ? { ...state.attempt, status: "FAILED", failure, mayMoveOn: true }
    : state.attempt;
  return { ...base(state, event), name: "PROCESSING", attempt, round: undefined };
};

const outcomeUnknown = (state: PaymentState, event: EventOf<"AttemptOutcomeUnknown">): PaymentState | undefined => {
  if (state.name !== "PROCESSING" || openAttempt(state, event.data.attempt) === undefined) return undefined;
  return {
    ...base(state, event),
    name: "OUTCOME_UNKNOWN",
    attempt: { ...state.attempt, status: "UNKNOWN" },
    round: undefined,
  };
};

/** An attempt that the gateway declined: whether another follows is said by the next event of the same commit. */
const declined = (
  state: OpenPayment,
  event: PaymentEvent,
  outcome: EventOf<"AttemptDeclined">["data"]["outcome"],
): PaymentState => {
  const { code, message, declineCode, gatewayTransactionId, tryAnotherGateway } = outcome;
  const attempt: Attempt = {
    ...state.attempt,
    status: "FAILED",
    failure: { code, message, ...(declineCode === undefined ? {} : { declineCode }) },
    // A person is looking at the payment: it ends here instead of moving on.
    mayMoveOn: tryAnotherGateway && state.name !== "NEEDS_REVIEW",
    ...(gatewayTransactionId === undefined ? {} : { gatewayTransactionId }),
  };
  return { ...base(state, event), name: "PROCESSING", attempt, round: undefined };
};

const succeeded = (
  state: OpenPayment,
  event: PaymentEvent,
  gatewayTransactionId: string,
  captured: number,
): PaymentState => ({
  ...base(state, event),
  name: "SUCCESS",
  attempt: { ...state.attempt, status: "SUCCEEDED", gatewayTransactionId },
  captured,
});

const actionRequired = (
  state: OpenPayment,
  event: PaymentEvent,
  data: {
    readonly gatewayTransactionId: string;
    readonly nextAction: { readonly type: "redirect"; readonly url: string };
  },
): PaymentState => ({
  ...base(state, event),
  name: "REQUIRES_ACTION",
  attempt: { ...state.attempt, status: "PENDING", gatewayTransactionId: data.gatewayTransactionId },
  nextAction: data.nextAction,
});

const verified = (state: PaymentState, event: EventOf<"OutcomeVerified">): PaymentState | undefined => {
  const { attempt, outcome } = event.data;
  const open = awaitingEvidence(state, attempt);
  if (open === undefined || open.name === "PROCESSING") return undefined;
  switch (outcome._tag) {
    case "Approved":
      return succeeded(open, event, outcome.gatewayTransactionId, outcome.amount.value);
    case "Declined":
      return declined(open, event, outcome);
    case "ActionRequired":
      return actionRequired(open, event, outcome);
    case "NotFound":
      return { ...open, ...base(open, event), round: undefined };
  }
};

/** In review `round` stays undefined unless the same commit goes on with a look-up. */
const needsReview = (
  open: OpenPayment | undefined,
  event: PaymentEvent,
  reason: string,
  mismatch: boolean,
): PaymentState | undefined =>
  open === undefined
    ? undefined
    : {
        ...base(open, event),
        name: "NEEDS_REVIEW",
        attempt: { ...open.attempt, status: "UNKNOWN" },
        reason,
        mismatch,
        round: undefined,
      };

const failed = (state: PaymentState, event: EventOf<"PaymentFailed">): PaymentState | undefined => {
  if (state.name !== "PROCESSING" || state.attempt.status !== "FAILED") return undefined;
  return { ...base(state, event, [...state.ended, state.attempt]), name: "FAILURE", failure: event.data.failure };
};

/** The state after the event, or undefined where the event is not legal or its version not the next. */
export const evolve = (state: PaymentState, event: PaymentEvent): PaymentState | undefined => {
  if (event.version !== state.version + 1) return undefined;
  switch (event.type) {
    case "PaymentInitiated":
      return initiated(state, event);
    case "PaymentAuthenticated":
      return state.name === "INITIATED" ? { ...base(state, event), name: "AUTHENTICATED" } : undefined;
    case "AttemptStarted":
      return attemptStarted(state, event);
    case "AttemptNotSent":
      return notSent(state, event);
    case "RoundStarted":
      return roundStarted(state, event);
    case "AttemptOutcomeUnknown":
      return outcomeUnknown(state, event);
    case "OutcomeVerified":
      return verified(state, event);
    case "PaymentSucceeded": {
      const open = openAttempt(state, event.data.attempt);
      return open?.name === "PROCESSING"
        ? succeeded(open, event, event.data.gatewayTransactionId, event.data.amount.value)
        : undefined;
    }
    case "AttemptDeclined": {
      const open = openAttempt(state, event.data.attempt);
      return open?.name === "PROCESSING" ? declined(open, event, event.data.outcome) : undefined;
    }
    case "ActionRequired": {
      const open = openAttempt(state, event.data.attempt);
      return open?.name === "PROCESSING" ? actionRequired(open, event, event.data) : undefined;
    }
    case "PaymentFailed":
      return failed(state, event);
    case "IntegrityMismatchDetected":
      return needsReview(
        awaitingEvidence(state, event.data.attempt),
        event,
        "the gateway reports another amount or status than was asked for",
        true,
      );
    case "ReviewRequested":
      return needsReview(openAttempt(state, event.data.attempt), event, event.data.reason, false);
  }
};

/** The state after all events, or undefined at the first that is not legal. */
export const evolveAll = (state: PaymentState, events: ReadonlyArray<PaymentEvent>): PaymentState | undefined => {
  let next: PaymentState | undefined = state;
  for (const event of events) {
    next = evolve(next, event);
    if (next === undefined) return undefined;
  }
  return next;
};
