/** What comes of a charge: of its tries, of its look-ups, and of its owner's going. */
import type { Attempt } from "./Errand.ts";
import { afterFailedAttempt } from "./attempts.ts";
import { onCustomerActed, onEvidence, type Evidence } from "./evidence.ts";
import { findAttempt } from "./evolving.ts";
import { speaksOfMoney, type NotSent } from "./GatewayOutcome.ts";
import type { Given } from "./Given.ts";
import { onLateSuccess, onWinnersEvidence } from "./lateTruths.ts";
import type { RecordLookUp, RecordOutcome } from "./PaymentCommand.ts";
import type { NewEvent } from "./PaymentEvent.ts";
import {
  attemptOf,
  isBeingVoided,
  isHeld,
  type ExistingPayment,
  type NeedsReview,
  type OutcomeUnknown,
  type Processing,
} from "./PaymentState.ts";
import {
  afterHeldBack,
  afterNoAnswer,
  afterNotFound,
  afterNothingNew,
  hasRound,
  isConfigured,
  lookUpAtStep,
  lookUpNow,
  resendOfNotSent,
  type Asking,
} from "./verification.ts";

type Open = (Processing | OutcomeUnknown | NeedsReview) & { readonly attempt: Attempt };

const nothing: ReadonlyArray<NewEvent> = [];

/** In review without a round people have the only say, for instance after a mismatch. */
const openFor = (state: ExistingPayment, attempt: number): Open | undefined => {
  if (state.name !== "PROCESSING" && state.name !== "OUTCOME_UNKNOWN" && state.name !== "NEEDS_REVIEW")
    return undefined;
  if (state.attempt?.number !== attempt) return undefined;
  return state.name === "PROCESSING" || state.attempt.round !== undefined ? (state as Open) : undefined;
};

export const becameUnknown = (asking: Asking<Attempt>, round: number, reason: string): ReadonlyArray<NewEvent> => [
  { type: "AttemptOutcomeUnknown", data: { attempt: asking.errand.number, round, reason } },
  lookUpAtStep(asking, 0),
];

const onNotSent = (open: Processing, { payment, round, given }: RecordOutcome, outcome: NotSent) => {
  const { attempt } = open;
  const { reason, heldBack } = outcome;
  const asking = { state: open, errand: attempt, given };
  const failure = { code: "gateway_unavailable", message: reason };
  const next = afterFailedAttempt(payment, open, given, failure, true);
  // It has never left, and its gateway is left alone, or was taken out: no customer waits for it while another can take it.
  const isAway = outcome.breakerOpen === true || !isConfigured(asking);
  const goesElsewhere = isAway && next.some(({ type }) => type === "AttemptStarted");
  const again = goesElsewhere ? undefined : resendOfNotSent(asking, round, outcome);
  const last = again === undefined;
  const held = heldBack === undefined ? {} : { heldBack };
  const notSent: NewEvent = { type: "AttemptNotSent", data: { attempt: attempt.number, round, reason, last, ...held } };
  return again === undefined ? [notSent, ...next] : [notSent, again];
};

/** A charge that is open: only the first tries of its own owner are believed when they say that they were not sent. */
const onOpen = (open: Open, command: RecordOutcome | RecordLookUp): ReadonlyArray<NewEvent> => {
  const { payment, outcome, given, round } = command;
  const { attempt } = open;
  if (outcome._tag !== "Unknown" && outcome._tag !== "NotSent" && outcome._tag !== "NotFound") {
    return onEvidence(payment, open, round, outcome, given);
  }
  const asking = { state: open, errand: attempt, given };
  // Whichever try it was: the attempt's outcome is the join of all of them (law 4).
  if (open.name === "PROCESSING" && command.type === "RecordOutcome" && outcome._tag === "Unknown") {
    return becameUnknown(asking, round, outcome.reason);
  }
  if (round !== attempt.lastRound) return nothing;
  if (open.name === "PROCESSING") {
    return command.type === "RecordOutcome" && outcome._tag === "NotSent" ? onNotSent(open, command, outcome) : nothing;
  }
  if (!hasRound(asking)) return nothing;
  if (outcome._tag === "NotFound") return afterNotFound(asking);
  if (outcome._tag === "NotSent" && outcome.heldBack === true) return afterHeldBack(asking, outcome);
  return afterNoAnswer(asking, outcome._tag === "Unknown" && outcome.sameKeyAnswers === true);
};

/** What a look-up of something that is not open has found: evidence of something new, or nothing. */
const watched = (
  asking: Asking<Attempt>,
  { outcome, round }: RecordOutcome | RecordLookUp,
  onNews: (evidence: Evidence) => ReadonlyArray<NewEvent> | undefined,
): ReadonlyArray<NewEvent> => {
  const { _tag: found } = outcome;
  if (found !== "Unknown" && found !== "NotSent" && found !== "NotFound") {
    const news = onNews(outcome);
    if (news !== undefined) return news;
  }
  return hasRound(asking) && asking.errand.round.round === round ? afterNothingNew(asking, found) : nothing;
};

const onWaiting = (
  state: Extract<ExistingPayment, { readonly name: "REQUIRES_ACTION" }>,
  attempt: Attempt,
  command: RecordOutcome | RecordLookUp,
): ReadonlyArray<NewEvent> => {
  // A void is under way: what it comes to says more than what was found before it.
  if (isBeingVoided(state)) return nothing;
  const { outcome, given, round } = command;
  const asking = { state, errand: attempt, given };
  if (outcome._tag === "ActionRequired" && attempt.round?.round === round) {
    return [{ type: "OutcomeVerified", data: { attempt: attempt.number, round, outcome } }];
  }
  return watched(asking, command, (evidence) => onCustomerActed({ ...state, attempt }, evidence, given));
};

/**
 * A success that may have been read before the attempt had ended, for instance before it was voided: true then, and over
 * now. It is read once more.
 */
const isOutdated = (attempt: Attempt, { type, outcome, round }: RecordOutcome | RecordLookUp): boolean =>
  outcome._tag === "Approved" &&
  attempt.isLate !== true &&
  attempt.round?.round !== round &&
  (type === "RecordLookUp" || attempt.status === "SUCCEEDED");

const noAnswer = { _tag: "Unknown", reason: "the gateway's answer names an amount that is none" } as const;

/** `state`: behind any review of an errand. */
export const onChargeOutcome = (
  state: ExistingPayment,
  heard: RecordOutcome | RecordLookUp,
): ReadonlyArray<NewEvent> => {
  const command = speaksOfMoney(heard.outcome) ? heard : { ...heard, outcome: noAnswer };
  const { payment, given } = command;
  const attempt = findAttempt(state, command.attempt);
  if (attempt === undefined) return nothing;
  const asking = { state, errand: attempt, given };
  if (attemptOf(state)?.number !== attempt.number) {
    if (isOutdated(attempt, command)) {
      const again = lookUpNow(asking);
      if (again.length > 0 || attempt.round !== undefined) return again;
    }
    return watched(asking, command, (evidence) =>
      evidence._tag === "Approved" && attempt.isLate !== true
        ? onLateSuccess({ payment, state, given }, attempt, evidence)
        : undefined,
    );
  }
  if (isHeld(state)) {
    const isLookedUp = attempt.round?.round === command.round;
    return isLookedUp ? watched(asking, command, (evidence) => onWinnersEvidence(state, evidence)) : nothing;
  }
  if (state.name === "REQUIRES_ACTION") return onWaiting(state, attempt, command);
  const open = openFor(state, command.attempt);
  return open === undefined ? nothing : onOpen(open, command);
};

export const goneReason = "the owner that was trying has gone";

/** After a replay nobody knows whether the try under way has left: from here on only the gateway's answer counts. */
export const ownerGone = (state: ExistingPayment, attempt: Attempt, given: Given): ReadonlyArray<NewEvent> =>
  becameUnknown({ state, errand: attempt, given }, attempt.lastRound, goneReason);
