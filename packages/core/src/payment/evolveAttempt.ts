/** The transitions of a payment's own attempt, from its start to what the gateway holds or has refused. */
import { isOpen, type Attempt, type Round } from "./Errand.ts";
import { base, findAttempt, remembering, settled, untried, withAttempt, withRound } from "./evolving.ts";
import type { OpenPayment } from "./attempts.ts";
import type { CurrentEvent, EventOf, Failure } from "./PaymentEvent.ts";
import { isBeingVoided, isHeld, type ExistingPayment, type PaymentState } from "./PaymentState.ts";

/** The states in which an attempt is open. After a mismatch it is not: nothing but a person's word ends that review. */
export const openAttempt = (state: ExistingPayment, attempt: number): OpenPayment | undefined =>
  (state.name === "PROCESSING" ||
    state.name === "OUTCOME_UNKNOWN" ||
    (state.name === "NEEDS_REVIEW" && !state.mismatch)) &&
  state.attempt !== undefined &&
  state.attempt.number === attempt &&
  isOpen(state.attempt)
    ? (state as OpenPayment)
    : undefined;

/** The open states in which the gateway's answer counts: in review only while the gateway is still being asked. */
export const awaitingEvidence = (state: ExistingPayment, attempt: number): OpenPayment | undefined => {
  const open = openAttempt(state, attempt);
  return open?.name === "NEEDS_REVIEW" && open.attempt.round === undefined ? undefined : open;
};

/** An attempt under way, or one that waited for the customer and goes on. */
const underWay = (state: ExistingPayment, number: number): Attempt | undefined =>
  (state.name === "PROCESSING" || state.name === "AUTHENTICATED") &&
  state.attempt?.number === number &&
  isOpen(state.attempt)
    ? state.attempt
    : undefined;

const authenticated = (state: ExistingPayment, event: EventOf<"PaymentAuthenticated">): PaymentState | undefined => {
  if (state.name !== "INITIATED" && state.name !== "REQUIRES_ACTION") return undefined;
  const attempt = state.name === "REQUIRES_ACTION" ? state.attempt : undefined;
  if (event.data.attempt !== attempt?.number || isBeingVoided(state)) return undefined;
  return { ...base(state, event), name: "AUTHENTICATED", attempt: attempt && { ...attempt, round: undefined } };
};

const authenticationFailed = (
  state: ExistingPayment,
  event: EventOf<"AuthenticationFailed">,
): PaymentState | undefined => {
  if (state.name !== "REQUIRES_ACTION" || event.data.attempt !== state.attempt?.number) return undefined;
  const { failure } = event.data;
  const ended = state.attempt === undefined ? [] : [{ ...settled(state.attempt, "FAILED"), failure }];
  return { ...base(state, event, [...state.ended, ...ended]), name: "FAILURE", failure };
};

const attemptStarted = (state: ExistingPayment, event: EventOf<"AttemptStarted">): PaymentState | undefined => {
  const afterFailed =
    state.name === "PROCESSING" && state.attempt.status === "FAILED" && state.attempt.mayMoveOn === true;
  const isFirst = state.name === "AUTHENTICATED" && state.attempt === undefined;
  if (!isFirst && !afterFailed) return undefined;
  const ended = afterFailed ? [...state.ended, state.attempt] : state.ended;
  const { attempt: number, gateway, account, why, route, idempotencyKey, request } = event.data;
  if (number !== ended.length + 1) return undefined;
  const round: Round = { round: 0, version: event.version, action: "start", due: event.at, step: 0 };
  const attempt: Attempt = {
    number,
    gateway,
    account,
    why,
    ...(route === undefined ? {} : { route }),
    idempotencyKey,
    request,
    startedAt: event.at,
    status: "PENDING",
    lastRound: 0,
    tries: 1,
    round,
  };
  return { ...base(state, event, ended), name: "PROCESSING", attempt };
};

/** Only an open attempt is sent again. Any other is looked up: for what may come late, or because the customer came back. */
const roundStarted = (state: ExistingPayment, event: EventOf<"RoundStarted">): PaymentState | undefined => {
  const { attempt: number, action } = event.data;
  const attempt = findAttempt(state, number);
  const next = attempt && withRound(attempt, event.version, event.data);
  if (next === undefined) return undefined;
  const open = openAttempt(state, number);
  // Nothing is sent again behind the back of whoever looks at the payment.
  const mayResend = open !== undefined && open.name !== "NEEDS_REVIEW";
  const mayLookUp = open !== undefined || isWatchable(state, next);
  if (action === "resend" ? !mayResend : !mayLookUp) return undefined;
  return withAttempt({ ...state, ...base(state, event) }, next);
};

/** Nothing is under way for it here, and the gateway may know more of it than we do. */
const isWatchable = (state: ExistingPayment, { number }: Attempt): boolean => {
  if (state.ended.some((attempt) => attempt.number === number)) return true;
  if (state.name === "REQUIRES_ACTION") return !isBeingVoided(state);
  return isHeld(state) && state.attempt.review === undefined;
};

const notSent = (state: ExistingPayment, event: EventOf<"AttemptNotSent">): PaymentState | undefined => {
  if (state.name !== "PROCESSING" || openAttempt(state, event.data.attempt) === undefined) return undefined;
  const failure: Failure = { code: "gateway_unavailable", message: event.data.reason };
  const tried = event.data.heldBack === true ? untried(state.attempt) : state.attempt;
  const attempt: Attempt = event.data.last
    ? { ...settled(tried, "FAILED"), failure, mayMoveOn: true }
    : { ...tried, round: undefined };
  return { ...base(state, event), name: "PROCESSING", attempt };
};

const outcomeUnknown = (state: ExistingPayment, event: EventOf<"AttemptOutcomeUnknown">): PaymentState | undefined => {
  if (state.name !== "PROCESSING" || openAttempt(state, event.data.attempt) === undefined) return undefined;
  return {
    ...base(state, event),
    name: "OUTCOME_UNKNOWN",
    attempt: { ...state.attempt, status: "UNKNOWN", round: undefined },
  };
};

/** An attempt that has failed: whether another follows is said by the next event of the same commit. */
const declined = (
  state: ExistingPayment,
  from: Attempt,
  event: CurrentEvent,
  outcome: EventOf<"AttemptDeclined">["data"]["outcome"],
): PaymentState => {
  const { code, message, declineCode, gatewayTransactionId, tryAnotherGateway } = outcome;
  const attempt: Attempt = {
    ...settled(from, "FAILED"),
    failure: { code, message, ...(declineCode === undefined ? {} : { declineCode }) },
    // A person is looking at the payment, or the customer has acted for this gateway: it ends here instead of moving on.
    mayMoveOn: tryAnotherGateway && state.name !== "NEEDS_REVIEW" && state.name !== "AUTHENTICATED",
    ...(gatewayTransactionId === undefined ? {} : { gatewayTransactionId }),
  };
  return { ...base(state, event), name: "PROCESSING", attempt };
};

interface Held {
  readonly gatewayTransactionId: string;
  readonly amount: { readonly value: number };
}

const succeeded = (state: ExistingPayment, from: Attempt, event: CurrentEvent, held: Held): PaymentState => ({
  ...base(state, event),
  name: "SUCCESS",
  attempt: { ...settled(from, "SUCCEEDED"), gatewayTransactionId: held.gatewayTransactionId },
  authorized: held.amount.value,
  captured: held.amount.value,
});

const authorizedUntil = (
  state: ExistingPayment,
  from: Attempt,
  event: CurrentEvent,
  held: Held,
  expiresAt: string | undefined,
): PaymentState | undefined =>
  expiresAt === undefined
    ? undefined
    : {
        ...base(state, event),
        name: "AUTHORIZED",
        attempt: { ...settled(from, "SUCCEEDED"), gatewayTransactionId: held.gatewayTransactionId },
        authorized: held.amount.value,
        captured: 0,
        expiry: { version: event.version, due: expiresAt },
      };

interface Action {
  readonly gatewayTransactionId?: string;
  readonly nextAction: { readonly type: "redirect"; readonly url: string };
}

const actionRequired = (
  state: ExistingPayment,
  from: Attempt | undefined,
  event: CurrentEvent,
  { gatewayTransactionId, nextAction }: Action,
  expiresAt: string | undefined,
): PaymentState => ({
  ...base(state, event),
  name: "REQUIRES_ACTION",
  attempt: from && {
    ...from,
    status: "PENDING",
    round: undefined,
    ...(gatewayTransactionId === undefined ? {} : { gatewayTransactionId }),
  },
  nextAction,
  expiry: expiresAt === undefined ? undefined : { version: event.version, due: expiresAt },
});

const onActionRequired = (state: ExistingPayment, event: EventOf<"ActionRequired">): PaymentState | undefined => {
  const { attempt: number, expiresAt } = event.data;
  if (number === undefined) {
    return state.name === "INITIATED" ? actionRequired(state, undefined, event, event.data, expiresAt) : undefined;
  }
  const attempt = state.name === "PROCESSING" ? underWay(state, number) : undefined;
  return attempt && actionRequired(state, attempt, event, event.data, expiresAt);
};

const released = { code: "released", message: "the gateway holds nothing for it any more", tryAnotherGateway: false };

const verified = (state: ExistingPayment, event: EventOf<"OutcomeVerified">): PaymentState | undefined => {
  const { attempt, outcome, expiresAt } = event.data;
  if (state.name === "REQUIRES_ACTION") {
    const isStillWaiting = outcome._tag === "ActionRequired" && state.attempt?.number === attempt;
    if (!isStillWaiting || state.attempt.round === undefined) return undefined;
    const next = { ...state.attempt, round: undefined };
    return { ...state, ...base(state, event), attempt: next, nextAction: outcome.nextAction };
  }
  const open = awaitingEvidence(state, attempt);
  if (open === undefined || open.name === "PROCESSING") return undefined;
  switch (outcome._tag) {
    case "Approved":
      return outcome.status === "succeeded"
        ? succeeded(open, open.attempt, event, outcome)
        : authorizedUntil(open, open.attempt, event, outcome, expiresAt);
    case "Declined":
      return declined(open, open.attempt, event, outcome);
    case "ActionRequired":
      return actionRequired(open, open.attempt, event, outcome, expiresAt);
    case "Released":
      return declined(open, open.attempt, event, { _tag: "Declined", ...released });
    case "NotFound":
      return { ...open, ...base(open, event), attempt: { ...open.attempt, round: undefined } };
  }
};

const failed = (state: ExistingPayment, event: EventOf<"PaymentFailed">): PaymentState | undefined => {
  if (state.name !== "PROCESSING" || state.attempt.status !== "FAILED") return undefined;
  return { ...base(state, event, [...state.ended, state.attempt]), name: "FAILURE", failure: event.data.failure };
};

const reported = (state: ExistingPayment, event: EventOf<"AuthenticationReported">): PaymentState | undefined => {
  const { attempt: number, brought, command } = event.data;
  if (state.name !== "REQUIRES_ACTION" || state.attempt?.number !== number) return undefined;
  const attempt = brought === undefined ? state.attempt : { ...state.attempt, brought };
  return remembering({ ...state, ...base(state, event), attempt }, command, {});
};

export const evolveAttempt = (state: ExistingPayment, event: CurrentEvent): PaymentState | undefined => {
  switch (event.type) {
    case "PaymentAuthenticated":
      return authenticated(state, event);
    case "AuthenticationReported":
      return reported(state, event);
    case "AuthenticationFailed":
      return authenticationFailed(state, event);
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
      const attempt = underWay(state, event.data.attempt);
      return attempt && succeeded(state, attempt, event, event.data);
    }
    case "PaymentAuthorized": {
      const attempt = underWay(state, event.data.attempt);
      return attempt && authorizedUntil(state, attempt, event, event.data, event.data.expiresAt);
    }
    case "AttemptDeclined": {
      const attempt = underWay(state, event.data.attempt);
      return attempt && declined(state, attempt, event, event.data.outcome);
    }
    case "ActionRequired":
      return onActionRequired(state, event);
    case "PaymentFailed":
      return failed(state, event);
    default:
      return undefined;
  }
};
