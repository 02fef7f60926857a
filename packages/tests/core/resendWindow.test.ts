import { defaultPolicy, isoTime } from "@aegispay/core/payment/Given";
import { describe, expect, it } from "vitest";
import {
  captureRequested,
  authorized,
  heard,
  operationNotFound,
  operationReview,
  operationRound,
  operationUnknown,
} from "./operationExamples.ts";
import {
  approved,
  attemptNotSent,
  attemptStarted,
  authenticated,
  beginning,
  create,
  east,
  failed,
  givenAt,
  initiated,
  lastStep,
  lookedUp,
  lookingUp,
  mayMoveOn,
  north,
  notFound,
  notSent,
  outcomeUnknown,
  reviewRequested,
  roundStarted,
  south,
  started,
  tried,
  verified,
} from "./paymentExamples.ts";
import { given } from "./specification.ts";

const { resendForMillis, reviewEveryMillis } = defaultPolicy;
const tooLate = "the time for sending it again is over";

/** A gateway that forgets a key after ten minutes, of which two are not trusted. */
const forgetful = (later: number) =>
  givenAt(later, {
    candidates: [{ ...north, keyRetentionMillis: 600_000 }, south, east],
    policy: { ...defaultPolicy, keyRetentionMarginMillis: 120_000 },
  });
const forgottenAt = 480_000;

describe("the same key", () => {
  it("is sent again for 15 minutes by default, and never near the end of the gateway's memory (law 4)", () => {
    expect(resendForMillis).toBe(900_000);
    given(...lookingUp)
      .when(lookedUp(notFound, 1, forgetful(forgottenAt - 1)))
      .then(verified(notFound), roundStarted(2, "resend", forgottenAt - 1));
    given(...lookingUp)
      .when(lookedUp(notFound, 1, forgetful(forgottenAt)))
      .then(
        verified(notFound),
        reviewRequested(`the gateway knows nothing of the attempt, and ${tooLate}`),
        roundStarted(2, "lookUp", forgottenAt + reviewEveryMillis, lastStep),
      )
      .is("NEEDS_REVIEW");
  });

  it("of a capture is bound by the memory of the gateway that holds the charge", () => {
    const asked = [
      ...authorized,
      captureRequested(1, 600),
      operationUnknown("capture", 1),
      operationRound(1, 1, "lookUp"),
    ];
    given(...asked)
      .when(heard(1, notFound, 1, forgetful(forgottenAt)))
      .then(
        operationNotFound(1, 1),
        operationReview(1, `the gateway knows nothing of the capture, and ${tooLate}`),
        operationRound(1, 2, "lookUp", forgottenAt + reviewEveryMillis, lastStep),
      );
  });

  it("is bound by the policy alone where the gateway is not configured any more", () => {
    given(...lookingUp)
      .when(lookedUp(notFound, 1, givenAt(resendForMillis - 1, { candidates: [] })))
      .then(verified(notFound), roundStarted(2, "resend", resendForMillis - 1));
  });
});

describe("what was not sent", () => {
  const tooMany = { ...notSent, retryAfterMillis: 240_000 };
  const heldBack = { ...tooMany, heldBack: true } as const;

  it("goes to another gateway as soon as it could only be sent again too late", () => {
    given(...started)
      .when(tried(tooMany, 0, givenAt(resendForMillis - 240_001)))
      .then(attemptNotSent(0), roundStarted(1, "resend", resendForMillis - 1));
    given(...started)
      .when(tried(tooMany, 0, givenAt(resendForMillis - 240_000)))
      .then(attemptNotSent(0, true), attemptStarted(2, south, "after gateway_unavailable"));
    const { reason } = heldBack;
    given(...started)
      .when(tried(heldBack, 0, givenAt(resendForMillis - 240_000)))
      .then(
        { type: "AttemptNotSent", data: { attempt: 1, round: 0, reason, last: true, heldBack: true } },
        attemptStarted(2, south, "after gateway_unavailable"),
      )
      .owes("2/0 start");
  });

  it("does without the growing wait of what was held back before it gives up", () => {
    const { reason } = heldBack;
    given(...started)
      .when(tried(heldBack, 0, givenAt(resendForMillis - 240_001)))
      .then(
        { type: "AttemptNotSent", data: { attempt: 1, round: 0, reason, last: false, heldBack: true } },
        roundStarted(1, "resend", resendForMillis - 1),
      );
  });

  it("of a capture fails then: nothing was taken", () => {
    const { reason } = heldBack;
    given(...authorized, captureRequested(1, 600))
      .when(heard(1, heldBack, 0, givenAt(resendForMillis - 240_000)))
      .then({ type: "OperationNotSent", data: { operation: 1, round: 0, reason, last: true, heldBack: true } })
      .is("AUTHORIZED");
  });

  it("is not sent again near the end of the gateway's memory", () => {
    given(...started)
      .when(tried(tooMany, 0, forgetful(forgottenAt - 240_000)))
      .then(attemptNotSent(0, true), attemptStarted(2, south, "after gateway_unavailable"));
  });
});

describe("a payment that expires", () => {
  const expiresAt = isoTime(beginning + 60_000);
  const history = [initiated({ expiresAt }), authenticated, attemptStarted()];

  it("is not begun when that is past", () => {
    given()
      .when(create({ expiresAt: isoTime(beginning) }))
      .thenRejected("InvalidCommand");
    given()
      .when(create({ expiresAt }))
      .then(...history);
  });

  it("is sent again until then, and looked up afterwards: nobody is charged for an offer that is over", () => {
    const looking = [...history, outcomeUnknown(), roundStarted(1, "lookUp")];
    given(...looking)
      .when(lookedUp(notFound, 1, givenAt(59_999)))
      .then(verified(notFound), roundStarted(2, "resend", 59_999));
    given(...looking)
      .when(lookedUp(notFound, 1, givenAt(60_000)))
      .then(
        verified(notFound),
        reviewRequested(`the gateway knows nothing of the attempt, and ${tooLate}`),
        roundStarted(2, "lookUp", 60_000 + reviewEveryMillis, lastStep),
      );
    given(...looking)
      .when(lookedUp(approved(), 1, givenAt(3_600_000)))
      .then(verified(approved()))
      .is("SUCCESS");
  });

  it("is not put off until it is over, however long the gateway asks to be left alone", () => {
    const tooMany = { ...notSent, retryAfterMillis: 60_000 };
    given(...history)
      .when(tried({ ...tooMany, retryAfterMillis: 59_999 }))
      .then(attemptNotSent(0), roundStarted(1, "resend", 59_999));
    given(...history)
      .when(tried(tooMany))
      .then(attemptNotSent(0, true), attemptStarted(2, south, "after gateway_unavailable"));
  });

  it("is not tried at another gateway afterwards", () => {
    given(...history)
      .when(tried(notSent, 0, givenAt(60_000)))
      .then(attemptNotSent(0, true), failed("gateway_unavailable", notSent.reason))
      .is("FAILURE");
    given(...history)
      .when(tried(mayMoveOn, 0, givenAt(60_000)))
      .then(
        { type: "AttemptDeclined", data: { attempt: 1, outcome: mayMoveOn } },
        failed("processing_error", "try again", "try_again_later"),
      );
  });
});

it("no customer is charged at another gateway when the first one's decline is heard of long after", () => {
  given(...lookingUp)
    .when(lookedUp(mayMoveOn, 1, givenAt(resendForMillis)))
    .then(verified(mayMoveOn), failed("processing_error", "try again", "try_again_later"))
    .is("FAILURE");
  given(...started)
    .when(tried(mayMoveOn, 0, givenAt(resendForMillis - 1)))
    .then(
      { type: "AttemptDeclined", data: { attempt: 1, outcome: mayMoveOn } },
      attemptStarted(2, south, "after processing_error"),
    );
});
