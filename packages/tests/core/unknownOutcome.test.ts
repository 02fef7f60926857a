import { defaultPolicy } from "@aegispay/core/payment/Given";
import { describe, it } from "vitest";
import {
  actionRequired,
  approved,
  attemptStarted,
  declinedForGood,
  failed,
  givenAt,
  lastStep,
  lookedUp,
  lookingUp,
  mayMoveOn,
  mismatch,
  notFound,
  notSent,
  outcomeUnknown,
  resending,
  resume,
  retrying,
  reviewRequested,
  roundStarted,
  south,
  started,
  succeeded,
  tried,
  unknown,
  verified,
} from "./paymentExamples.ts";
import { given } from "./specification.ts";

const { lookUpDelaysMillis, resendForMillis, reviewEveryMillis, maxRetries } = defaultPolicy;

/** OUTCOME_UNKNOWN in both its rounds, with how the answer of that round arrives. */
const unknownRounds = [
  ["a look-up", lookingUp, 1, lookedUp],
  ["a resend", resending, 2, tried],
] as const;

describe("an unknown outcome", () => {
  it.each(unknownRounds)("becomes a success by the answer to %s", (_, history, round, answered) => {
    given(...history)
      .when(answered(approved(), round))
      .then(verified(approved(), round))
      .is("SUCCESS")
      .owes("nothing");
  });

  it.each(unknownRounds)(
    "becomes a failure by the gateway's own decline in answer to %s",
    (_, history, round, answered) => {
      given(...history)
        .when(answered(declinedForGood, round))
        .then(verified(declinedForGood, round), failed("card_declined", "no", "insufficient_funds"))
        .is("FAILURE");
    },
  );

  it.each(unknownRounds)(
    "lets the payment move on only after a decline that allows it, in answer to %s",
    (_, history, round, answered) => {
      given(...history)
        .when(answered(mayMoveOn, round))
        .then(verified(mayMoveOn, round), attemptStarted(2, south, "after processing_error"))
        .is("PROCESSING")
        .owes("2/0 start");
    },
  );

  it.each(unknownRounds)("becomes the customer's turn by the answer to %s", (_, history, round, answered) => {
    given(...history)
      .when(answered(actionRequired, round))
      .then(verified(actionRequired, round))
      .is("REQUIRES_ACTION");
  });

  it.each(unknownRounds)(
    "is never a success when the answer to %s names another amount",
    (_, history, round, answered) => {
      const reported = approved({ amount: { value: 1, currency: "USD" } });
      given(...history)
        .when(answered(reported, round))
        .then(mismatch(reported))
        .is("NEEDS_REVIEW");
    },
  );

  it.each(unknownRounds)(
    "stays unknown when no answer comes to %s, and is looked up later",
    (_, history, round, answered) => {
      given(...history)
        .when(answered(unknown, round))
        .then(roundStarted(round + 1, "lookUp", lookUpDelaysMillis[1], 1))
        .is("OUTCOME_UNKNOWN")
        .owes(`1/${round + 1} lookUp`);
    },
  );

  it("stays unknown when a resend certainly was not sent: an earlier try may have left", () => {
    given(...resending)
      .when(tried(notSent, 2))
      .then(roundStarted(3, "lookUp", lookUpDelaysMillis[1], 1))
      .is("OUTCOME_UNKNOWN");
  });

  it("is counted from the answer of an earlier try that comes late", () => {
    given(...lookingUp)
      .when(tried(approved(), 0))
      .then(verified(approved(), 0))
      .is("SUCCESS");
    given(...lookingUp)
      .when(tried(declinedForGood, 0))
      .then(verified(declinedForGood, 0), failed("card_declined", "no", "insufficient_funds"));
  });

  it.each([notSent, unknown])("learns nothing from an earlier round that comes late: $_tag", (outcome) => {
    given(...lookingUp)
      .when(tried(outcome, 0))
      .thenNothing();
    given(...resending)
      .when(tried(outcome, 1))
      .thenNothing();
  });

  it.each([notFound, unknown])("learns nothing from a look-up that comes twice: $_tag", (outcome) => {
    given(...resending)
      .when(lookedUp(outcome, 1))
      .thenNothing();
  });
});

describe("a look-up that finds nothing", () => {
  it("sends the same request with the same key to the same gateway again", () => {
    given(...lookingUp)
      .when(lookedUp(notFound))
      .then(verified(notFound), roundStarted(2, "resend"))
      .is("OUTCOME_UNKNOWN")
      .owes("1/2 resend");
  });

  it("is no evidence of a failure once the time for sending again is over: people look at it (criterion 21)", () => {
    given(...lookingUp)
      .when(lookedUp(notFound, 1, givenAt(resendForMillis)))
      .then(
        verified(notFound),
        reviewRequested("the gateway knows nothing of the attempt, and the time for sending it again is over"),
        roundStarted(2, "lookUp", resendForMillis + reviewEveryMillis, lastStep),
      )
      .is("NEEDS_REVIEW")
      .owes("1/2 lookUp");
  });

  it("sends again in the last moment of that time", () => {
    given(...lookingUp)
      .when(lookedUp(notFound, 1, givenAt(resendForMillis - 1)))
      .then(verified(notFound), roundStarted(2, "resend", resendForMillis - 1));
  });

  it("sends nothing again that was sent one time and maxRetries more: people look at it (criterion 20)", () => {
    const sentAgain = (round: number) => [verified(notFound, round), roundStarted(round + 1, "resend")];
    const lost = Array.from({ length: maxRetries }, (_, index) => [
      ...sentAgain(2 * index + 1),
      roundStarted(2 * index + 3, "lookUp"),
    ]).flat();
    const round = 2 * maxRetries + 1;
    given(...lookingUp, ...lost)
      .when(lookedUp(notFound, round))
      .then(
        verified(notFound, round),
        reviewRequested("the gateway knows nothing of the attempt, and it was sent as often as it may be"),
        roundStarted(round + 1, "lookUp", reviewEveryMillis, lastStep),
      )
      .is("NEEDS_REVIEW")
      .owes(`1/${round + 1} lookUp`);
  });
});

describe("a new owner", () => {
  const goneReason = "the owner that was trying has gone";

  it("believes of a first try that it may have left, and looks it up before anything else", () => {
    given(...started)
      .when(resume(givenAt(5_000)))
      .then(outcomeUnknown(0, goneReason), roundStarted(1, "lookUp", 5_000))
      .is("OUTCOME_UNKNOWN")
      .owes("1/1 lookUp");
  });

  it("believes of a retry that it may have left, although every try before it did not", () => {
    given(...retrying)
      .when(resume(givenAt(5_000)))
      .then(outcomeUnknown(1, goneReason), roundStarted(2, "lookUp", 5_000))
      .owes("1/2 lookUp");
  });

  it("looks up in a round of its own where the one before it was looking up", () => {
    given(...lookingUp)
      .when(resume(givenAt(5_000)))
      .then(roundStarted(2, "lookUp", 5_000))
      .owes("1/2 lookUp");
  });

  it("looks up before it goes on where the one before it was sending again", () => {
    given(...resending)
      .when(resume(givenAt(5_000)))
      .then(roundStarted(3, "lookUp", 5_000))
      .owes("1/3 lookUp");
  });

  it("keeps to the wait that was announced", () => {
    given(...lookingUp, roundStarted(2, "lookUp", 60_000, 3))
      .when(resume(givenAt(5_000)))
      .then(roundStarted(3, "lookUp", 60_000, 3));
  });

  it("does not believe a refusal to connect after a take-over: the owner before may have sent it", () => {
    given(
      ...started,
      outcomeUnknown(0, goneReason),
      roundStarted(1, "lookUp"),
      verified(notFound),
      roundStarted(2, "resend"),
    )
      .when(tried(notSent, 2))
      .then(roundStarted(3, "lookUp", lookUpDelaysMillis[1], 1))
      .is("OUTCOME_UNKNOWN");
  });

  it("learns nothing from the try of the owner before it, when that one was not sent", () => {
    given(...started, outcomeUnknown(0, goneReason), roundStarted(1, "lookUp"))
      .when(tried(notSent, 0))
      .thenNothing();
  });

  it("has nothing to do for a payment that owes nothing", () => {
    given().when(resume()).thenNothing();
    given(...started, succeeded())
      .when(resume())
      .thenNothing();
  });
});
