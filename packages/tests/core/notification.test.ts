import { defaultPolicy } from "@aegispay/core/payment/Given";
import type { Notify } from "@aegispay/core/payment/PaymentCommand";
import { describe, it } from "vitest";
import {
  asks,
  authorized,
  lookUpEnded,
  lost,
  operationRound,
  partlyCaptured,
  refundRequested,
  refundSucceeded,
  secondWon,
  taken,
  usd,
  voidRequested,
  waiting,
} from "./operationExamples.ts";
import {
  approved,
  declinedForGood,
  givenAt,
  inReview,
  lookedUp,
  lookingUp,
  mismatch,
  notFound,
  payment,
  roundStarted,
  started,
  unknown,
} from "./paymentExamples.ts";
import { given } from "./specification.ts";

const notify = (): Notify => ({ type: "Notify", payment, given: givenAt() });
const held = approved({ status: "authorized" });

describe("a notification", () => {
  it("proves nothing: it makes us look up what is ours and not under way", () => {
    given(...secondWon)
      .when(notify())
      .then(roundStarted(1, "lookUp"), roundStarted(1, "lookUp", 0, 0, 2))
      .is("SUCCESS");
    given(...lost)
      .when(notify())
      .then(roundStarted(1, "lookUp"))
      .is("FAILURE");
    given(...authorized)
      .when(notify())
      .then(roundStarted(1, "lookUp"));
    given(...waiting)
      .when(notify())
      .then(roundStarted(1, "lookUp"))
      .is("REQUIRES_ACTION");
    given(...taken, refundRequested(1, 600), refundSucceeded(1, 600))
      .when(notify())
      .then(roundStarted(1, "lookUp"), operationRound(1, 1, "lookUp"));
  });

  it("brings forward a look-up that waits for its moment, also in review", () => {
    given(...lookingUp, roundStarted(2, "lookUp", 60_000, 3))
      .when(notify())
      .then(roundStarted(3, "lookUp", 0, 3));
    given(...inReview)
      .when(notify())
      .then(roundStarted(4, "lookUp", 0, defaultPolicy.lookUpDelaysMillis.length - 1));
  });

  it("changes nothing about what is under way, nor where people alone have the say, nor where nothing is", () => {
    for (const history of [started, lookingUp, [...started, mismatch(approved({ status: "authorized" }))]]) {
      given(...history)
        .when(notify())
        .thenNothing();
    }
    given(...waiting, voidRequested(1, "cancel"))
      .when(notify())
      .thenNothing();
    given().when(notify()).thenNothing();
  });

  it("of a failure that the gateway confirms ends with that look-up", () => {
    for (const outcome of [declinedForGood, notFound]) {
      given(...lost, roundStarted(1, "lookUp"))
        .when(lookedUp(outcome))
        .then(lookUpEnded({ attempt: 1 }, 1, outcome._tag))
        .is("FAILURE")
        .owes("nothing");
    }
  });

  it("of which nobody answers is followed by the schedule, to its end", () => {
    const { lookUpDelaysMillis } = defaultPolicy;
    given(...lost, roundStarted(1, "lookUp"))
      .when(lookedUp(unknown))
      .then(roundStarted(2, "lookUp", lookUpDelaysMillis[1], 1));
    given(...lost, roundStarted(1, "lookUp", 0, lookUpDelaysMillis.length - 1))
      .when(lookedUp(unknown))
      .then(lookUpEnded({ attempt: 1 }, 1, "Unknown"));
  });

  it("finds out that the gateway has let the rest go by itself, or has taken another amount than was captured", () => {
    const partly = [...partlyCaptured, roundStarted(1, "lookUp")];
    given(...partly)
      .when(lookedUp(approved({ amount: usd(600) })))
      .then({ type: "RemainderReleased", data: {} })
      .is("SUCCESS")
      .owes("nothing");
    const other = approved({ amount: usd(1_000) });
    given(...partly)
      .when(lookedUp(other))
      .then(mismatch(other))
      .is("NEEDS_REVIEW");
    // What was taken cannot be declared not to have been.
    given(...partly, mismatch(other))
      .when(asks("Resolve", { as: "FAILURE", reason: "seen" }))
      .thenRefused("IllegalTransition");
    given(...partly)
      .when(lookedUp(held))
      .then(lookUpEnded({ attempt: 1 }, 1, "Approved"))
      .is("PARTIALLY_CAPTURED");
  });

  it("finds out that the gateway holds something else than was authorized: people look at it", () => {
    for (const wrong of [approved(), approved({ status: "authorized", amount: usd(1_000) })]) {
      given(...authorized, roundStarted(1, "lookUp"))
        .when(lookedUp(wrong))
        .then(mismatch(wrong))
        .is("NEEDS_REVIEW")
        .owes("nothing");
    }
    const euros = approved({ amount: { value: 1_999, currency: "EUR" } });
    given(...taken, roundStarted(1, "lookUp"))
      .when(lookedUp(euros))
      .then(mismatch(euros))
      .is("NEEDS_REVIEW");
  });
});
