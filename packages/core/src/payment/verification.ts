/**
 * The rounds of an outcome that is not known: looked up by a schedule, sent again where that is safe, and at last put before
 * people while the look-ups go on. Nothing here ends in a failure: that takes evidence (law 4). It is the same for a charge,
 * a capture, a void and a refund.
 *
 * 1. The step of the schedule stands in the round. Only a round without an answer moves it on; a new owner repeats a round
 *    at its step, so that crashes do not wear the schedule out.
 * 2. In review nothing is sent any more. A look-up that finds nothing proves nothing: the request may still arrive.
 * 3. An errand has at most `maxRounds` rounds. Where none is left, a person decides.
 * 4. What is settled may be looked up too, for what may come late: without an answer that ends, unless an operator has
 *    settled it; then it goes on for as long as the gateway knows the key.
 */
import { isOpen, isOperation, type Errand, type Round } from "./Errand.ts";
import { findAttempt, untried } from "./evolving.ts";
import { delayOf, isoTime, type Candidate, type Given, type Retry } from "./Given.ts";
import type { NotSent } from "./GatewayOutcome.ts";
import { roundsUntilVersion } from "./limits.ts";
import type { NewEvent } from "./PaymentEvent.ts";
import type { ExistingPayment } from "./PaymentState.ts";

/** An errand in its payment, and what the decision about it is given. */
export interface Asking<Asked extends Errand = Errand> {
  readonly state: ExistingPayment;
  readonly errand: Asked;
  readonly given: Given;
}

export type WithRound<Asked extends Errand = Errand> = Asking<Asked & { readonly round: Round }>;

export const hasRound = <Asked extends Errand>(asking: Asking<Asked>): asking is WithRound<Asked> =>
  asking.errand.round !== undefined;

/** The errand's gateway, if it is still configured. */
const candidateOf = ({ state, errand, given }: Asking): Candidate | undefined => {
  const attempt = isOperation(errand) ? findAttempt(state, errand.attempt) : errand;
  return given.candidates.find(({ gateway, account }) => gateway === attempt?.gateway && account === attempt.account);
};

/** Whether its gateway can be asked at all, as far as whoever decides knows. */
export const isConfigured = (asking: Asking): boolean => candidateOf(asking) !== undefined;

const retryOf = (asking: Asking): Retry => candidateOf(asking)?.retry ?? asking.given.policy;

/** One try and `maxRetries` more, whatever became of them: a resend after "not found" is one of them (criterion 20). */
const triesUsedUp = (asking: Asking): boolean => asking.errand.tries > retryOf(asking).maxRetries;

export const roundsUsedUp = ({ state, errand, given }: Asking): boolean =>
  errand.lastRound >= given.policy.maxRounds || state.version >= roundsUntilVersion;

/** Until when the errand's gateway knows its key; for a gateway that is not configured any more only the policy counts. */
const keyKnownUntil = (asking: Asking): number =>
  Date.parse(asking.errand.startedAt) + (candidateOf(asking)?.keyRetentionMillis ?? Number.POSITIVE_INFINITY);

const withinResendWindow = (asking: Asking, at: number): boolean => {
  const { state, errand, given } = asking;
  const { expiresAt } = state.order.create;
  const isExpired = !isOperation(errand) && expiresAt !== undefined && at >= Date.parse(expiresAt);
  const isTooLate = at >= Date.parse(errand.startedAt) + given.policy.resendForMillis;
  const isNearlyForgotten = at >= keyKnownUntil(asking) - given.policy.keyRetentionMarginMillis;
  return !isExpired && !isTooLate && !isNearlyForgotten;
};

/** Why the request may not be sent again at that moment, by default now; undefined where it may. */
export const whyNotAgain = (asking: Asking, at = asking.given.at): string | undefined => {
  if (!withinResendWindow(asking, at)) return "the time for sending it again is over";
  if (triesUsedUp(asking)) return "it was sent as often as it may be";
  return roundsUsedUp(asking) ? "it has had as many rounds as it may have" : undefined;
};

/** What the gateway, or whatever held it back here, asks for, as far as it is obeyed. */
const askedMillis = ({ given }: Asking, { retryAfterMillis = 0 }: NotSent): number =>
  Math.min(Math.max(0, retryAfterMillis), given.policy.retryAfterMaxMillis);

/**
 * The wait before what was not sent is sent again: the gateway's own back-off, and at least what it asks for; after what
 * was held back here what that asks for and a growing wait on top, since whatever was held back with it comes again too.
 */
const notSentWaitMillis = (asking: Asking, round: number, outcome: NotSent): number => {
  const { policy, jitter } = asking.given;
  const asked = askedMillis(asking, outcome);
  return outcome.heldBack === true
    ? asked + delayOf(policy.heldBackDelaysMillis, round, jitter)
    : Math.max(asked, delayOf(retryOf(asking).retryDelaysMillis, round, jitter));
};

/**
 * The resend of what certainly was not sent; undefined where it is not to be sent again. It must be in time when it is due, and
 * not only when it is announced: else nobody waits for it, and there is time left for another gateway. What was held back
 * does without the growing wait before it gives up: it has not had its chance.
 */
export const resendOfNotSent = (asking: Asking, round: number, outcome: NotSent): NewEvent | undefined => {
  const isHeldBack = outcome.heldBack === true;
  const counted = isHeldBack ? { ...asking, errand: untried(asking.errand) } : asking;
  const { at } = asking.given;
  const wanted = at + notSentWaitMillis(asking, round, outcome);
  const dues = isHeldBack ? [wanted, at + askedMillis(asking, outcome)] : [wanted];
  const due = dues.find((moment) => whyNotAgain(counted, moment) === undefined);
  return due === undefined ? undefined : resendAt(asking, 0, due);
};

const roundAt = (errand: Errand, action: "lookUp" | "resend", step: number, at: number): NewEvent => {
  const round = { round: errand.lastRound + 1, action, due: isoTime(at), step };
  return isOperation(errand)
    ? { type: "OperationRoundStarted", data: { operation: errand.number, ...round } }
    : { type: "RoundStarted", data: { attempt: errand.number, ...round } };
};

export const resendAt = ({ errand }: Asking, step: number, at: number): NewEvent => roundAt(errand, "resend", step, at);

export const aboutOf = (errand: Errand) =>
  isOperation(errand) ? { operation: errand.number } : { attempt: errand.number };

export const reviewRequested = (errand: Errand, reason: string): NewEvent => ({
  type: "ReviewRequested.v2",
  data: { about: aboutOf(errand), reason },
});

const nameOf = (errand: Errand): string => (isOperation(errand) ? errand.kind : "attempt");

/** Whether nothing waits for its answer: it is settled, or it waits for the customer. */
const isWatched = ({ state, errand }: Asking): boolean =>
  !isOpen(errand) || (state.name === "REQUIRES_ACTION" && !isOperation(errand));

const lookUpEnded = (errand: Errand, found: string): NewEvent => ({
  type: "LookUpEnded",
  data: { about: aboutOf(errand), round: errand.lastRound, found },
});

/** A further look-up; where the rounds are used up, a person instead. */
const lookUpAt = (asking: Asking, step: number, at: number): NewEvent => {
  const { errand } = asking;
  if (!roundsUsedUp(asking)) return roundAt(errand, "lookUp", step, at);
  return isWatched(asking)
    ? lookUpEnded(errand, "the gateway was asked as often as it may be")
    : reviewRequested(errand, "the outcome is unknown, and the gateway was asked as often as it may be");
};

const lastStep = ({ given }: Asking): number => Math.max(0, given.policy.lookUpDelaysMillis.length - 1);

export const lookUpAtStep = (asking: Asking, step: number): NewEvent => {
  const { policy, at, jitter } = asking.given;
  return lookUpAt(asking, step, at + delayOf(policy.lookUpDelaysMillis, step, jitter));
};

const inAWhile = ({ given }: Asking): number => given.at + delayOf([given.policy.reviewEveryMillis], 0, given.jitter);

const lookUpInReview = (asking: Asking): NewEvent => lookUpAt(asking, lastStep(asking), inAWhile(asking));

const review = (asking: Asking, reason: string): ReadonlyArray<NewEvent> => [
  reviewRequested(asking.errand, reason),
  ...(roundsUsedUp(asking) ? [] : [lookUpInReview(asking)]),
];

const isInReview = ({ state, errand }: Asking): boolean =>
  isOperation(errand) ? errand.review !== undefined : state.name === "NEEDS_REVIEW";

/**
 * A look-up of what only an operator has settled: by the schedule, then daily, and a last one when the gateway is about to
 * forget the key. None after that.
 */
export const lookUpDoubtful = (asking: Asking, step: number): ReadonlyArray<NewEvent> => {
  const { errand, given } = asking;
  const { policy, at, jitter } = given;
  const until = keyKnownUntil(asking);
  if (at >= until || roundsUsedUp(asking)) return [];
  const last = lastStep(asking);
  const wait = step > last ? policy.reviewEveryMillis : (policy.lookUpDelaysMillis[step] ?? 0);
  return [roundAt(errand, "lookUp", Math.min(step, last), Math.min(at + delayOf([wait], 0, jitter), until))];
};

/** The gateway's own word that it holds nothing, which confirms the operator's. */
const isConfirmed = (found: string): boolean => found === "Declined" || found === "Released" || found === "Refused";

/** A look-up of something that is settled, or waits for the customer, brought no evidence of anything new. */
export const afterNothingNew = (asking: WithRound, found: string): ReadonlyArray<NewEvent> => {
  const { errand } = asking;
  const { step } = errand.round;
  const doubtful = errand.isDoubtful === true && !isConfirmed(found) ? lookUpDoubtful(asking, step + 1) : [];
  if (doubtful.length > 0) return doubtful;
  const isAnswered = found !== "Unknown";
  return isAnswered || step >= lastStep(asking) || roundsUsedUp(asking)
    ? [lookUpEnded(errand, found)]
    : [lookUpAtStep(asking, step + 1)];
};

/** The open round brought no evidence: a look-up without an answer, or a resend that nobody knows to have arrived. */
export const afterNoAnswer = (asking: WithRound, sameKeyAnswers = false): ReadonlyArray<NewEvent> => {
  const { errand, given } = asking;
  if (isWatched(asking)) return afterNothingNew(asking, "Unknown");
  if (isInReview(asking)) return [lookUpInReview(asking)];
  const last = lastStep(asking);
  const { action, step } = errand.round;
  // The gateway answers nobody but the request itself: it is asked that way for as long as sending again is safe (law 4).
  if (sameKeyAnswers && action === "lookUp" && whyNotAgain(asking) === undefined) {
    return [resendAt(asking, step, given.at)];
  }
  // A resend may have arrived just now: it is looked up before people are, even where the schedule is at its end.
  return action === "lookUp" && step >= last
    ? review(asking, `the gateway gave no answer about the ${nameOf(errand)} in the whole schedule of look-ups`)
    : [lookUpAtStep(asking, Math.min(step + 1, last))];
};

/**
 * A resend of what is unknown was held back: it is no evidence, and no try either. The gateway is asked again before it is
 * sent, at the same step of the schedule, since an earlier try may arrive meanwhile.
 */
export const afterHeldBack = (asking: WithRound, outcome: NotSent): ReadonlyArray<NewEvent> => {
  const { errand, given } = asking;
  if (isWatched(asking) || isInReview(asking) || errand.round.action !== "resend") return afterNoAnswer(asking);
  const at = given.at + notSentWaitMillis(asking, errand.round.round, outcome);
  const next = lookUpAt(asking, errand.round.step, at);
  return next.type === "RoundStarted" || next.type === "OperationRoundStarted"
    ? [{ ...next, data: { ...next.data, heldBack: true } } as NewEvent]
    : [next];
};

const notFound = (errand: Errand, { round }: Round): NewEvent =>
  isOperation(errand)
    ? { type: "OperationNotFound", data: { operation: errand.number, round } }
    : { type: "OutcomeVerified", data: { attempt: errand.number, round, outcome: { _tag: "NotFound" } } };

/** The gateway answered that it has nothing under the key: the same request again while that is safe, else people. */
export const afterNotFound = (asking: WithRound): ReadonlyArray<NewEvent> => {
  const { errand, given } = asking;
  if (isWatched(asking)) return afterNothingNew(asking, "NotFound");
  const verified = notFound(errand, errand.round);
  if (isInReview(asking)) return [verified, lookUpInReview(asking)];
  const why = whyNotAgain(asking);
  return why === undefined
    ? [verified, resendAt(asking, errand.round.step, given.at)]
    : [verified, ...review(asking, `the gateway knows nothing of the ${nameOf(errand)}, and ${why}`)];
};

/** The same debt in fresh hands: a look-up first, whatever the round was, and not before it was due (law 1). */
export const repeatRound = (asking: WithRound): NewEvent =>
  lookUpAt(asking, asking.errand.round.step, Math.max(asking.given.at, Date.parse(asking.errand.round.due)));

/**
 * A look-up now, whatever there is to learn; one that waits for its moment is brought forward. That one was asked for besides the
 * schedule and must not wear it out: without an answer its step is waited for again, so that no number of notifications that
 * come too early puts a payment before people.
 */
export const lookUpNow = (asking: Asking): ReadonlyArray<NewEvent> => {
  const { errand, given } = asking;
  if (roundsUsedUp(asking)) return [];
  const { round } = errand;
  if (round === undefined) return [roundAt(errand, "lookUp", 0, given.at)];
  return round.action === "lookUp" && Date.parse(round.due) > given.at
    ? [roundAt(errand, "lookUp", Math.max(0, round.step - 1), given.at)]
    : [];
};
