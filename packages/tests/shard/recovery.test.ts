import { RecoveryCount } from "@aegispay/runtime/shard/Recovery";
import { describe, expect, it } from "vitest";

describe("the count of a recovery", () => {
  it("is complete at once where nothing was left behind", () => {
    const count = new RecoveryCount(0);
    expect(count.isComplete).toBe(true);
    expect(count.figures).toEqual({
      totalPayments: 0,
      inFlightPayments: 0,
      recoveredPayments: 0,
      failedRecoveries: 0,
      complete: true,
      payments: [],
    });
  });

  it("tells payments that still owed something from those that only had an ack to come", () => {
    const count = new RecoveryCount(3);
    count.found("shop/owing", true);
    count.found("shop/settled", false);
    expect(count.figures).toMatchObject({
      totalPayments: 2,
      inFlightPayments: 1,
      recoveredPayments: 0,
      payments: ["shop/owing"],
    });
  });

  it("counts a payment as recovered when what it owed has come to rest", () => {
    const count = new RecoveryCount(2);
    count.found("shop/one", true);
    count.settled("shop/one");
    count.found("shop/two", false);
    expect(count.isComplete).toBe(false);
    count.settled("shop/two");
    expect(count.figures).toMatchObject({
      totalPayments: 2,
      inFlightPayments: 1,
      recoveredPayments: 1,
      failedRecoveries: 0,
      complete: true,
    });
  });

  it("counts a payment once, however many of its deliveries were left behind", () => {
    const count = new RecoveryCount(3);
    for (let delivery = 0; delivery < 3; delivery++) {
      expect(count.isComplete).toBe(false);
      count.found("shop/one", true);
      count.settled("shop/one");
    }
    expect(count.figures).toMatchObject({
      totalPayments: 1,
      inFlightPayments: 1,
      recoveredPayments: 1,
      complete: true,
      payments: ["shop/one"],
    });
  });

  it("counts a payment that was parked as in flight and failed, never as recovered", () => {
    const count = new RecoveryCount(2);
    count.found("shop/one", true);
    count.settled("shop/one");
    count.failed("shop/one");
    expect(count.figures).toMatchObject({
      totalPayments: 1,
      inFlightPayments: 1,
      recoveredPayments: 0,
      failedRecoveries: 1,
      complete: true,
      payments: ["shop/one"],
    });
  });

  it("counts what was refused, without a look at its payment, as one that owed nothing", () => {
    const count = new RecoveryCount(1);
    count.settled("shop/one");
    expect(count.figures).toMatchObject({
      totalPayments: 1,
      inFlightPayments: 0,
      recoveredPayments: 0,
      complete: true,
    });
  });

  it("is complete even where more came than had been left behind", () => {
    const count = new RecoveryCount(1);
    for (const payment of ["shop/one", "shop/two"]) count.settled(payment);
    expect(count.isComplete).toBe(true);
  });

  it("adds up: the recovered and the failed are in flight, those in flight are part of all", () => {
    const count = new RecoveryCount(1_000);
    for (let index = 0; index < 1_000; index++) {
      const payment = `shop/${index}`;
      count.found(payment, index % 2 === 0);
      if (index % 7 === 0) count.failed(payment);
      else if (index % 3 === 0) count.settled(payment);
    }
    const { totalPayments, inFlightPayments, recoveredPayments, failedRecoveries } = count.figures;
    expect(totalPayments).toBe(1_000);
    expect(recoveredPayments + failedRecoveries).toBeLessThanOrEqual(inFlightPayments);
    expect(inFlightPayments).toBeLessThanOrEqual(totalPayments);
  });

  it("lists the payments that were in flight, a thousand of them at most, and counts all", () => {
    const count = new RecoveryCount(1_500);
    for (let index = 0; index < 1_500; index++) count.found(`shop/${index}`, true);
    const { payments, inFlightPayments } = count.figures;
    expect([payments.length, payments[0], inFlightPayments]).toEqual([1_000, "shop/0", 1_500]);
  });
});
