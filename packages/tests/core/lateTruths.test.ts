import { defaultPolicy } from "@aegispay/core/payment/Given";
import type { NewEvent } from "@aegispay/core/payment/PaymentEvent";
import { gatewayIdempotencyKey } from "@aegispay/core/identity/Identity";
import { viewPayment } from "@aegispay/core/payment/PaymentView";
import { describe, expect, it } from "vitest";
import {
  asks,
  authorized,
  captureFailed,
  captureRequested,
  commandRecord,
  done,
  heard,
  lookUpEnded,
  lost,
  operationReview,
  operationRound,
  refused,
  reversed,
  secondAsked,
  secondWon,
  usd,
  voidRequested,
  waiting,
} from "./operationExamples.ts";
import {
  approved,
  declinedForGood,
  deployment,
  givenAt,
  inReview,
  lookedUp,
  notFound,
  outcomeUnknown,
  payment,
  roundStarted,
  succeeded,
  tried,
  unknown,
  waitsUntil,
} from "./paymentExamples.ts";
import { given, stateAfter } from "./specification.ts";

const late = (reported = approved()): NewEvent => ({ type: "LateSuccessDetected", data: { attempt: 1, reported } });
/** What undoes it, under a key of its own. */
const compensation = (kind: "refund" | "void", operation = 1): NewEvent => {
  const idempotencyKey = gatewayIdempotencyKey(deployment, payment, 1, kind, operation);
  const data = {
    operation,
    attempt: 1,
    idempotencyKey,
    gatewayTransactionId: "ch_1",
    purpose: "compensation",
  } as const;
  return kind === "void"
    ? { type: "VoidRequested", data }
    : { type: "RefundRequested", data: { ...data, amount: usd(1_999), reason: "it succeeded late" } };
};
const held = approved({ status: "authorized" });
const compensated: NewEvent = { type: "LateSuccessCompensated", data: { operation: 1, operationId: "op_1" } };

describe("an attempt that succeeds although it is not the payment's", () => {
  const voided: NewEvent = { type: "PaymentVoided", data: { operation: 1, operationId: "op_1" } };
  const cancelled: NewEvent = { type: "PaymentCancelled", data: { operation: 1 } };

  it.each([
    ["while another is under way", secondAsked, "PROCESSING"],
    ["while another is unknown", [...secondAsked, outcomeUnknown(0, unknown.reason, 2)], "OUTCOME_UNKNOWN"],
    ["when another has won", secondWon, "SUCCESS"],
  ] as const)("is undone by one refund under its own key, and the winner stands: %s", (_, history, name) => {
    given(...history)
      .when(tried(approved(), 0))
      .then(late(), compensation("refund"))
      .is(name);
  });

  it("is voided where it is only held", () => {
    given(...secondWon)
      .when(tried(held, 0))
      .then(late(held), compensation("void"))
      .is("SUCCESS")
      .owes("void 1/0 start");
  });

  it("is put before people where the payment had ended, and undone all the same", () => {
    const { state } = given(...lost, roundStarted(1, "lookUp"))
      .when(lookedUp(approved()))
      .then(late(), compensation("refund"))
      .is("NEEDS_REVIEW")
      .owes("refund 1/0 start");
    expect(state).toMatchObject({ behind: { name: "FAILURE" } });
    given(...lost, roundStarted(1, "lookUp"), late(), compensation("refund"))
      .when(heard(1, done(1_999)))
      .then(compensated)
      .is("NEEDS_REVIEW")
      .owes("nothing");
  });

  it.each([
    ["voided", [...authorized, roundStarted(1, "lookUp"), voidRequested(1), voided]],
    ["cancelled", [...waiting, roundStarted(1, "lookUp"), voidRequested(1, "cancel"), cancelled]],
  ] as const)(
    "may have been read before it was %s: it is read once more, and undone if it is still so",
    (_, history) => {
      given(...history)
        .when(lookedUp(held, 1))
        .then(roundStarted(2, "lookUp"))
        .is("VOIDED");
      given(...history, roundStarted(2, "lookUp"))
        .when(lookedUp(held, 1))
        .thenNothing();
      given(...history, roundStarted(2, "lookUp"))
        .when(lookedUp({ _tag: "Released", gatewayTransactionId: "ch_1" }, 2))
        .then(lookUpEnded({ attempt: 1 }, 2, "Released"))
        .owes("nothing");
      given(...history, roundStarted(2, "lookUp"))
        .when(lookedUp(held, 2))
        .then(late(held), compensation("void", 2))
        .is("NEEDS_REVIEW");
    },
  );

  it("is not a success where the gateway names no amount of money: the log could not be read any more", () => {
    for (const value of [10.5, -1, Number.POSITIVE_INFINITY]) {
      given(...lost, roundStarted(1, "lookUp"))
        .when(lookedUp(approved({ amount: usd(value) })))
        .then(roundStarted(2, "lookUp", defaultPolicy.lookUpDelaysMillis[1], 1))
        .is("FAILURE");
    }
  });

  it("is undone once, however often it is heard of", () => {
    given(...secondWon, late(), compensation("refund"))
      .when(tried(approved(), 0))
      .thenNothing();
    given(...secondWon, late(), compensation("refund"), compensated)
      .when(tried(approved(), 0))
      .thenNothing();
  });

  it("does not count as captured or refunded, and is shown for what it is", () => {
    const state = stateAfter([...secondWon, late(), compensation("refund"), compensated]);
    if (state.name === "ABSENT") throw new Error("there is no payment");
    expect(viewPayment(payment, state)).toMatchObject({
      state: "SUCCESS",
      captured: 1_999,
      refunded: 0,
      refundProgress: "none",
      attempts: [{ status: "SUCCEEDED" }, { status: "SUCCEEDED" }],
      refunds: [{ purpose: "compensation", status: "SUCCEEDED", attempt: 1 }],
    });
  });

  it("is for people where it cannot be undone, or where what undid it comes back", () => {
    given(...secondWon, late(), compensation("refund"))
      .when(heard(1, refused))
      .then(
        { type: "RefundFailed", data: { operation: 1, failure: { code: "refused", message: "no" } } },
        operationReview(1, "a success that came late could not be undone"),
      )
      .is("NEEDS_REVIEW");
    given(...secondWon, late(), compensation("refund"), compensated, operationRound(1, 1, "lookUp"))
      .when(heard(1, reversed(1_999), 1))
      .then(
        { type: "RefundReversed", data: { operation: 1, operationId: "op_1", amount: usd(1_999) } },
        operationReview(1, "what undid a late success has come back"),
      )
      .is("NEEDS_REVIEW");
  });

  it("stops nothing that the gateway says of the payment's own attempt meanwhile", () => {
    const nextAction = { type: "redirect", url: "https://bank.example/3ds" } as const;
    const action: NewEvent = {
      type: "ActionRequired",
      data: { attempt: 2, gatewayTransactionId: "ch_2", nextAction, expiresAt: waitsUntil },
    };
    given(...secondAsked, action, late(), compensation("refund"), roundStarted(1, "lookUp", 0, 0, 2))
      .when(lookedUp({ _tag: "Released", gatewayTransactionId: "ch_2" }, 1, givenAt(), 2))
      .then({ type: "PaymentExpired", data: {} })
      .is("EXPIRED")
      .owes("refund 1/0 start");
  });

  it("asks people only when the payment rests: the attempt that is open goes on", () => {
    const open = [...secondAsked, late(), compensation("refund")];
    const failure: NewEvent = {
      type: "RefundFailed",
      data: { operation: 1, failure: { code: "refused", message: "no" } },
    };
    const review = operationReview(1, "a success that came late could not be undone");
    given(...open)
      .when(heard(1, refused))
      .then(failure, review)
      .is("PROCESSING");
    given(...open, failure, review)
      .when(tried(approved({ gatewayTransactionId: "ch_1" }), 0, givenAt(), 2))
      .then(succeeded(2))
      .is("NEEDS_REVIEW");
  });
});

describe("an operator's word that the gateway contradicts", () => {
  const { reviewEveryMillis, lookUpDelaysMillis } = defaultPolicy;
  const lastStep = lookUpDelaysMillis.length - 1;
  const command = { commandId: "r1", verb: "resolve", message: "1/r1", hash: "h" };
  const says = (as: "FAILURE" | "FAILED", operation?: number): NewEvent => ({
    type: "ReviewResolved",
    data: { as, reason: "seen", command, ...(operation === undefined ? {} : { operation }) },
  });
  const resolved = [...inReview, says("FAILURE"), roundStarted(4, "lookUp")];
  const atLastStep = [...inReview, says("FAILURE"), roundStarted(4, "lookUp", 0, lastStep)];
  const knowsKeysFor = (days: number) => ({
    candidates: [{ gateway: "north", account: "n1", keyRetentionMillis: days * reviewEveryMillis }],
  });

  it("leaves the gateway being asked, by the schedule and then daily", () => {
    for (const outcome of [notFound, unknown]) {
      given(...resolved)
        .when(lookedUp(outcome, 4))
        .then(roundStarted(5, "lookUp", lookUpDelaysMillis[1], 1))
        .is("FAILURE");
      given(...atLastStep)
        .when(lookedUp(outcome, 4, givenAt(0, knowsKeysFor(10))))
        .then(roundStarted(5, "lookUp", reviewEveryMillis, lastStep));
    }
  });

  it("leaves it being asked a last time when it is about to forget the key, and not after that", () => {
    const anHour = 3_600_000;
    given(...atLastStep)
      .when(lookedUp(notFound, 4, givenAt(reviewEveryMillis - anHour, knowsKeysFor(1))))
      .then(roundStarted(5, "lookUp", reviewEveryMillis, lastStep));
    given(...atLastStep)
      .when(lookedUp(notFound, 4, givenAt(reviewEveryMillis, knowsKeysFor(1))))
      .then(lookUpEnded({ attempt: 1 }, 4, "NotFound"))
      .is("FAILURE")
      .owes("nothing");
  });

  it("is confirmed by the gateway's own word, and nothing more is asked", () => {
    given(...resolved)
      .when(lookedUp(declinedForGood, 4))
      .then(lookUpEnded({ attempt: 1 }, 4, "Declined"))
      .owes("nothing");
  });

  it("is undone and put before people again when the attempt has succeeded after all", () => {
    given(...resolved)
      .when(lookedUp(approved(), 4))
      .then(late(), compensation("refund"))
      .is("NEEDS_REVIEW");
  });

  it("about a capture of a payment that has ended since is undone like any success that came late", () => {
    const history = [
      ...authorized,
      captureRequested(1, 600),
      operationReview(1, "why"),
      says("FAILED", 1),
      operationRound(1, 1, "lookUp"),
      voidRequested(2),
      { type: "PaymentVoided", data: { operation: 2, operationId: "op_1" } },
    ] as const;
    const contradicted = operationReview(1, "the gateway says that it was done, and it was taken for failed");
    given(...history)
      .when(heard(1, done(600), 1))
      .then(contradicted, roundStarted(1, "lookUp"))
      .is("NEEDS_REVIEW");
    const some = approved({ amount: usd(600) });
    const { state } = given(...history, contradicted, roundStarted(1, "lookUp"))
      .when(lookedUp(some))
      .then(late(some), {
        type: "RefundRequested",
        data: {
          operation: 3,
          attempt: 1,
          idempotencyKey: gatewayIdempotencyKey(deployment, payment, 1, "refund", 3),
          gatewayTransactionId: "ch_1",
          amount: usd(600),
          purpose: "compensation",
          reason: "it succeeded late",
        },
      })
      .is("NEEDS_REVIEW");
    expect(state).toMatchObject({ behind: { name: "VOIDED" } });
  });

  it("about an operation is put before people once: whoever says it again has heard the gateway", () => {
    const contradicted = [
      ...authorized,
      captureRequested(1, 600),
      operationReview(1, "why"),
      says("FAILED", 1),
      operationRound(1, 1, "lookUp"),
      voidRequested(2),
      { type: "PaymentVoided", data: { operation: 2, operationId: "op_1" } },
      operationReview(1, "the gateway says that it was done, and it was taken for failed"),
    ] as const;
    given(...contradicted)
      .when(asks("Resolve", { operation: 1, as: "FAILED", reason: "given back by hand" }))
      .then({
        type: "ReviewResolved",
        data: {
          operation: 1,
          as: "FAILED",
          reason: "given back by hand",
          command: commandRecord("resolve", { operation: 1, as: "FAILED", reason: "given back by hand" }),
        },
      })
      .is("VOIDED")
      .owes("nothing");
  });

  it("about an operation is put before people again", () => {
    const history = [
      ...authorized,
      captureRequested(1, 600),
      operationReview(1, "why"),
      says("FAILED", 1),
      operationRound(1, 1, "lookUp"),
    ];
    given(...history)
      .when(heard(1, done(600), 1))
      .then(operationReview(1, "the gateway says that it was done, and it was taken for failed"))
      .is("NEEDS_REVIEW");
  });
});

it("what the gateway refused and then says was done is a contradiction: people look at it", () => {
  given(...authorized, captureRequested(1, 600), captureFailed(1))
    .when(heard(1, done(600)))
    .then(operationReview(1, "the gateway says that it was done, and it was taken for failed"))
    .is("NEEDS_REVIEW");
});
