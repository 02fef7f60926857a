import { defaultPolicy } from "@aegispay/core/payment/Given";
import type { ResolveBody } from "@aegispay/core/payment/CommandBodies";
import type { NewEvent } from "@aegispay/core/payment/PaymentEvent";
import { describe, expect, it } from "vitest";
import {
  asks,
  authorized,
  capture,
  captureRequested,
  commandRecord,
  operationReview,
  operationRound,
  partlyCaptured,
  refundRequested,
  refundSucceeded,
  taken,
  usd,
  voidRequested,
  waiting,
} from "./operationExamples.ts";
import {
  approved,
  givenAt,
  heldUntil,
  inReview,
  lookingUp,
  mismatch,
  roundStarted,
  started,
} from "./paymentExamples.ts";
import { given } from "./specification.ts";

const { reviewEveryMillis } = defaultPolicy;
const reason = "seen in the dashboard";

const candidates = [{ gateway: "north", account: "n1", keyRetentionMillis: 30 * reviewEveryMillis }];
const resolve = (wanted: ResolveBody, now = givenAt(0, { candidates })) => asks("Resolve", wanted, "resolve-1", now);
type Word = Extract<NewEvent, { readonly type: "ReviewResolved" }>["data"];
const resolved = (wanted: ResolveBody, more: Partial<Word> = {}): NewEvent => ({
  type: "ReviewResolved",
  data: { ...wanted, ...more, command: commandRecord("resolve", wanted) },
});

describe("a payment in review", () => {
  it("is what an operator found out: SUCCESS with what was taken", () => {
    const whole: ResolveBody = { as: "SUCCESS", gatewayTransactionId: "ch_7", reason };
    const { state } = given(...inReview)
      .when(resolve(whole))
      .then(resolved(whole))
      .is("SUCCESS")
      .owes("nothing");
    expect(state).toMatchObject({ captured: 1_999, attempt: { gatewayTransactionId: "ch_7", status: "SUCCEEDED" } });
    const part: ResolveBody = { ...whole, amount: usd(1_000) };
    const { state: other } = given(...inReview)
      .when(resolve(part))
      .then(resolved(part))
      .is("SUCCESS");
    expect(other).toMatchObject({ authorized: 1_000, captured: 1_000 });
  });

  it("is AUTHORIZED from then on, with an end to that", () => {
    const wanted: ResolveBody = { as: "AUTHORIZED", gatewayTransactionId: "ch_7", reason };
    given(...inReview)
      .when(resolve(wanted))
      .then(resolved(wanted, { expiresAt: heldUntil }))
      .is("AUTHORIZED")
      .owes("expiry");
  });

  it.each(["FAILURE", "VOIDED", "EXPIRED"] as const)(
    "is %s on a person's word alone, so the gateway goes on being asked",
    (as) => {
      const wanted: ResolveBody = { as, reason };
      given(...inReview)
        .when(resolve(wanted))
        .then(resolved(wanted), roundStarted(4, "lookUp"))
        .is(as)
        .owes("1/4 lookUp");
    },
  );

  it("is not asked about any more once the gateway has forgotten its key", () => {
    const wanted: ResolveBody = { as: "FAILURE", reason };
    given(...inReview)
      .when(resolve(wanted, givenAt(reviewEveryMillis)))
      .then(resolved(wanted))
      .is("FAILURE")
      .owes("nothing");
  });

  it("after a mismatch is a person's alone, and knows the charge that was reported", () => {
    const wrong = approved({ amount: usd(1) });
    const wanted: ResolveBody = { as: "SUCCESS", amount: usd(1), reason };
    const { state } = given(...started, mismatch(wrong))
      .when(resolve(wanted))
      .then(resolved(wanted))
      .is("SUCCESS");
    expect(state).toMatchObject({ captured: 1, attempt: { gatewayTransactionId: "ch_1" } });
  });

  it("needs to know its charge before it can be SUCCESS", () => {
    given(...inReview)
      .when(resolve({ as: "SUCCESS", reason }))
      .thenRefused("IllegalTransition");
  });

  it("is in its own currency", () => {
    given(...inReview)
      .when(resolve({ as: "SUCCESS", gatewayTransactionId: "ch_7", amount: { value: 1, currency: "EUR" }, reason }))
      .thenRefused("CurrencyUnsupported");
  });

  it("takes no command of a client meanwhile: IllegalTransition", () => {
    given(...inReview)
      .when(capture(600))
      .thenRefused("IllegalTransition");
  });
});

describe("a winner that the gateway contradicts", () => {
  const wrong = approved({ status: "authorized", amount: usd(1_000) });
  const inQuestion = [...authorized, roundStarted(1, "lookUp"), mismatch(wrong)];

  it("is what an operator found out, as much as there is", () => {
    const wanted: ResolveBody = { as: "AUTHORIZED", amount: usd(1_000), reason };
    const { state } = given(...inQuestion)
      .when(resolve(wanted))
      .then(resolved(wanted, { expiresAt: heldUntil }))
      .is("AUTHORIZED");
    expect(state).toMatchObject({ authorized: 1_000, captured: 0 });
  });

  it("cannot have taken less than was given back", () => {
    const euros = approved({ amount: { value: 1_999, currency: "EUR" } });
    const history = [...taken, refundRequested(1, 600), refundSucceeded(1, 600), roundStarted(1, "lookUp")];
    given(...history, mismatch(euros))
      .when(resolve({ as: "SUCCESS", amount: usd(599), reason }))
      .thenRefused("IllegalTransition");
    const wanted: ResolveBody = { as: "SUCCESS", amount: usd(600), reason };
    given(...history, mismatch(euros))
      .when(resolve(wanted))
      .then(resolved(wanted))
      .is("SUCCESS");
  });
});

describe("an operation in review", () => {
  const capturing = [...authorized, captureRequested(1, 600), operationReview(1, "why")];

  it("is done on an operator's word, with what that makes of the payment", () => {
    const wanted: ResolveBody = { operation: 1, as: "SUCCEEDED", reason };
    given(...capturing)
      .when(resolve(wanted))
      .then(resolved(wanted))
      .is("PARTIALLY_CAPTURED")
      .owes("expiry");
    given(...authorized, voidRequested(1), operationReview(1, "why"))
      .when(resolve(wanted))
      .then(resolved(wanted))
      .is("VOIDED");
    given(...partlyCaptured, voidRequested(2, "expiry"), operationReview(2, "why"))
      .when(resolve({ ...wanted, operation: 2 }))
      .then(resolved({ ...wanted, operation: 2 }))
      .is("SUCCESS");
    given(...waiting, voidRequested(1, "cancel"), operationReview(1, "why"))
      .when(resolve(wanted))
      .then(resolved(wanted))
      .is("VOIDED");
  });

  it("is FAILED on a person's word alone, so the gateway goes on being asked", () => {
    const wanted: ResolveBody = { operation: 1, as: "FAILED", reason };
    const { state } = given(...capturing)
      .when(resolve(wanted))
      .then(resolved(wanted), operationRound(1, 1, "lookUp"))
      .is("AUTHORIZED");
    expect(state).toMatchObject({
      operations: [{ status: "FAILED", isDoubtful: true, failure: { code: "resolved" } }],
    });
  });

  it("comes before the payment, and one that is not in question is not resolved", () => {
    given(...capturing)
      .when(resolve({ as: "SUCCESS", gatewayTransactionId: "ch_1", reason }))
      .thenRefused("IllegalTransition");
    given(...capturing)
      .when(resolve({ operation: 2, as: "FAILED", reason }))
      .thenRefused("IllegalTransition");
    given(...inReview)
      .when(resolve({ operation: 1, as: "FAILED", reason }))
      .thenRefused("IllegalTransition");
  });
});

it("a payment that nobody questions is not resolved", () => {
  for (const history of [started, lookingUp, authorized, taken, waiting]) {
    given(...history)
      .when(resolve({ as: "FAILURE", reason }))
      .thenRefused("IllegalTransition");
  }
});
