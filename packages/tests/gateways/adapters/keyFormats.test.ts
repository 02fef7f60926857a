import { gatewayIdempotencyKey } from "@aegispay/core/identity/Identity";
import { receiptOf } from "@aegispay/gateways/razorpay/razorpayRequests";
import { describe, expect, it } from "vitest";

describe("the key of an operation", () => {
  const payment = { merchant: "m".repeat(128), paymentId: "p".repeat(128) };
  const key = (number: number) => gatewayIdempotencyKey("deployment", payment, 1, "refund", number);

  it("has the form that every gateway takes", () => {
    expect(key(1)).toMatch(/^ap_[A-Za-z0-9_-]+$/);
    // Stripe takes 255 characters, Adyen 64, Razorpay 10 at least.
    expect(key(1).length).toBeGreaterThanOrEqual(10);
    expect(key(1).length).toBeLessThanOrEqual(64);
  });

  it("stays one among all others when it is cut to a receipt of Razorpay's", () => {
    const receipts = Array.from({ length: 1_000 }, (_, number) => receiptOf(key(number)));
    expect(new Set(receipts).size).toBe(1_000);
    expect(receipts.every(({ length }) => length <= 40)).toBe(true);
  });
});
