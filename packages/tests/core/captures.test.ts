import { defaultPolicy } from "@aegispay/core/payment/Given";
import { describe, expect, it } from "vitest";
import {
  asks,
  authorized,
  capture,
  captureFailed,
  captureRequested,
  captureSucceeded,
  commandRecord,
  done,
  heard,
  operationNotFound,
  operationNotSent,
  operationReview,
  operationRound,
  operationUnknown,
  partlyCaptured,
  refused,
  taken,
  voidRequested,
} from "./operationExamples.ts";
import {
  approved,
  create,
  givenAt,
  notFound,
  notSent,
  resume,
  started,
  tried,
  unknown,
  lookedUp,
  lookingUp,
  attemptStarted,
  authenticated,
  initiated,
  north,
  body,
  heldUntil,
  outcomeUnknown,
  roundStarted,
  actionWasRequired,
  mismatch,
} from "./paymentExamples.ts";
import { given } from "./specification.ts";

const { lookUpDelaysMillis, reviewEveryMillis, resendForMillis, retryDelaysMillis, maxRetries } = defaultPolicy;
const lastStep = lookUpDelaysMillis.length - 1;

const trying = [initiated({ capture: "manual" }), authenticated, attemptStarted(1, north, "first", "manual")];
const held = approved({ status: "authorized" });

describe("a manual payment", () => {
  it("is announced as such, and AUTHORIZED on the gateway's word, until the authorization lapses", () => {
    given()
      .when(create({ capture: "manual" }))
      .then(...trying);
    given(...trying)
      .when(tried(held))
      .then({
        type: "PaymentAuthorized",
        data: { attempt: 1, gatewayTransactionId: "ch_1", amount: body.amount, expiresAt: heldUntil },
      })
      .is("AUTHORIZED")
      .owes("expiry");
  });

  it("is AUTHORIZED by a look-up too: OutcomeVerified", () => {
    given(...trying, outcomeUnknown(), roundStarted(1, "lookUp"))
      .when(lookedUp(held))
      .then({ type: "OutcomeVerified", data: { attempt: 1, round: 1, outcome: held, expiresAt: heldUntil } })
      .is("AUTHORIZED");
  });

  it("is never a success because the gateway has taken what it was to hold: people look at it", () => {
    given(...trying)
      .when(tried(approved()))
      .then(mismatch(approved()))
      .is("NEEDS_REVIEW");
  });
});

describe("a capture", () => {
  it("of a part reserves it under a key of its own, and makes PARTIALLY_CAPTURED", () => {
    given(...authorized)
      .when(capture(600))
      .then(captureRequested(1, 600))
      .is("AUTHORIZED")
      .owes("capture 1/0 start");
    given(...authorized, captureRequested(1, 600))
      .when(heard(1, done(600)))
      .then(captureSucceeded(1, 600))
      .is("PARTIALLY_CAPTURED")
      .owes("expiry");
  });

  it("of all, or of all that is left where no amount is said, makes SUCCESS, and nothing waits any more", () => {
    given(...authorized)
      .when(capture())
      .then(captureRequested(1, 1_999, false));
    given(...authorized, captureRequested(1, 1_999))
      .when(heard(1, done(1_999)))
      .then(captureSucceeded(1, 1_999))
      .is("SUCCESS")
      .owes("nothing");
    given(...partlyCaptured)
      .when(capture(undefined, "capture-2"))
      .then(captureRequested(2, 1_399, false));
  });

  it("goes on beside another one, as long as there is enough for both", () => {
    given(...authorized, captureRequested(1, 600))
      .when(capture(1_399, "capture-2"))
      .then(captureRequested(2, 1_399))
      .owes("capture 1/0 start", "capture 2/0 start");
  });

  it("of more than is left is AmountExceeded: what is captured, being captured or unknown is not left", () => {
    given(...authorized)
      .when(capture(2_000))
      .thenRefused("AmountExceeded");
    given(...partlyCaptured)
      .when(capture(1_400, "capture-2"))
      .thenRefused("AmountExceeded");
    for (const open of [[], [operationUnknown("capture", 1), operationRound(1, 1, "lookUp")]]) {
      given(...authorized, captureRequested(1, 1_200), ...open)
        .when(capture(800, "capture-2"))
        .thenRefused("AmountExceeded");
    }
    given(...authorized, captureRequested(1, 1_999))
      .when(capture(undefined, "capture-2"))
      .thenRefused("AmountExceeded");
  });

  it("in another currency is CurrencyUnsupported", () => {
    given(...authorized)
      .when(asks("Capture", { amount: { value: 600, currency: "EUR" } }))
      .thenRefused("CurrencyUnsupported");
  });

  it("is an IllegalTransition where nothing is held: before, after, and while the outcome is unknown", () => {
    for (const history of [started, lookingUp, taken, [...started, actionWasRequired]]) {
      given(...history)
        .when(capture(600))
        .thenRefused("IllegalTransition");
    }
  });

  it("is an IllegalTransition while a void is under way", () => {
    given(...authorized, voidRequested(1))
      .when(capture(600))
      .thenRefused("IllegalTransition");
  });

  it("that the gateway refuses is FAILED, frees what it had reserved, and leaves the payment as it was", () => {
    const { state } = given(...authorized, captureRequested(1, 600))
      .when(heard(1, refused))
      .then(captureFailed(1))
      .is("AUTHORIZED")
      .owes("expiry");
    expect(state).toMatchObject({ operations: [{ status: "FAILED", failure: { code: "refused" } }] });
    given(...authorized, captureRequested(1, 1_999), captureFailed(1))
      .when(capture(1_999, "capture-2"))
      .then(captureRequested(2, 1_999));
  });

  it("of which another amount or currency is reported is for people: nothing more is sent, nothing more expires", () => {
    for (const reported of [done(599), done(600, "EUR")]) {
      given(...authorized, captureRequested(1, 600))
        .when(heard(1, reported))
        .then({
          type: "IntegrityMismatchDetected.v2",
          data: { about: { operation: 1 }, expected: { value: 600, currency: "USD" }, reported },
        })
        .is("NEEDS_REVIEW")
        .owes("nothing");
    }
  });
});

describe("a capture whose outcome is not known", () => {
  const open = [...authorized, captureRequested(1, 600)];
  const asked = [...open, operationUnknown("capture", 1), operationRound(1, 1, "lookUp")];

  it("is looked up by its own key, and nothing expires meanwhile: CaptureOutcomeUnknown", () => {
    given(...open)
      .when(heard(1, unknown))
      .then(operationUnknown("capture", 1), operationRound(1, 1, "lookUp"))
      .is("AUTHORIZED")
      .owes("capture 1/1 lookUp");
  });

  it("is done, or refused, on the word of the look-up", () => {
    given(...asked)
      .when(heard(1, done(600), 1))
      .then(captureSucceeded(1, 600))
      .is("PARTIALLY_CAPTURED");
    given(...asked)
      .when(heard(1, refused, 1))
      .then(captureFailed(1));
  });

  it("is sent again, letter for letter, when the gateway knows nothing of it", () => {
    given(...asked)
      .when(heard(1, notFound, 1))
      .then(operationNotFound(1, 1), operationRound(1, 2, "resend"))
      .owes("capture 1/2 resend");
  });

  it("is never sent again when the time for it is over: people look at it, and the gateway is asked daily", () => {
    given(...asked)
      .when(heard(1, notFound, 1, givenAt(resendForMillis)))
      .then(
        operationNotFound(1, 1),
        operationReview(1, "the gateway knows nothing of the capture, and the time for sending it again is over"),
        operationRound(1, 2, "lookUp", resendForMillis + reviewEveryMillis, lastStep),
      )
      .is("NEEDS_REVIEW")
      .owes("capture 1/2 lookUp");
  });

  it("is for people when the whole schedule brought no answer, and AUTHORIZED or more again when one comes", () => {
    const atLast = [...asked, operationRound(1, 2, "lookUp", 0, lastStep)];
    const reason = "the gateway gave no answer about the capture in the whole schedule of look-ups";
    const review = [operationReview(1, reason), operationRound(1, 3, "lookUp", reviewEveryMillis, lastStep)];
    given(...atLast)
      .when(heard(1, unknown, 2))
      .then(...review)
      .is("NEEDS_REVIEW");
    given(...atLast, ...review)
      .when(heard(1, done(600), 3))
      .then(captureSucceeded(1, 600))
      .is("PARTIALLY_CAPTURED")
      .owes("expiry");
    given(...atLast, ...review)
      .when(capture(600, "capture-2"))
      .thenRefused("IllegalTransition");
  });

  it("is looked up by a new owner in a round of its own, not before it was due", () => {
    given(...open)
      .when(resume(givenAt(5_000)))
      .then(
        operationUnknown("capture", 1, 0, "the owner that was trying has gone"),
        operationRound(1, 1, "lookUp", 5_000),
      );
    given(...open, operationUnknown("capture", 1), operationRound(1, 1, "lookUp", 60_000, 3))
      .when(resume(givenAt(5_000)))
      .then(operationRound(1, 2, "lookUp", 60_000, 3));
  });
});

describe("a capture that certainly was not sent", () => {
  const open = [...authorized, captureRequested(1, 600)];

  it("is tried again later, and FAILED when the retries are used up", () => {
    given(...open)
      .when(heard(1, notSent))
      .then(operationNotSent(1, 0), operationRound(1, 1, "resend", retryDelaysMillis[0]))
      .owes("capture 1/1 resend");
    const retries = Array.from({ length: maxRetries }, (_, round) => [
      operationNotSent(1, round),
      operationRound(1, round + 1, "resend"),
    ]).flat();
    given(...open, ...retries)
      .when(heard(1, notSent, maxRetries))
      .then(operationNotSent(1, maxRetries, true))
      .is("AUTHORIZED")
      .owes("expiry");
  });

  it("is not believed to be once a try may have left (law 4)", () => {
    given(
      ...open,
      operationUnknown("capture", 1),
      operationRound(1, 1, "lookUp"),
      operationNotFound(1, 1),
      operationRound(1, 2, "resend"),
    )
      .when(heard(1, notSent, 2))
      .then(operationRound(1, 3, "lookUp", lookUpDelaysMillis[1], 1));
  });
});

it("a capture names who waits for it, so that whoever completes it can answer", () => {
  const replyTo = { token: "abcdefghijklmnop", when: "completed" } as const;
  const requested = captureRequested(1, 600);
  const command = { ...commandRecord("capture", { amount: { value: 600, currency: "USD" } }), replyTo };
  given(...authorized)
    .when({ ...capture(600), replyTo })
    .then({ ...requested, data: { ...requested.data, command } } as typeof requested);
});
