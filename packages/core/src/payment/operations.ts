/** What comes of a capture, a void or a refund: of its tries, of its look-ups, and of its owner's going. */
import { isOpen, type Operation } from "./Errand.ts";
import type { RecordedMoney } from "./eventShape.ts";
import { findAttempt, findOperation } from "./evolving.ts";
import { isoTime } from "./Given.ts";
import { speaksOfMoney, type NotSent, type OperationLookUpOutcome, type OperationOutcome } from "./GatewayOutcome.ts";
import type { RecordOperation } from "./PaymentCommand.ts";
import type { Failure, NewEvent } from "./PaymentEvent.ts";
import { attemptOf, isHeld, type ExistingPayment } from "./PaymentState.ts";
import {
  afterHeldBack,
  afterNoAnswer,
  afterNotFound,
  afterNothingNew,
  hasRound,
  lookUpAtStep,
  lookUpNow,
  resendOfNotSent,
  reviewRequested,
  roundsUsedUp,
  type Asking,
} from "./verification.ts";

type Outcome = OperationOutcome | OperationLookUpOutcome;
type Done = Extract<Outcome, { readonly _tag: "Done" }>;
type Back = Extract<Outcome, { readonly _tag: "Reversed" }>;

const nothing: ReadonlyArray<NewEvent> = [];

const unknownTypes = {
  capture: "CaptureOutcomeUnknown",
  void: "VoidOutcomeUnknown",
  refund: "RefundOutcomeUnknown",
} as const;

export const operationBecameUnknown = (
  asking: Asking<Operation>,
  round: number,
  reason: string,
): ReadonlyArray<NewEvent> => [
  { type: unknownTypes[asking.errand.kind], data: { operation: asking.errand.number, round, reason } },
  lookUpAtStep(asking, 0),
];

/** A void ends the payment's state under the name that the field has for it. */
const voidedEvent = (state: ExistingPayment, operation: Operation, operationId: string): NewEvent => {
  const { number, purpose } = operation;
  switch (state.name) {
    case "AUTHORIZED":
      return purpose === "expiry"
        ? { type: "AuthorizationExpired", data: { operation: number } }
        : { type: "PaymentVoided", data: { operation: number, operationId } };
    case "PARTIALLY_CAPTURED":
      return { type: "RemainderReleased", data: { operation: number } };
    case "REQUIRES_ACTION":
      return purpose === "expiry"
        ? { type: "PaymentExpired", data: { operation: number } }
        : { type: "PaymentCancelled", data: { operation: number } };
    default:
      return reviewRequested(operation, `it was voided while the payment is ${state.name}`);
  }
};

const isSameMoney = (one: RecordedMoney, other: RecordedMoney): boolean =>
  one.value === other.value && one.currency === other.currency;

const isAsAsked = ({ amount }: Operation, reported: Back): boolean =>
  amount === undefined || isSameMoney(amount, reported.amount);

/**
 * What a void releases: all that the charge still held. Undefined where we do not know of anything that it held: it waited
 * for its customer, or it is a late success, of which only the gateway knows how much.
 */
const releasedBy = (state: ExistingPayment, { purpose }: Operation): RecordedMoney | undefined =>
  purpose !== "compensation" && isHeld(state)
    ? { value: state.authorized - state.captured, currency: state.order.create.amount.currency }
    : undefined;

const onDone = ({ state, errand }: Asking<Operation>, reported: Done): ReadonlyArray<NewEvent> => {
  const { number: operation, kind, amount, purpose } = errand;
  const { operationId } = reported;
  const expected = amount ?? releasedBy(state, errand);
  if (expected !== undefined && !isSameMoney(expected, reported.amount)) {
    return [{ type: "IntegrityMismatchDetected.v2", data: { about: { operation }, expected, reported } }];
  }
  if (purpose === "compensation") return [{ type: "LateSuccessCompensated", data: { operation, operationId } }];
  if (amount === undefined) return [voidedEvent(state, errand, operationId)];
  const data = { operation, operationId, amount };
  return [kind === "capture" ? { type: "CaptureSucceeded", data } : { type: "RefundSucceeded", data }];
};

/** While people look at it nothing more is given back: what has come back is not free to be refunded a second time. */
const onBack = ({ errand }: Asking<Operation>, reported: Back): ReadonlyArray<NewEvent> => {
  const { number: operation, purpose } = errand;
  const { operationId, amount } = reported;
  const review =
    purpose === "compensation"
      ? "what undid a late success has come back"
      : isAsAsked(errand, reported)
        ? undefined
        : "the gateway says that another amount of the refund has come back";
  return [
    { type: "RefundReversed", data: { operation, operationId, amount } },
    ...(review === undefined ? [] : [reviewRequested(errand, review)]),
  ];
};

const failedTypes = { capture: "CaptureFailed", void: "VoidFailed", refund: "RefundFailed" } as const;

/** When an expiry that could not be carried out is tried again. */
const again = ({ errand, given }: Asking<Operation>) =>
  errand.purpose === "expiry" ? { expiresAt: isoTime(given.at + given.policy.expireAgainMillis) } : {};

/** What is to be found out, or decided, when something could not be done. */
const afterFailure = ({ state, errand, given }: Asking<Operation>): ReadonlyArray<NewEvent> => {
  if (errand.purpose === "compensation") {
    return [reviewRequested(errand, "a success that came late could not be undone")];
  }
  const attempt = findAttempt(state, errand.attempt);
  // The charge may have moved on meanwhile: taken, or released by the gateway itself.
  const isOwn = attempt !== undefined && attemptOf(state)?.number === attempt.number;
  if (errand.kind !== "void" || !isOwn) return [];
  const asking = { state, errand: attempt, given };
  // Its customer may have paid, and nobody would ever ask: the void would be refused again and again.
  return state.name === "REQUIRES_ACTION" && roundsUsedUp(asking)
    ? [reviewRequested(attempt, "it could not be voided, and the gateway was asked as often as it may be")]
    : lookUpNow(asking);
};

const onRefused = (asking: Asking<Operation>, failure: Failure): ReadonlyArray<NewEvent> => {
  const { number: operation, kind } = asking.errand;
  return [{ type: failedTypes[kind], data: { operation, failure, ...again(asking) } }, ...afterFailure(asking)];
};

const onNotSent = (asking: Asking<Operation>, round: number, outcome: NotSent): ReadonlyArray<NewEvent> => {
  const { reason, heldBack } = outcome;
  const resend = resendOfNotSent(asking, round, outcome);
  const last = resend === undefined;
  const held = heldBack === undefined ? {} : { heldBack };
  const data = { operation: asking.errand.number, round, reason, last, ...held, ...(last ? again(asking) : {}) };
  const notSent: NewEvent = { type: "OperationNotSent", data };
  return resend === undefined ? [notSent, ...afterFailure(asking)] : [notSent, resend];
};

const onOpen = (asking: Asking<Operation>, round: number, outcome: Outcome): ReadonlyArray<NewEvent> => {
  const { errand } = asking;
  // In review without a round people have the only say, for instance after a mismatch.
  if (errand.review !== undefined && errand.round === undefined) return nothing;
  switch (outcome._tag) {
    case "Done":
      return onDone(asking, outcome);
    case "Reversed": {
      const done: Done = { ...outcome, _tag: "Done" };
      return isAsAsked(errand, outcome) ? [...onDone(asking, done), ...onBack(asking, outcome)] : onDone(asking, done);
    }
    case "Refused":
      return onRefused(asking, { code: outcome.code, message: outcome.message });
    case "Unknown":
      if (errand.status === "PENDING") return operationBecameUnknown(asking, round, outcome.reason);
      break;
    case "NotSent":
      if (errand.status === "PENDING") return round === errand.lastRound ? onNotSent(asking, round, outcome) : nothing;
      break;
    case "NotFound":
      if (errand.status === "PENDING") return nothing;
  }
  if (round !== errand.lastRound || !hasRound(asking)) return nothing;
  if (outcome._tag === "NotFound") return afterNotFound(asking);
  if (outcome._tag === "NotSent" && outcome.heldBack === true) return afterHeldBack(asking, outcome);
  return afterNoAnswer(asking, outcome._tag === "Unknown" && outcome.sameKeyAnswers === true);
};

const contradiction = "the gateway says that it was done, and it was taken for failed";

/** A capture of a charge that is not the payment's any more: what it has taken is a success that came late. */
const askWhatWasTaken = ({ state, errand, given }: Asking<Operation>): ReadonlyArray<NewEvent> => {
  const attempt = findAttempt(state, errand.attempt);
  const isOver = attempt !== undefined && attemptOf(state)?.number !== attempt.number;
  return errand.kind === "capture" && isOver ? lookUpNow({ state, errand: attempt, given }) : [];
};

const onSettled = (asking: Asking<Operation>, round: number, outcome: Outcome): ReadonlyArray<NewEvent> => {
  const { errand } = asking;
  if (errand.review !== undefined) return nothing;
  if (errand.status === "FAILED" && outcome._tag === "Done" && errand.failure?.code !== "reversed") {
    return [reviewRequested(errand, contradiction), ...askWhatWasTaken(asking)];
  }
  const isLookedUp = hasRound(asking) && errand.round?.round === round;
  if (errand.status === "SUCCEEDED" && outcome._tag === "Reversed" && isLookedUp) return onBack(asking, outcome);
  return isLookedUp ? afterNothingNew(asking, outcome._tag) : nothing;
};

const noAnswer: Outcome = { _tag: "Unknown", reason: "the gateway's answer is none to this request" };

/** Only a refund can come back. */
const isAnswerTo = ({ kind }: Operation, outcome: Outcome): boolean =>
  (outcome._tag !== "Reversed" || kind === "refund") && speaksOfMoney(outcome);

/** `state`: behind any review of an errand. */
export const onOperationOutcome = (state: ExistingPayment, command: RecordOperation): ReadonlyArray<NewEvent> => {
  const { round, given } = command;
  const errand = findOperation(state, command.operation);
  if (errand === undefined) return nothing;
  const asking = { state, errand, given };
  const outcome = isAnswerTo(errand, command.outcome) ? command.outcome : noAnswer;
  return isOpen(errand) ? onOpen(asking, round, outcome) : onSettled(asking, round, outcome);
};
