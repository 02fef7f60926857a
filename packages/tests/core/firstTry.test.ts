import { defaultPolicy } from "@aegispay/core/payment/Given";
import { describe, expect, it } from "vitest";
import {
  actionRequired,
  actionWasRequired,
  approved,
  attemptDeclined,
  attemptNotSent,
  attemptStarted,
  beginning,
  declinedForGood,
  east,
  failed,
  givenAt,
  lookedUp,
  mayMoveOn,
  mismatch,
  north,
  notFound,
  notSent,
  outcomeUnknown,
  retrying,
  roundStarted,
  south,
  started,
  succeeded,
  tried,
  unknown,
} from "./paymentExamples.ts";
import { given } from "./specification.ts";

/** PROCESSING in both its forms: what the gateway answers means the same in the first try and in a later one. */
const trying = [
  ["the first try", started, 0],
  ["a retry after a try that was not sent", retrying, 1],
] as const;

describe("what the gateway answers", () => {
  it.each(trying)("ends the payment well when %s succeeds", (_, history, round) => {
    given(...history)
      .when(tried(approved(), round))
      .then(succeeded())
      .is("SUCCESS")
      .owes("nothing");
  });

  it.each(trying)("ends the payment when %s is declined for good: no other gateway is asked", (_, history, round) => {
    given(...history)
      .when(tried(declinedForGood, round))
      .then(attemptDeclined(declinedForGood), failed("card_declined", "no", "insufficient_funds"))
      .is("FAILURE")
      .owes("nothing");
  });

  it.each(trying)("moves the payment on when %s is declined in a way that allows it", (_, history, round) => {
    given(...history)
      .when(tried(mayMoveOn, round))
      .then(attemptDeclined(mayMoveOn), attemptStarted(2, south, "after processing_error"))
      .is("PROCESSING")
      .owes("2/0 start");
  });

  it.each(trying)("puts the payment into the customer's hands when %s asks for that", (_, history, round) => {
    given(...history)
      .when(tried(actionRequired, round))
      .then(actionWasRequired)
      .is("REQUIRES_ACTION")
      .owes("expiry");
  });

  it.each(trying)(
    "is not known when no answer comes to %s: it is looked up, nothing else is tried",
    (_, history, round) => {
      given(...history)
        .when(tried(unknown, round))
        .then(outcomeUnknown(round), roundStarted(round + 1, "lookUp", defaultPolicy.lookUpDelaysMillis[0]))
        .is("OUTCOME_UNKNOWN")
        .owes(`1/${round + 1} lookUp`);
    },
  );

  const wrong = [
    ["another amount", approved({ amount: { value: 2000, currency: "USD" } })],
    ["another currency", approved({ amount: { value: 1999, currency: "EUR" } })],
    ["a hold instead of a charge", approved({ status: "authorized" })],
  ] as const;

  it.each(wrong)("never makes a success of %s: people look at it", (_, reported) => {
    for (const [, history, round] of trying) {
      given(...history)
        .when(tried(reported, round))
        .then(mismatch(reported))
        .is("NEEDS_REVIEW")
        .owes("nothing");
    }
  });

  it("counts whichever way it comes: a look-up's answer ends a try that is still open", () => {
    given(...started)
      .when(lookedUp(approved(), 0))
      .then(succeeded())
      .is("SUCCESS");
  });
});

describe("a try that certainly was not sent", () => {
  const { maxRetries, retryDelaysMillis } = defaultPolicy;
  const afterRetries = (count: number) => [
    ...started,
    ...Array.from({ length: count }, (_, round) => [attemptNotSent(round), roundStarted(round + 1, "resend")]).flat(),
  ];

  it.each(Array.from({ length: maxRetries }, (_, round) => round))(
    "is made again at the same gateway after retry %i, later each time",
    (round) => {
      given(...afterRetries(round))
        .when(tried(notSent, round))
        .then(attemptNotSent(round), roundStarted(round + 1, "resend", retryDelaysMillis[round]))
        .is("PROCESSING")
        .owes(`1/${round + 1} resend`);
    },
  );

  it("is given up after one try and maxRetries more, and the next gateway is asked", () => {
    given(...afterRetries(maxRetries))
      .when(tried(notSent, maxRetries))
      .then(attemptNotSent(maxRetries, true), attemptStarted(2, south, "after gateway_unavailable"))
      .owes("2/0 start");
  });

  it("fails the payment when the retries are used up and no gateway is left", () => {
    given(...afterRetries(maxRetries))
      .when(tried(notSent, maxRetries, givenAt(0, { candidates: [north] })))
      .then(attemptNotSent(maxRetries, true), failed("gateway_unavailable", notSent.reason))
      .is("FAILURE");
  });

  it("is not made again once the time for it is over", () => {
    given(...started)
      .when(tried(notSent, 0, givenAt(defaultPolicy.resendForMillis, { candidates: [north] })))
      .then(attemptNotSent(0, true), failed("gateway_unavailable", notSent.reason));
  });

  it("repeats what was announced letter for letter", () => {
    const retried = given(...started)
      .when(tried(notSent))
      .then(attemptNotSent(0), roundStarted(1, "resend", 1_000)).state;
    expect(retried).toMatchObject({
      attempt: {
        request: { reference: "shop/order-1", token: "tok_visa" },
        number: 1,
        round: { due: new Date(beginning + 1_000).toISOString() },
      },
    });
  });

  it("waits at most what the policy says and at least half of it, as the jitter has it (criterion 20)", () => {
    const dueAfter = (jitter: number) => roundStarted(1, "resend", 1_000 - 500 * jitter);
    for (const jitter of [0, 0.5, 1]) {
      given(...started)
        .when(tried(notSent, 0, givenAt(0, { jitter })))
        .then(attemptNotSent(0), dueAfter(jitter));
    }
  });

  it("is not made again where its rounds are used up", () => {
    const policy = { ...defaultPolicy, maxRounds: 1 };
    given(...retrying)
      .when(tried(notSent, 1, givenAt(0, { policy, candidates: [north] })))
      .then(attemptNotSent(1, true), failed("gateway_unavailable", notSent.reason));
  });

  it("with no retries in the policy is tried once", () => {
    const policy = { ...defaultPolicy, maxRetries: 0 };
    given(...started)
      .when(tried(notSent, 0, givenAt(0, { policy, candidates: [north] })))
      .then(attemptNotSent(0, true), failed("gateway_unavailable", notSent.reason));
  });
});

describe("the next gateway", () => {
  const second = [...started, attemptDeclined(mayMoveOn), attemptStarted(2, south, "after processing_error")];
  const third = [...second, attemptDeclined(mayMoveOn, 2), attemptStarted(3, east, "after processing_error")];

  it("is one that was not tried yet", () => {
    given(...second)
      .when(tried(mayMoveOn, 0, givenAt(), 2))
      .then(attemptDeclined(mayMoveOn, 2), attemptStarted(3, east, "after processing_error"));
  });

  it("is none when all were tried: the last decline is the payment's failure", () => {
    given(...third)
      .when(tried(mayMoveOn, 0, givenAt(), 3))
      .then(attemptDeclined(mayMoveOn, 3), failed("processing_error", "try again", "try_again_later"))
      .is("FAILURE");
  });

  it("is none when the policy allows no further attempt", () => {
    const policy = { ...defaultPolicy, maxAttempts: 2 };
    given(...second)
      .when(tried(mayMoveOn, 0, givenAt(0, { policy }), 2))
      .then(attemptDeclined(mayMoveOn, 2), failed("processing_error", "try again", "try_again_later"));
  });
});

describe("an outcome that comes late or twice", () => {
  const second = [...started, attemptDeclined(mayMoveOn), attemptStarted(2, south, "after processing_error")];

  it.each([approved(), mayMoveOn, declinedForGood, actionRequired, notSent, unknown])(
    "decides nothing about an attempt that has ended: $_tag",
    (outcome) => {
      // That one has succeeded after all is news, and is undone: lateTruths.test.ts.
      if (outcome._tag !== "Approved") {
        given(...second)
          .when(tried(outcome, 0, givenAt(), 1))
          .thenNothing();
      }
      given(...started, succeeded())
        .when(tried(outcome))
        .thenNothing();
    },
  );

  it("decides nothing about a round that is over when it says that nothing was sent", () => {
    given(...retrying)
      .when(tried(notSent, 0))
      .thenNothing();
  });

  it("makes the attempt unknown when it says that any of its tries may have left (criterion 21)", () => {
    given(...retrying)
      .when(tried(unknown, 0))
      .then(outcomeUnknown(0), roundStarted(2, "lookUp"))
      .is("OUTCOME_UNKNOWN");
  });

  it("decides nothing about an attempt that was never made, or a payment that is not there", () => {
    given(...started)
      .when(tried(approved(), 0, givenAt(), 7))
      .thenNothing();
    given().when(tried(approved())).thenNothing();
    given().when(lookedUp(notFound)).thenNothing();
  });

  it("that proves nothing by itself decides nothing while the first try is still open", () => {
    for (const outcome of [notFound, unknown]) {
      given(...started)
        .when(lookedUp(outcome, 0))
        .thenNothing();
    }
  });
});
