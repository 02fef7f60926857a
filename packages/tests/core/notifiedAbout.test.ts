/** What a notification says it is about is compared with what we asked for: what it does not name is not looked up. */
import { errandsOf } from "@aegispay/core/payment/intents";
import { isAboutOurs } from "@aegispay/core/payment/notification";
import type { NotifiedAbout, Notify } from "@aegispay/core/payment/PaymentCommand";
import { describe, expect, it } from "vitest";
import {
  authorized,
  captureRequested,
  captureSucceeded,
  lost,
  operationRound,
  refundRequested,
  refundSucceeded,
  taken,
} from "./operationExamples.ts";
import { givenAt, lookingUp, payment, roundStarted } from "./paymentExamples.ts";
import { given, stateAfter } from "./specification.ts";
import type { NewEvent } from "@aegispay/core/payment/PaymentEvent";

const ours = { gateway: "north", account: "n1" };
const notifyAbout = (about: NotifiedAbout): Notify => ({ type: "Notify", payment, about, given: givenAt() });
const keyOf = (history: ReadonlyArray<NewEvent>, index = 0): string =>
  errandsOf(stateAfter(history))[index]!.idempotencyKey;

/** No answer has named the charge yet. */
const unnamed = [...lookingUp, roundStarted(2, "lookUp", 60_000, 3)];
const chargeKey = keyOf(unnamed);
const asked = roundStarted(3, "lookUp", 0, 2);

describe("a notification about a charge that no answer has named yet", () => {
  it("is about it where the key is ours, or else where amount and currency are", () => {
    for (const about of [
      { ...ours, idempotencyKey: chargeKey },
      { ...ours, idempotencyKey: chargeKey, gatewayTransactionId: "ch_9", amount: { value: 1, currency: "JPY" } },
      { ...ours, gatewayTransactionId: "ch_9", amount: { value: 1_999, currency: "USD" } },
    ]) {
      given(...unnamed)
        .when(notifyAbout(about))
        .then(asked);
    }
  });

  it("is not where gateway, account, key, amount or currency are others'", () => {
    const amount = { value: 1_999, currency: "USD" };
    for (const about of [
      { ...ours, gateway: "south", idempotencyKey: chargeKey },
      { ...ours, account: "n2", idempotencyKey: chargeKey },
      { ...ours, idempotencyKey: `${chargeKey}x`, amount },
      { ...ours, amount: { ...amount, value: 2_000 } },
      { ...ours, amount: { ...amount, currency: "EUR" } },
      { ...ours, gatewayTransactionId: "ch_9" },
      ours,
    ]) {
      given(...unnamed)
        .when(notifyAbout(about))
        .thenNothing();
      expect(isAboutOurs(stateAfter(unnamed) as never, about)).toBe(false);
    }
  });
});

describe("a notification about a charge that its gateway has named", () => {
  it("is about it by that name alone, whatever else it says", () => {
    given(...lost)
      .when(notifyAbout({ ...ours, gatewayTransactionId: "ch_1", amount: { value: 5, currency: "JPY" } }))
      .then(roundStarted(1, "lookUp"));
    const key = keyOf(lost);
    given(...lost)
      .when(notifyAbout({ ...ours, gatewayTransactionId: "ch_2", idempotencyKey: key }))
      .thenNothing();
    given(...lost)
      .when(notifyAbout({ ...ours, idempotencyKey: key }))
      .then(roundStarted(1, "lookUp"));
  });

  it("that says what is known already begins no look-up, and one that says something else does", () => {
    const about = { ...ours, gatewayTransactionId: "ch_1", amount: { value: 1_999, currency: "USD" } };
    for (const says of ["authorized", "succeeded"] as const) {
      given(...taken)
        .when(notifyAbout({ ...about, says }))
        .thenNothing();
    }
    given(...lost)
      .when(notifyAbout({ ...about, says: "failed" }))
      .thenNothing();
    given(...lost)
      .when(notifyAbout({ ...about, says: "succeeded" }))
      .then(roundStarted(1, "lookUp"));
    given(...taken)
      .when(notifyAbout({ ...about, says: "failed" }))
      .then(roundStarted(1, "lookUp"));
    // The money was held, and somebody else has taken it.
    given(...authorized)
      .when(notifyAbout({ ...about, says: "succeeded" }))
      .then(roundStarted(1, "lookUp"));
    given(...taken)
      .when(notifyAbout({ ...about, says: "succeeded", amount: { value: 1_000, currency: "USD" } }))
      .then(roundStarted(1, "lookUp"));
  });
});

describe("a notification about an operation", () => {
  const refunded = [...taken, refundRequested(1, 600), refundSucceeded(1, 600)];

  it("is about that one where it names its key, and about no other", () => {
    const key = keyOf(refunded, 1);
    given(...refunded)
      .when(notifyAbout({ ...ours, idempotencyKey: key, gatewayTransactionId: "ch_1" }))
      .then(operationRound(1, 1, "lookUp"));
    given(...refunded)
      .when(notifyAbout({ ...ours, idempotencyKey: key, gatewayTransactionId: "ch_1", says: "succeeded" }))
      .thenNothing();
    given(...refunded)
      .when(notifyAbout({ ...ours, idempotencyKey: key, gatewayTransactionId: "ch_2" }))
      .thenNothing();
  });

  it("that names only the charge is about the charge and what was asked of it", () => {
    given(...refunded)
      .when(notifyAbout({ ...ours, gatewayTransactionId: "ch_1" }))
      .then(roundStarted(1, "lookUp"), operationRound(1, 1, "lookUp"));
  });

  it("of a capture that is settled has nothing more to say", () => {
    const captured = [...authorized, captureRequested(1, 600), captureSucceeded(1, 600)];
    given(...captured)
      .when(notifyAbout({ ...ours, idempotencyKey: keyOf(captured, 1) }))
      .thenNothing();
  });
});
