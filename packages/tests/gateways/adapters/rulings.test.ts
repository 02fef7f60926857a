import {
  adyenErrorCodes,
  adyenRefusalReasons,
  ruleAdyenError,
  ruleRefusal,
} from "@aegispay/gateways/adyen/adyenRulings";
import { type Ruling, ruledCharge, ruledOperation } from "@aegispay/gateways/evidence/Ruling";
import { razorpayReasons, ruleFailure, ruleRazorpay } from "@aegispay/gateways/razorpay/razorpayRulings";
import { ruleStripe, stripeCodes } from "@aegispay/gateways/stripe/stripeRulings";
import { describe, expect, it } from "vitest";

describe("a ruling", () => {
  const evidence = { code: "card_declined", message: "no", declineCode: "lost_card", gatewayTransactionId: "pi_1" };

  it("of a decline says whether another gateway may be tried, and keeps the gateway's own code", () => {
    const declined = { _tag: "Declined", code: "card_declined", declineCode: "lost_card", message: "no" };
    expect(ruledCharge("declined", evidence)).toMatchObject({ ...declined, tryAnotherGateway: false });
    expect(ruledCharge("moveOn", evidence)).toMatchObject({ ...declined, tryAnotherGateway: true });
    expect(ruledOperation("moveOn", evidence)).toEqual({ _tag: "Refused", code: "lost_card", message: "no" });
  });

  it("that the customer has to authenticate is known to the core by its code", () => {
    const outcome = ruledCharge("stepUp", { code: "authentication_failure" });
    expect(outcome).toMatchObject({
      _tag: "Declined",
      code: "authentication_required",
      declineCode: "authentication_failure",
      tryAnotherGateway: false,
    });
  });

  it("of something turned away carries how long the gateway wants to be left alone", () => {
    const outcome = ruledCharge("notSent", { code: "rate_limit", requestId: "req_1", retryAfterMillis: 2_000 });
    const reason = "the gateway said rate_limit, request req_1";
    expect(outcome).toEqual({ _tag: "NotSent", reason, retryAfterMillis: 2_000 });
  });

  it("keeps no address, no long number and no key that the gateway has repeated", () => {
    const message =
      "No such card 4242 4242 4242 4242 of ada@shop.example, asked with sk_live_abc123\nand +91 90000 12345";
    const outcome = ruledCharge("declined", { code: "x", message: message.repeat(9) });
    const kept = JSON.stringify(outcome);
    for (const secret of ["4242", "ada@", "sk_live", "90000", "\\n"]) expect(kept).not.toContain(secret);
    expect(kept.length).toBeLessThan(600);
  });
});

/** [what was answered, how it is ruled] */
const table = <Answer>(
  name: string,
  rule: (answer: Answer) => Ruling,
  rows: ReadonlyArray<readonly [Answer, Ruling]>,
) => {
  describe(`the rulings of ${name}`, () => {
    it.each(rows)("%j is ruled as the table says", (answer, ruling) => {
      expect(rule(answer)).toBe(ruling);
    });
  });
};

type StripeAnswer = Parameters<typeof ruleStripe>[0];

table<StripeAnswer>("Stripe", ruleStripe, [
  [{ status: 500, type: "api_error" }, "unknown"],
  [{ status: 409, code: "idempotency_key_in_use" }, "unknown"],
  [{ status: 400, type: "idempotency_error" }, "unknown"],
  [{ status: 402, type: "api_error" }, "unknown"],
  [{ status: 401 }, "notSent"],
  [{ status: 404, code: "resource_missing" }, "notSent"],
  [{ status: 429, code: "lock_timeout" }, "notSent"],
  [{ status: 402, type: "card_error", code: "card_declined", declineCode: "insufficient_funds" }, "declined"],
  [{ status: 402, type: "card_error", code: "card_declined", declineCode: "do_not_honor" }, "moveOn"],
  [{ status: 402, code: "card_declined", declineCode: "do_not_honor", adviceCode: "do_not_try_again" }, "declined"],
  [{ status: 402, declineCode: "do_not_honor", networkAdviceCode: "03" }, "declined"],
  [{ status: 402, declineCode: "generic_decline", networkAdviceCode: "21" }, "declined"],
  [{ status: 402, declineCode: "generic_decline", networkDeclineCode: "R1" }, "declined"],
  [{ status: 402, declineCode: "do_not_honor", networkAdviceCode: "02", networkDeclineCode: "05" }, "moveOn"],
  [{ status: 402, code: "card_declined", declineCode: "authentication_required" }, "stepUp"],
  [{ status: 402, code: "expired_card" }, "declined"],
  [{ status: 402, code: "card_declined", declineCode: "made_up_yesterday" }, "declined"],
  [{ status: 400, type: "invalid_request_error", code: "parameter_missing" }, "declined"],
  [{ status: 301 }, "unknown"],
  [{ status: 200 }, "unknown"],
]);

type AdyenAnswer = readonly [status: number, errorCode?: string];

table<AdyenAnswer>("Adyen's errors", ([status, errorCode]) => ruleAdyenError(status, errorCode), [
  [[500, "905_3"], "unknown"],
  [[409, "704"], "unknown"],
  [[422, "704"], "unknown"],
  [[401, "000"], "notSent"],
  [[403, "901"], "notSent"],
  [[429], "notSent"],
  [[422, "138"], "moveOn"],
  [[422, "101"], "declined"],
  [[400], "declined"],
  [[409], "unknown"],
  [[302], "unknown"],
]);

table<readonly [code?: string, adviceCode?: string | undefined, responseCode?: string]>(
  "Adyen's refusals",
  ([code, adviceCode, responseCode]) => ruleRefusal(code, { adviceCode, responseCode }),
  [
    [["2"], "moveOn"],
    [["2", "03 : Do not try again"], "declined"],
    [["9", "21"], "declined"],
    [["9", "02 : Try again later"], "moveOn"],
    [["2", undefined, "05 : Do not honor"], "moveOn"],
    [["2", undefined, "41 : Lost card"], "declined"],
    [["12"], "declined"],
    [["11"], "stepUp"],
    [["38"], "stepUp"],
    [["999"], "declined"],
    [[], "declined"],
  ],
);

type RazorpayAnswer = readonly [status: number, refusal: Parameters<typeof ruleRazorpay>[1]];

table<RazorpayAnswer>("Razorpay's errors", (answer) => ruleRazorpay(...answer), [
  [[502, { code: "GATEWAY_ERROR" }], "unknown"],
  [[409, {}], "unknown"],
  [[401, {}], "notSent"],
  [[429, {}], "notSent"],
  [[400, { description: "This payment has already been captured" }], "unknown"],
  [[400, { reason: "insufficient_funds" }], "declined"],
  [[400, { reason: "bank_technical_error" }], "moveOn"],
  [[400, { reason: "invalid_otp" }], "stepUp"],
  [[400, { code: "BAD_REQUEST_ERROR" }], "declined"],
  [[302, {}], "unknown"],
]);

table<Parameters<typeof ruleFailure>[0]>("Razorpay's failed payments", ruleFailure, [
  [{ code: "GATEWAY_ERROR", source: "bank", reason: "made_up_yesterday" }, "moveOn"],
  [{ code: "BAD_REQUEST_ERROR", source: "bank", reason: "made_up_yesterday" }, "declined"],
  [{ code: "GATEWAY_ERROR", source: "bank", reason: "insufficient_funds" }, "declined"],
  [{}, "declined"],
]);

describe("the schemes' own rules", () => {
  /** Never retried anywhere: facts of the field, "Retrying". */
  const never: ReadonlyArray<readonly [ReadonlyMap<string, Ruling>, ReadonlyArray<string>]> = [
    [
      stripeCodes,
      ["insufficient_funds", "incorrect_number", "invalid_cvc", "incorrect_cvc", "expired_card", "pickup_card"],
    ],
    [stripeCodes, ["account_closed", "pin_try_exceeded", "lost_card", "stolen_card", "do_not_try_again", "fraudulent"]],
    [adyenRefusalReasons, ["5", "6", "8", "12", "18", "20", "24", "25", "26", "31"]],
    [razorpayReasons, ["insufficient_funds", "card_expired", "incorrect_cvv", "pin_attempts_exceeded", "card_stolen"]],
  ];

  it.each(never)("no table lets go on what the schemes forbid", (rulings, codes) => {
    for (const code of codes) expect([code, rulings.get(code)]).toEqual([code, "declined"]);
  });

  it("no refusal of a bank is ever taken for something unsent or unknown", () => {
    for (const rulings of [stripeCodes, adyenRefusalReasons, razorpayReasons]) {
      for (const ruling of rulings.values()) expect(["declined", "moveOn", "stepUp"]).toContain(ruling);
    }
    expect(adyenErrorCodes.get("704")).toBe("unknown");
  });
});
