import { captureOutcomeOf, chargeOutcomeOf } from "@aegispay/gateways/razorpay/RazorpayAnswer";
import type { Payment } from "@aegispay/gateways/razorpay/razorpayDocuments";
import { describe, expect, it } from "vitest";
import { operationOn } from "../conformance/Subject.ts";

const payment = (status: string, changes: Partial<Payment> = {}): Payment => ({
  id: "pay_1",
  entity: "payment",
  amount: 1999,
  currency: "INR",
  status,
  notes: { aegis_key: "ap_key-1" },
  ...changes,
});

describe("a payment at Razorpay", () => {
  it.each([
    ["captured", {}, "Approved", "Done"],
    ["authorized", {}, "Approved", "NotFound"],
    ["created", {}, "Unknown", "Unknown"],
    ["failed", {}, "Declined", "Refused"],
    ["refunded", { captured: true }, "Approved", "Done"],
    ["refunded", { captured: false }, "Released", "Refused"],
    ["refunded", {}, "Unknown", "Unknown"],
    ["something new", {}, "Unknown", "Unknown"],
  ] as const)("that is %s %j says no more than that", (status, changes, ofCharge, ofCapture) => {
    const capture = operationOn("pay_1", "capture", "ap_key-2", { value: 1999, currency: "INR" });
    expect(chargeOutcomeOf(payment(status, changes), "ap_key-1")._tag).toBe(ofCharge);
    expect(captureOutcomeOf(payment(status, changes), capture)._tag).toBe(ofCapture);
  });

  it("of another key, or of none, is never evidence", () => {
    expect(chargeOutcomeOf(payment("captured"), "ap_key-2")._tag).toBe("Unknown");
    expect(chargeOutcomeOf(payment("captured", { notes: [] }), "ap_key-1")._tag).toBe("Unknown");
  });
});
