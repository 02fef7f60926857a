/**
 * state + event → state. Total: an event that is not legal in a state gives undefined, which replay reports as a broken
 * history. This function and those it asks (evolveAttempt, evolveRequest, evolveOperation, evolveReview, evolveVerdict) are the table of legal transitions.
 *
 * A review of an errand stands before a state and hides it: events are applied to the state behind, and what is still in
 * question afterwards stands before the next one.
 */
import { evolveAttempt } from "./evolveAttempt.ts";
import { evolveOperation } from "./evolveOperation.ts";
import { evolveRequest } from "./evolveRequest.ts";
import { evolveReview } from "./evolveReview.ts";
import { base, initiated, remembering } from "./evolving.ts";
import type { CurrentEvent, EventOf, PaymentEvent } from "./PaymentEvent.ts";
import {
  attemptOf,
  behindReview,
  hasEnded,
  isHeld,
  type ExistingPayment,
  type PaymentState,
  type Resting,
} from "./PaymentState.ts";
import { refusalsMax } from "./limits.ts";
import { reject } from "./Rejection.ts";
import { upcast } from "./upcast.ts";
import { evolveVerdict, isRefusedByHook } from "./verdicts.ts";

const commandRefused = (state: ExistingPayment, event: EventOf<"CommandRefused">): PaymentState | undefined => {
  const { command, code, reason } = event.data;
  const refusals = state.commands.filter(({ refusal }) => refusal !== undefined).length;
  if (refusals >= refusalsMax) return undefined;
  return remembering({ ...state, ...base(state, event) }, command, { refusal: reject(code, reason) });
};

const step = (state: PaymentState, event: CurrentEvent): PaymentState | undefined => {
  if (state.name === "ABSENT") return event.type === "PaymentInitiated" ? initiated(event) : undefined;
  if (isRefusedByHook(state)) return event.type === "PaymentFailed" ? evolveVerdict(state, event) : undefined;
  switch (event.type) {
    case "PaymentInitiated":
      return undefined;
    case "HookJudged":
    case "PaymentEnriched":
      return evolveVerdict(state, event);
    case "CommandRefused":
      return commandRefused(state, event);
    case "CaptureRequested":
    case "VoidRequested":
    case "RefundRequested":
      return evolveRequest(state, event);
    case "CaptureSucceeded":
    case "CaptureFailed":
    case "CaptureOutcomeUnknown":
    case "PaymentVoided":
    case "VoidFailed":
    case "VoidOutcomeUnknown":
    case "RefundSucceeded":
    case "RefundFailed":
    case "RefundOutcomeUnknown":
    case "RefundReversed":
    case "RemainderReleased":
    case "AuthorizationExpired":
    case "PaymentExpired":
    case "PaymentCancelled":
    case "LateSuccessCompensated":
    case "OperationNotSent":
    case "OperationRoundStarted":
    case "OperationNotFound":
      return evolveOperation(state, event);
    case "ReviewRequested.v2":
    case "IntegrityMismatchDetected.v2":
    case "LateSuccessDetected":
    case "ReviewResolved":
    case "LookUpEnded":
      return evolveReview(state, event);
    default:
      return evolveAttempt(state, event);
  }
};

const isResting = (state: PaymentState): state is Resting =>
  isHeld(state) || hasEnded(state) || state.name === "REQUIRES_ACTION";

/** Puts people's review before a state that rests and has something in question. */
const withReview = (state: PaymentState): PaymentState => {
  if (!isResting(state)) return state;
  const attempt = attemptOf(state);
  const reason = [...state.ended, attempt, ...state.operations].find((errand) => errand?.review !== undefined)?.review;
  if (reason === undefined) return state;
  const { order, version, updatedAt, ended, operations, commands } = state;
  const common = { order, version, updatedAt, ended, operations, commands };
  return { ...common, name: "NEEDS_REVIEW", attempt, reason, mismatch: false, behind: state };
};

/** The state after the event, or undefined where the event is not legal or its version not the next. */
export const evolve = (state: PaymentState, event: PaymentEvent): PaymentState | undefined => {
  if (event.version !== state.version + 1) return undefined;
  const next = step(behindReview(state), upcast(event));
  return next === undefined ? undefined : withReview(next);
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
