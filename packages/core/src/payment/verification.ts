/**
 * The rounds of an unknown outcome: looked up by a schedule, sent again where that is safe, and at last put before people
 * while the look-ups go on. Nothing here ends in a failure: that takes evidence (law 4).
 *
 * 1. The step of the schedule stands in the round. Only a round without an answer moves it on; a new owner repeats a round
 *    at its step, so that crashes do not wear the schedule out.
 * 2. In review nothing is sent any more. A look-up that finds nothing proves nothing: the request may still arrive.
 * 3. An attempt has at most `maxRounds` rounds. Where none is left, a person decides.
 */
import { delayOf, isoTime, type Given, type Policy } from "./Given.ts";
import type { NewEvent } from "./PaymentEvent.ts";
import type { Attempt, NeedsReview, OutcomeUnknown, Round } from "./PaymentState.ts";

/** An outcome that is not known, with the round that is open to find it out. */
export type Verifying = (OutcomeUnknown | NeedsReview) & { readonly round: Round };

/** One try and `maxRetries` more, whatever became of them: a resend after "not found" is one of them (criterion 20). */
const triesUsedUp = (attempt: Attempt, policy: Policy): boolean => attempt.tries > policy.maxRetries;

const roundsUsedUp = (attempt: Attempt, policy: Policy): boolean => attempt.lastRound >= policy.maxRounds;

const withinResendWindow = (attempt: Attempt, given: Given): boolean =>
  given.at < Date.parse(attempt.startedAt) + given.policy.resendForMillis;

/** Why the request may not be sent again; undefined where it may. */
export const whyNotAgain = (attempt: Attempt, given: Given): string | undefined => {
  if (!withinResendWindow(attempt, given)) return "the time for sending it again is over";
  if (triesUsedUp(attempt, given.policy)) return "it was sent as often as it may be";
  return roundsUsedUp(attempt, given.policy) ? "it has had as many rounds as it may have" : undefined;
};

export const resendAt = (attempt: Attempt, step: number, at: number): NewEvent => ({
  type: "RoundStarted",
  data: { attempt: attempt.number, round: attempt.lastRound + 1, action: "resend", due: isoTime(at), step },
});

const reviewRequested = (attempt: Attempt, reason: string): NewEvent => ({
  type: "ReviewRequested",
  data: { attempt: attempt.number, reason },
});

/** A further look-up; where the rounds are used up, a person instead. */
const lookUpAt = (attempt: Attempt, step: number, at: number, policy: Policy): NewEvent =>
  roundsUsedUp(attempt, policy)
    ? reviewRequested(attempt, "the outcome is unknown, and the gateway was asked as often as it may be")
    : {
        type: "RoundStarted",
        data: { attempt: attempt.number, round: attempt.lastRound + 1, action: "lookUp", due: isoTime(at), step },
      };

const lastStep = (policy: Policy): number => Math.max(0, policy.lookUpDelaysMillis.length - 1);

export const lookUpAtStep = (attempt: Attempt, step: number, given: Given): NewEvent =>
  lookUpAt(attempt, step, given.at + delayOf(given.policy.lookUpDelaysMillis, step, given.jitter), given.policy);

const lookUpInReview = (attempt: Attempt, given: Given): NewEvent => {
  const { policy, at, jitter } = given;
  return lookUpAt(attempt, lastStep(policy), at + delayOf([policy.reviewEveryMillis], 0, jitter), policy);
};

const review = (attempt: Attempt, reason: string, given: Given): ReadonlyArray<NewEvent> => [
  reviewRequested(attempt, reason),
  ...(roundsUsedUp(attempt, given.policy) ? [] : [lookUpInReview(attempt, given)]),
];

/** The open round brought no evidence: a look-up without an answer, or a resend that nobody knows to have arrived. */
export const afterNoAnswer = ({ name, attempt, round }: Verifying, given: Given): ReadonlyArray<NewEvent> => {
  if (name === "NEEDS_REVIEW") return [lookUpInReview(attempt, given)];
  const last = lastStep(given.policy);
  // A resend may have arrived just now: it is looked up before people are, even where the schedule is at its end.
  return round.action === "lookUp" && round.step >= last
    ? review(attempt, "the gateway gave no answer about the attempt in the whole schedule of look-ups", given)
    : [lookUpAtStep(attempt, Math.min(round.step + 1, last), given)];
};

/** The gateway answered that it has nothing under the key: the same request again while that is safe, else people. */
export const afterNotFound = ({ name, attempt, round }: Verifying, given: Given): ReadonlyArray<NewEvent> => {
  const verified: NewEvent = {
    type: "OutcomeVerified",
    data: { attempt: attempt.number, round: round.round, outcome: { _tag: "NotFound" } },
  };
  if (name === "NEEDS_REVIEW") return [verified, lookUpInReview(attempt, given)];
  const why = whyNotAgain(attempt, given);
  return why === undefined
    ? [verified, resendAt(attempt, round.step, given.at)]
    : [verified, ...review(attempt, `the gateway knows nothing of the attempt, and ${why}`, given)];
};

/** The same debt in fresh hands: a look-up first, whatever the round was, and not before it was due (law 1). */
export const repeatRound = ({ attempt, round }: Verifying, given: Given): NewEvent =>
  lookUpAt(attempt, round.step, Math.max(given.at, Date.parse(round.due)), given.policy);
