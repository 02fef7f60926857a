/** What was held back here, by a breaker, a limit or a full gateway: no try, no evidence, brought again later. */
import { defaultPolicy, isoTime } from "@aegispay/core/payment/Given";
import type { NewEvent } from "@aegispay/core/payment/PaymentEvent";
import { describe, expect, it } from "vitest";
import { authorized, captureRequested, heard, operationRound, operationUnknown } from "./operationExamples.ts";
import {
  attemptNotSent,
  attemptStarted,
  beginning,
  east,
  failed,
  givenAt,
  lookedUp,
  notFound,
  notSent,
  north,
  outcomeUnknown,
  resending,
  reviewRequested,
  roundStarted,
  south,
  started,
  approved,
  tried,
  verified,
} from "./paymentExamples.ts";
import { given } from "./specification.ts";

const heldBack = {
  _tag: "NotSent",
  reason: "no place came free in time",
  heldBack: true,
  retryAfterMillis: 60_000,
} as const;
const breakerOpen = { ...heldBack, breakerOpen: true } as const;
const { heldBackDelaysMillis, maxRetries, retryDelaysMillis, resendForMillis } = defaultPolicy;

const attemptHeldBack = (round: number, last = false, attempt = 1): NewEvent => ({
  type: "AttemptNotSent",
  data: { attempt, round, reason: heldBack.reason, last, heldBack: true },
});
const operationHeldBack = (operation: number, round: number): NewEvent => ({
  type: "OperationNotSent",
  data: { operation, round, reason: heldBack.reason, last: false, heldBack: true },
});
const lookUpAgain = (round: number, later: number): NewEvent => ({
  type: "RoundStarted",
  data: { attempt: 1, round, action: "lookUp", due: isoTime(beginning + later), step: 0, heldBack: true },
});

describe("a charge that nobody tried yet, held back", () => {
  it("is brought again after what held it back asks for, and a growing wait on top", () => {
    given(...started)
      .when(tried(heldBack))
      .then(attemptHeldBack(0), roundStarted(1, "resend", 60_000 + heldBackDelaysMillis[0]!))
      .is("PROCESSING")
      .owes("1/1 resend");
    given(...started, attemptHeldBack(0), roundStarted(1, "resend"))
      .when(tried(heldBack, 1))
      .then(attemptHeldBack(1), roundStarted(2, "resend", 60_000 + heldBackDelaysMillis[1]!));
  });

  it("does not come again together with whatever was held back with it", () => {
    given(...started)
      .when(tried(heldBack, 0, givenAt(0, { jitter: 1 })))
      .then(attemptHeldBack(0), roundStarted(1, "resend", 60_000 + heldBackDelaysMillis[0]! / 2));
  });

  it("is not counted as tried, however often it is held back (criterion 20)", () => {
    const often = Array.from({ length: 20 }, (_, round) => [
      attemptHeldBack(round),
      roundStarted(round + 1, "resend"),
    ]).flat();
    const { state } = given(...started, ...often)
      .when(tried(notSent, 20))
      .then(attemptNotSent(20), roundStarted(21, "resend", retryDelaysMillis.at(-1)));
    expect(state).toMatchObject({ attempt: { tries: 2, lastRound: 21 } });
    const allTried = Array.from({ length: maxRetries }, (_, index) => [
      attemptNotSent(20 + index),
      roundStarted(21 + index, "resend"),
    ]).flat();
    given(...started, ...often, ...allTried)
      .when(tried(heldBack, 20 + maxRetries))
      .then(
        attemptHeldBack(20 + maxRetries),
        roundStarted(21 + maxRetries, "resend", 60_000 + heldBackDelaysMillis.at(-1)!),
      );
    given(...started, ...often, ...allTried)
      .when(tried(notSent, 20 + maxRetries))
      .then(attemptNotSent(20 + maxRetries, true), attemptStarted(2, south, "after gateway_unavailable"));
  });

  it("fails for certain when its time is over, and goes to no other gateway then", () => {
    given(...started)
      .when(tried(heldBack, 0, givenAt(resendForMillis)))
      .then(attemptHeldBack(0, true), failed("gateway_unavailable", heldBack.reason))
      .is("FAILURE");
  });

  it("goes to another gateway at once where its own was taken out", () => {
    given(...started)
      .when(tried(heldBack, 0, givenAt(0, { candidates: [south] })))
      .then(attemptHeldBack(0, true), attemptStarted(2, south, "after gateway_unavailable"));
    given(...resending)
      .when(tried(heldBack, 2, givenAt(0, { candidates: [south] })))
      .then(lookUpAgain(3, 60_000 + heldBackDelaysMillis[2]!))
      .is("OUTCOME_UNKNOWN");
  });

  it("has at most as many rounds as any other", () => {
    const policy = { ...defaultPolicy, maxRounds: 1 };
    given(...started, attemptHeldBack(0), roundStarted(1, "resend"))
      .when(tried(heldBack, 1, givenAt(0, { policy })))
      .then(attemptHeldBack(1, true), attemptStarted(2, south, "after gateway_unavailable"));
  });

  it("goes to another gateway at once where its own is left alone", () => {
    given(...started)
      .when(tried(breakerOpen))
      .then(attemptHeldBack(0, true), attemptStarted(2, south, "after gateway_unavailable"))
      .is("PROCESSING")
      .owes("2/0 start");
    given(...started, attemptNotSent(0), roundStarted(1, "resend"))
      .when(tried(breakerOpen, 1))
      .then(attemptHeldBack(1, true), attemptStarted(2, south, "after gateway_unavailable"));
  });

  it("waits for its own gateway where there is no other", () => {
    given(...started)
      .when(tried(breakerOpen, 0, givenAt(0, { candidates: [north] })))
      .then(attemptHeldBack(0), roundStarted(1, "resend", 60_000 + heldBackDelaysMillis[0]!));
  });

  it("is looked up first by a new owner, who cannot know that nothing was sent", () => {
    given(...started, attemptHeldBack(0), roundStarted(1, "resend"))
      .when({ type: "Resume", payment: { merchant: "shop", paymentId: "order-1" }, given: givenAt() })
      .then(outcomeUnknown(1, "the owner that was trying has gone"), roundStarted(2, "lookUp"))
      .is("OUTCOME_UNKNOWN");
  });
});

describe("a charge that may have been sent, held back", () => {
  it("goes nowhere else, whatever its gateway's breaker says", () => {
    given(...started, outcomeUnknown(0), roundStarted(1, "resend"))
      .when(tried(breakerOpen, 1))
      .then(lookUpAgain(2, 60_000 + heldBackDelaysMillis[1]!))
      .is("OUTCOME_UNKNOWN");
  });

  it("stays unknown: it is no evidence, and not counted as tried (law 4)", () => {
    const { state } = given(...resending)
      .when(tried(heldBack, 2))
      .then(lookUpAgain(3, 60_000 + heldBackDelaysMillis[2]!))
      .is("OUTCOME_UNKNOWN")
      .owes("1/3 lookUp");
    expect(state).toMatchObject({ attempt: { tries: 1, status: "UNKNOWN" } });
  });

  it("ends well when the gateway says that an earlier try has arrived", () => {
    given(...resending, lookUpAgain(3, 60_000))
      .when(lookedUp(approved(), 3))
      .then(verified(approved(), 3))
      .is("SUCCESS");
  });

  it("goes before people when the gateway knows nothing of it and the time is over", () => {
    given(...resending, lookUpAgain(3, 60_000))
      .when(lookedUp(notFound, 3, givenAt(resendForMillis)))
      .then(
        verified(notFound, 3),
        reviewRequested("the gateway knows nothing of the attempt, and the time for sending it again is over"),
        roundStarted(
          4,
          "lookUp",
          resendForMillis + defaultPolicy.reviewEveryMillis,
          defaultPolicy.lookUpDelaysMillis.length - 1,
        ),
      );
  });
});

describe("a capture, held back", () => {
  it("is brought again, and is no try", () => {
    const { state } = given(...authorized, captureRequested(1, 600))
      .when(heard(1, heldBack))
      .then(operationHeldBack(1, 0), operationRound(1, 1, "resend", 60_000 + heldBackDelaysMillis[0]!))
      .owes("capture 1/1 resend");
    expect(state).toMatchObject({ operations: [{ tries: 1, status: "PENDING" }] });
  });

  it("waits for its gateway where that was taken out: there is no other for it", () => {
    given(...authorized, captureRequested(1, 600))
      .when(heard(1, heldBack, 0, givenAt(0, { candidates: [south] })))
      .then(operationHeldBack(1, 0), operationRound(1, 1, "resend", 60_000 + heldBackDelaysMillis[0]!));
  });

  it("stays unknown where it may have been sent", () => {
    const unknown = [operationUnknown("capture", 1), operationRound(1, 1, "lookUp"), operationRound(1, 2, "resend")];
    given(...authorized, captureRequested(1, 600), ...unknown)
      .when(heard(1, heldBack, 2))
      .then({
        type: "OperationRoundStarted",
        data: {
          operation: 1,
          round: 3,
          action: "lookUp",
          due: isoTime(beginning + 60_000 + heldBackDelaysMillis[2]!),
          step: 0,
          heldBack: true,
        },
      })
      .owes("capture 1/3 lookUp");
  });
});

describe("a gateway that turns requests away because there are too many", () => {
  const tooMany = (retryAfterMillis: number) => ({ ...notSent, retryAfterMillis });

  it("is left alone for as long as it asks, and for its own back-off where that is longer", () => {
    given(...started)
      .when(tried(tooMany(7_000)))
      .then(attemptNotSent(0), roundStarted(1, "resend", 7_000));
    given(...started)
      .when(tried(tooMany(10)))
      .then(attemptNotSent(0), roundStarted(1, "resend", retryDelaysMillis[0]));
  });

  it("is asked again after a while, however long it wants to be left alone", () => {
    given(...started)
      .when(tried(tooMany(3_600_000)))
      .then(attemptNotSent(0), roundStarted(1, "resend", defaultPolicy.retryAfterMaxMillis));
  });
});

describe("a gateway with retries of its own", () => {
  const twice = { ...north, retry: { maxRetries: 1, retryDelaysMillis: [50] } };
  const candidates = [twice, south, east];

  it("is tried as often, and after such waits, as it says instead of the policy", () => {
    given(...started)
      .when(tried(notSent, 0, givenAt(0, { candidates })))
      .then(attemptNotSent(0), roundStarted(1, "resend", 50));
    given(...started, attemptNotSent(0), roundStarted(1, "resend", 50))
      .when(tried(notSent, 1, givenAt(0, { candidates })))
      .then(attemptNotSent(1, true), attemptStarted(2, south, "after gateway_unavailable"));
  });

  it("has them for the operations on its charges too", () => {
    given(...authorized, captureRequested(1, 600))
      .when(heard(1, notSent, 0, givenAt(0, { candidates })))
      .then(
        { type: "OperationNotSent", data: { operation: 1, round: 0, reason: notSent.reason, last: false } },
        operationRound(1, 1, "resend", 50),
      );
  });

  it("and any other gateway has the policy's", () => {
    const candidatesOnlySouth = [north, { ...south, retry: { maxRetries: 0, retryDelaysMillis: [1] } }];
    given(...started)
      .when(tried(notSent, 0, givenAt(0, { candidates: candidatesOnlySouth })))
      .then(attemptNotSent(0), roundStarted(1, "resend", retryDelaysMillis[0]));
  });
});
