import { isOperation } from "@aegispay/core/payment/Errand";
import { errandsOf } from "@aegispay/core/payment/intents";
import { authorized, captured, capturing, refunded, refunding } from "@aegispay/core/payment/reservations";
import { describe, expect, it } from "vitest";
import { eventsOf, holds, holdsAtEveryStep, ofType } from "./paymentHistories.ts";

describe("whatever comes in whatever order", () => {
  it("what is captured and being captured is never more than was authorized", () => {
    holdsAtEveryStep(({ after }) => {
      if (after.name !== "ABSENT") expect(captured(after) + capturing(after)).toBeLessThanOrEqual(authorized(after));
    });
  });

  it("what is given back, being given back, or may have been given back is never more than was captured", () => {
    holdsAtEveryStep(({ after }) => {
      if (after.name !== "ABSENT") expect(refunded(after) + refunding(after)).toBeLessThanOrEqual(captured(after));
    });
  });

  it("money is whole minor units of one currency", () => {
    holdsAtEveryStep(({ after }) => {
      if (after.name === "ABSENT") return;
      for (const sum of [authorized(after), captured(after), refunded(after)]) {
        expect(Number.isSafeInteger(sum) && sum >= 0).toBe(true);
      }
      const { currency } = after.order.create.amount;
      for (const errand of errandsOf(after)) {
        if (isOperation(errand) && errand.purpose !== "compensation" && errand.amount !== undefined) {
          expect(errand.amount.currency).toBe(currency);
        }
      }
    });
  });

  it("an amount, currency or status that was not asked for never ends well without a person's word", () => {
    holdsAtEveryStep(({ before, after, events }) => {
      if (ofType(events, "IntegrityMismatchDetected.v2").length === 0) return;
      expect(["NEEDS_REVIEW", before.name]).toContain(after.name);
      if (after.name !== "NEEDS_REVIEW") {
        // Of the compensation of a late success, while another attempt is open: people are asked when that has ended.
        expect(["PROCESSING", "OUTCOME_UNKNOWN"]).toContain(after.name);
      }
    });
  });

  it("a late success is undone by exactly one void or refund, whatever else comes", () => {
    holds((life) => {
      const events = eventsOf(life);
      const late = ofType(events, "LateSuccessDetected").map(({ data }) => data.attempt);
      expect(new Set(late).size).toBe(late.length);
      const compensations = events.flatMap((event) =>
        (event.type === "VoidRequested" || event.type === "RefundRequested") && event.data.purpose === "compensation"
          ? [event.data.attempt]
          : [],
      );
      expect(compensations).toEqual(late);
    });
  });
});
