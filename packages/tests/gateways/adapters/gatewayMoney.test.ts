import { currencyExponents } from "@aegispay/core/money/Currency";
import { adyenMoney } from "@aegispay/gateways/adyen/adyenMoney";
import type { GatewayMoney } from "@aegispay/gateways/money/GatewayMoney";
import { razorpayMoney } from "@aegispay/gateways/razorpay/razorpayMoney";
import { stripeMoney } from "@aegispay/gateways/stripe/stripeMoney";
import { describe, expect, it } from "@effect/vitest";
import fc from "fast-check";

const gateways: ReadonlyArray<readonly [name: string, money: GatewayMoney]> = [
  ["Stripe", stripeMoney],
  ["Adyen", adyenMoney],
  ["Razorpay", razorpayMoney],
];

describe("amounts at a gateway", () => {
  it.each(gateways)("of %s come back as they went, whatever the currency, or are not sent at all", (_, money) => {
    const currencies = fc.constantFrom(...currencyExponents.keys());
    const values = fc.integer({ min: 1, max: 1_000_000_000 });
    fc.assert(
      fc.property(values, currencies, (value, currency) => {
        const theirs = money.toGateway({ value, currency });
        if (theirs === undefined) return;
        expect(Number.isSafeInteger(theirs) && theirs > 0).toBe(true);
        expect(money.fromGateway(theirs, currency.toLowerCase())).toEqual({ value, currency });
      }),
    );
  });

  it.each([
    ["Stripe", stripeMoney, "USD", 1999, 1999],
    ["Stripe", stripeMoney, "JPY", 500, 500],
    ["Stripe", stripeMoney, "ISK", 500, 50_000],
    ["Stripe", stripeMoney, "UGX", 5, 500],
    ["Stripe", stripeMoney, "MGA", 500, 5],
    ["Stripe", stripeMoney, "MGA", 501, undefined],
    ["Stripe", stripeMoney, "KWD", 5120, 5120],
    ["Stripe", stripeMoney, "KWD", 5124, undefined],
    ["Stripe", stripeMoney, "USD", Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    ["Stripe", stripeMoney, "ISK", Number.MAX_SAFE_INTEGER, undefined],
    ["Adyen", adyenMoney, "EUR", 1999, 1999],
    ["Adyen", adyenMoney, "CLP", 500, 50_000],
    ["Adyen", adyenMoney, "ISK", 500, 50_000],
    ["Adyen", adyenMoney, "CVE", 500, 5],
    ["Adyen", adyenMoney, "IDR", 50_000, 500],
    ["Adyen", adyenMoney, "IDR", 50_001, undefined],
    ["Adyen", adyenMoney, "KWD", 5124, 5124],
    ["Razorpay", razorpayMoney, "INR", 1999, 1999],
    ["Razorpay", razorpayMoney, "JPY", 500, 500],
    ["Razorpay", razorpayMoney, "BHD", 5124, undefined],
  ] as const)("at %s are counted as the gateway counts them", (_, money, currency, value, theirs) => {
    expect(money.toGateway({ value, currency })).toBe(theirs);
  });

  it("that a gateway has booked and we cannot express are no amount of ours", () => {
    expect(stripeMoney.fromGateway(12_345, "isk")).toEqual({ value: 123.45, currency: "ISK" });
  });
});
