import { defaultPolicy } from "@aegispay/core/payment/Given";
import { refundable } from "@aegispay/core/payment/reservations";
import type { NewEvent } from "@aegispay/core/payment/PaymentEvent";
import { viewPayment } from "@aegispay/core/payment/PaymentView";
import { describe, expect, it } from "vitest";
import {
  asks,
  authorized,
  capture,
  captureRequested,
  commandRecord,
  done,
  heard,
  lookUpEnded,
  operationNotFound,
  operationReview,
  operationRound,
  operationUnknown,
  partlyCaptured,
  refund,
  refundFailed,
  refundRequested,
  refundSucceeded,
  refused,
  reversed,
  taken,
  usd,
  waiting,
} from "./operationExamples.ts";
import { givenAt, lookingUp, notFound, payment, started, unknown } from "./paymentExamples.ts";
import { given, stateAfter } from "./specification.ts";

const { reviewEveryMillis, resendForMillis, lookUpDelaysMillis } = defaultPolicy;

const progress = (...events: ReadonlyArray<NewEvent>) => {
  const state = stateAfter([...taken, ...events]);
  if (state.name === "ABSENT") throw new Error("there is no payment");
  const { refunded, refundProgress } = viewPayment(payment, state);
  return [state.name, refunded, refundProgress, refundable(state)];
};

describe("a refund", () => {
  it("reserves what it gives back, under a key of its own, and never replaces SUCCESS", () => {
    given(...taken)
      .when(refund(600))
      .then(refundRequested(1, 600))
      .is("SUCCESS")
      .owes("refund 1/0 start");
    given(...taken, refundRequested(1, 600))
      .when(heard(1, done(600)))
      .then(refundSucceeded(1, 600))
      .is("SUCCESS")
      .owes("nothing");
  });

  it("has a progress that is derived: none, partial, full", () => {
    expect(progress()).toEqual(["SUCCESS", 0, "none", 1_999]);
    const first = [refundRequested(1, 600)];
    expect(progress(...first)).toEqual(["SUCCESS", 0, "none", 1_399]);
    expect(progress(...first, refundSucceeded(1, 600))).toEqual(["SUCCESS", 600, "partial", 1_399]);
    const rest = [...first, refundSucceeded(1, 600), refundRequested(2, 1_399), refundSucceeded(2, 1_399)];
    expect(progress(...rest)).toEqual(["SUCCESS", 1_999, "full", 0]);
  });

  it("without an amount is of all that is left, with the reason it was given", () => {
    const body = { reason: "two of three came" };
    const requested = refundRequested(1, 1_999);
    given(...taken)
      .when(asks("Refund", body))
      .then({
        ...requested,
        data: { ...requested.data, reason: body.reason, command: commandRecord("refund", body) },
      } as NewEvent);
  });

  it("of 60 and another of 60 on 100 is one of them: what is under way or unknown is not left (issue 13182)", () => {
    for (const open of [
      [],
      [operationUnknown("refund", 1), operationRound(1, 1, "lookUp")],
      [refundSucceeded(1, 1_200)],
    ]) {
      given(...taken, refundRequested(1, 1_200), ...open)
        .when(refund(1_200, "refund-2"))
        .thenRefused("AmountExceeded");
    }
  });

  it("of more than was captured is AmountExceeded, also where more is still held", () => {
    given(...taken)
      .when(refund(2_000))
      .thenRefused("AmountExceeded");
    given(...partlyCaptured)
      .when(refund(601))
      .thenRefused("AmountExceeded");
    given(...partlyCaptured)
      .when(refund(600, "refund-2"))
      .then(refundRequested(2, 600))
      .is("PARTIALLY_CAPTURED");
  });

  it("of a payment that is captured in part leaves the rest to be captured", () => {
    const history = [...partlyCaptured, refundRequested(2, 600)];
    given(...history)
      .when(capture(1_399, "capture-3"))
      .then(captureRequested(3, 1_399))
      .owes("refund 2/0 start", "capture 3/0 start");
    given(...history, refundSucceeded(2, 600))
      .when(capture(1_399, "capture-3"))
      .then(captureRequested(3, 1_399));
  });

  it("of a payment of which nothing is captured is an IllegalTransition", () => {
    for (const history of [started, lookingUp, authorized, waiting]) {
      given(...history)
        .when(refund(600))
        .thenRefused("IllegalTransition");
    }
  });

  it("in another currency is CurrencyUnsupported", () => {
    given(...taken)
      .when(asks("Refund", { amount: { value: 600, currency: "EUR" } }))
      .thenRefused("CurrencyUnsupported");
  });

  it("that the gateway refuses frees what it had reserved: RefundFailed", () => {
    given(...taken, refundRequested(1, 1_999))
      .when(heard(1, refused))
      .then(refundFailed(1))
      .is("SUCCESS")
      .owes("nothing");
    given(...taken, refundRequested(1, 1_999), refundFailed(1))
      .when(refund(1_999, "refund-2"))
      .then(refundRequested(2, 1_999));
  });

  it("of which another amount is reported is for people", () => {
    given(...taken, refundRequested(1, 600))
      .when(heard(1, done(60)))
      .then({
        type: "IntegrityMismatchDetected.v2",
        data: { about: { operation: 1 }, expected: usd(600), reported: done(60) },
      })
      .is("NEEDS_REVIEW")
      .owes("nothing");
  });
});

describe("a refund whose outcome is not known", () => {
  const asked = [...taken, refundRequested(1, 600), operationUnknown("refund", 1), operationRound(1, 1, "lookUp")];

  it("is looked up, found, or sent again: RefundOutcomeUnknown", () => {
    given(...taken, refundRequested(1, 600))
      .when(heard(1, unknown))
      .then(operationUnknown("refund", 1), operationRound(1, 1, "lookUp"))
      .is("SUCCESS");
    given(...asked)
      .when(heard(1, done(600), 1))
      .then(refundSucceeded(1, 600));
    given(...asked)
      .when(heard(1, notFound, 1))
      .then(operationNotFound(1, 1), operationRound(1, 2, "resend"));
  });

  it("is done by the answer of an earlier try that comes late", () => {
    given(...asked)
      .when(heard(1, done(600), 0))
      .then(refundSucceeded(1, 600));
  });

  it("moves on in the schedule when no answer comes, and learns nothing from a round that is over", () => {
    given(...asked)
      .when(heard(1, unknown, 1))
      .then(operationRound(1, 2, "lookUp", lookUpDelaysMillis[1], 1));
    for (const outcome of [unknown, notFound]) {
      given(...asked, operationRound(1, 2, "lookUp", 0, 1))
        .when(heard(1, outcome, 1))
        .thenNothing();
    }
  });

  it("stops no other refund, in which the rest is given back", () => {
    given(...asked)
      .when(refund(undefined, "refund-2"))
      .then(refundRequested(2, 1_399, false));
  });

  it("is for people when it can be neither found nor sent again, and the payment is SUCCESS behind that", () => {
    const { state } = given(...asked)
      .when(heard(1, notFound, 1, givenAt(resendForMillis)))
      .then(
        operationNotFound(1, 1),
        operationReview(1, "the gateway knows nothing of the refund, and the time for sending it again is over"),
        operationRound(1, 2, "lookUp", resendForMillis + reviewEveryMillis, lookUpDelaysMillis.length - 1),
      )
      .is("NEEDS_REVIEW");
    if (state.name === "ABSENT") throw new Error("there is no payment");
    expect(viewPayment(payment, state)).toMatchObject({ captured: 1_999, refunds: [{ status: "UNKNOWN" }] });
  });
});

describe("a refund that comes back", () => {
  const notified = [...taken, refundRequested(1, 600), refundSucceeded(1, 600), operationRound(1, 1, "lookUp")];

  it("is FAILED from then on, and its money may be given back anew: RefundReversed", () => {
    const { state } = given(...notified)
      .when(heard(1, reversed(600), 1))
      .then({ type: "RefundReversed", data: { operation: 1, operationId: "op_1", amount: usd(600) } })
      .is("SUCCESS")
      .owes("nothing");
    expect(state).toMatchObject({ operations: [{ status: "FAILED", failure: { code: "reversed" } }] });
  });

  it("before we knew that it was done was done and came back", () => {
    given(...taken, refundRequested(1, 600), operationUnknown("refund", 1), operationRound(1, 1, "lookUp"))
      .when(heard(1, reversed(600), 1))
      .then(refundSucceeded(1, 600), {
        type: "RefundReversed",
        data: { operation: 1, operationId: "op_1", amount: usd(600) },
      });
  });

  it("is not one when the look-up says that it is done, as we know", () => {
    given(...notified)
      .when(heard(1, done(600), 1))
      .then(lookUpEnded({ operation: 1 }, 1, "Done"))
      .owes("nothing");
  });
});
