import { defaultPolicy } from "@aegispay/core/payment/Given";
import { isAtRest } from "@aegispay/core/payment/PaymentState";
import { describe, expect, it } from "vitest";
import {
  actionRequired,
  approved,
  atLastStep,
  create,
  declinedForGood,
  failed,
  givenAt,
  inReview,
  lastStep,
  lookedUp,
  lookingUp,
  mayMoveOn,
  mismatch,
  notFound,
  notSent,
  outcomeUnknown,
  resume,
  reviewRequested,
  roundStarted,
  started,
  tried,
  unknown,
  verified,
} from "./paymentExamples.ts";
import { given, stateAfter } from "./specification.ts";

const { reviewEveryMillis, resendForMillis, maxRounds } = defaultPolicy;
const day = reviewEveryMillis;

const endOfSchedule = "the gateway gave no answer about the attempt in the whole schedule of look-ups";
const endOfRounds = "the outcome is unknown, and the gateway was asked as often as it may be";
const daily = (round: number, later: number) => roundStarted(round, "lookUp", later, lastStep);

describe("a look-up of the last step that is not answered", () => {
  it("asks people to look, and goes on asking the gateway: UNKNOWN never becomes FAILURE (criterion 21)", () => {
    given(...atLastStep)
      .when(lookedUp(unknown, 2))
      .then(reviewRequested(endOfSchedule), daily(3, day))
      .is("NEEDS_REVIEW")
      .owes("1/3 lookUp");
  });

  it("that finds nothing asks people too, when nothing may be sent again", () => {
    given(...atLastStep)
      .when(lookedUp(notFound, 2, givenAt(resendForMillis)))
      .then(
        verified(notFound, 2),
        reviewRequested("the gateway knows nothing of the attempt, and the time for sending it again is over"),
        daily(3, resendForMillis + day),
      )
      .is("NEEDS_REVIEW");
  });
});

describe("a payment in review", () => {
  it("is at rest, so that whoever waits is answered, and owes a look-up all the same", () => {
    const state = stateAfter(inReview);
    expect(isAtRest(state)).toBe(true);
    expect(state).toMatchObject({ mismatch: false, reason: endOfSchedule, attempt: { status: "UNKNOWN" } });
    given(...inReview)
      .when(create())
      .thenNothing();
  });

  it("is looked up day after day", () => {
    given(...inReview)
      .when(lookedUp(unknown, 3, givenAt(day)))
      .then(daily(4, 2 * day))
      .is("NEEDS_REVIEW");
    given(...inReview, daily(4, 2 * day))
      .when(lookedUp(unknown, 4, givenAt(2 * day)))
      .then(daily(5, 3 * day))
      .is("NEEDS_REVIEW");
  });

  it("is never sent again when the gateway knows nothing of it, even in time for that (criterion 20)", () => {
    given(...inReview)
      .when(lookedUp(notFound, 3))
      .then(verified(notFound, 3), daily(4, day))
      .is("NEEDS_REVIEW")
      .owes("1/4 lookUp");
  });

  it("learns nothing from a round that is over", () => {
    for (const outcome of [unknown, notFound]) {
      given(...inReview)
        .when(lookedUp(outcome, 2))
        .thenNothing();
    }
    for (const outcome of [unknown, notSent]) {
      given(...inReview)
        .when(tried(outcome, 0))
        .thenNothing();
    }
  });

  it("becomes a success when the gateway says so", () => {
    given(...inReview)
      .when(lookedUp(approved(), 3))
      .then(verified(approved(), 3))
      .is("SUCCESS")
      .owes("nothing");
  });

  it("becomes a success by the answer of an earlier try that comes late", () => {
    given(...inReview)
      .when(tried(approved(), 0))
      .then(verified(approved(), 0))
      .is("SUCCESS");
  });

  it("becomes a failure by the gateway's own decline (criterion 21)", () => {
    given(...inReview)
      .when(lookedUp(declinedForGood, 3))
      .then(verified(declinedForGood, 3), failed("card_declined", "no", "insufficient_funds"))
      .is("FAILURE")
      .owes("nothing");
  });

  it("ends with a decline that would let it move on: a person looks at it, no other gateway is tried", () => {
    given(...inReview)
      .when(lookedUp(mayMoveOn, 3))
      .then(verified(mayMoveOn, 3), failed("processing_error", "try again", "try_again_later"))
      .is("FAILURE")
      .owes("nothing");
  });

  it("becomes the customer's turn when the gateway waits for that", () => {
    given(...inReview)
      .when(lookedUp(actionRequired, 3))
      .then(verified(actionRequired, 3))
      .is("REQUIRES_ACTION")
      .owes("expiry");
  });

  it("stays there for people alone when the gateway reports another amount", () => {
    const reported = approved({ amount: { value: 1, currency: "USD" } });
    const { state } = given(...inReview)
      .when(lookedUp(reported, 3))
      .then(mismatch(reported))
      .is("NEEDS_REVIEW")
      .owes("nothing");
    expect(state).toMatchObject({ mismatch: true });
  });

  it("is repeated by a new owner in a round of its own, at the same step and not before it is due", () => {
    given(...inReview)
      .when(resume(givenAt(5_000)))
      .then(daily(4, day))
      .is("NEEDS_REVIEW");
    given(...inReview)
      .when(resume(givenAt(2 * day)))
      .then(daily(4, 2 * day));
  });

  it("is in conflict with a create that says something else", () => {
    given(...inReview)
      .when(create({ description: "another" }))
      .thenRejected("IdempotencyConflict");
  });
});

describe("a payment in review that owes no look-up", () => {
  const withoutRound = [
    ["after a mismatch", [...started, mismatch(approved({ status: "authorized" }))]],
    ["after a mismatch in a look-up", [...lookingUp, mismatch(approved({ status: "authorized" }))]],
    ["in a log that knew no daily look-ups", [...lookingUp, verified(notFound), reviewRequested("why")]],
  ] as const;

  it.each(withoutRound)("changes by nothing that comes late %s", (_, history) => {
    const { lastRound } = (stateAfter(history) as { readonly attempt: { readonly lastRound: number } }).attempt;
    for (const outcome of [approved(), mayMoveOn, declinedForGood, actionRequired, unknown]) {
      given(...history)
        .when(tried(outcome, lastRound))
        .thenNothing();
      given(...history)
        .when(lookedUp(outcome, lastRound))
        .thenNothing();
    }
    given(...history)
      .when(lookedUp(notFound, lastRound))
      .thenNothing();
    given(...history)
      .when(resume())
      .thenNothing();
  });
});

describe("an attempt whose rounds are used up", () => {
  const policy = { ...defaultPolicy, maxRounds: 3 };
  const now = givenAt(day, { policy });

  it("may have 400 of them, and no payment that is looked up daily outgrows its log", () => {
    const eventsARound = 2;
    expect(maxRounds).toBe(400);
    expect(maxRounds * eventsARound).toBeLessThan(1_000);
  });

  it("has its last round like any other", () => {
    given(...atLastStep)
      .when(lookedUp(unknown, 2, now))
      .then(reviewRequested(endOfSchedule), daily(3, 2 * day));
  });

  it("is a person's alone when the last look-up in review is not answered", () => {
    given(...inReview)
      .when(lookedUp(unknown, 3, now))
      .then(reviewRequested(endOfRounds))
      .is("NEEDS_REVIEW")
      .owes("nothing");
  });

  it("is a person's alone when the last look-up in review finds nothing", () => {
    given(...inReview)
      .when(lookedUp(notFound, 3, now))
      .then(verified(notFound, 3), reviewRequested(endOfRounds))
      .is("NEEDS_REVIEW")
      .owes("nothing");
  });

  it("is a person's alone when a new owner finds it, whose round would be one too many", () => {
    given(...inReview)
      .when(resume(now))
      .then(reviewRequested(endOfRounds))
      .owes("nothing");
    given(...lookingUp, roundStarted(2, "lookUp"), roundStarted(3, "lookUp"))
      .when(resume(now))
      .then(reviewRequested(endOfRounds))
      .is("NEEDS_REVIEW");
  });

  it("is a person's alone before the schedule is at its end, when crashes have used them up", () => {
    given(...lookingUp, roundStarted(2, "lookUp", 0, 1), roundStarted(3, "lookUp", 0, 1))
      .when(lookedUp(unknown, 3, now))
      .then(reviewRequested(endOfRounds))
      .is("NEEDS_REVIEW")
      .owes("nothing");
    given(...lookingUp, roundStarted(2, "lookUp", 0, lastStep), roundStarted(3, "lookUp", 0, lastStep))
      .when(lookedUp(unknown, 3, now))
      .then(reviewRequested(endOfSchedule))
      .owes("nothing");
  });

  it("is not sent again, although there would be time (criterion 20)", () => {
    given(...lookingUp, roundStarted(2, "lookUp"), roundStarted(3, "lookUp"))
      .when(lookedUp(notFound, 3, givenAt(0, { policy })))
      .then(
        verified(notFound, 3),
        reviewRequested("the gateway knows nothing of the attempt, and it has had as many rounds as it may have"),
      )
      .is("NEEDS_REVIEW")
      .owes("nothing");
  });

  it("with no rounds in the policy is a person's as soon as its outcome is unknown", () => {
    given(...started)
      .when(tried(unknown, 0, givenAt(0, { policy: { ...defaultPolicy, maxRounds: 0 } })))
      .then(outcomeUnknown(0), reviewRequested(endOfRounds))
      .is("NEEDS_REVIEW")
      .owes("nothing");
  });
});
