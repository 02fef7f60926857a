import { describe, expect, it } from "@effect/vitest";
import { Effect } from "effect";
import { razorpayStandIn } from "../conformance/razorpayStandIn.ts";
import { razorpayAt, razorpayTraits } from "../conformance/razorpaySubject.ts";
import { asked, chargeOf, operationOn } from "../conformance/Subject.ts";

const request = chargeOf(razorpayTraits, "ap_key-1");

describe("a charge at Razorpay, which takes no key for it", () => {
  it.live("waits while an order of an earlier try may still be paid, and then pays that very order", () =>
    Effect.gen(function* () {
      const standIn = yield* razorpayStandIn;
      const gateway = yield* razorpayAt(standIn.url);
      standIn.fault("reset", 1);
      expect(yield* gateway.start(request)).toMatchObject({ _tag: "Unknown" });
      expect(yield* gateway.lookUp(asked(request))).toMatchObject({
        _tag: "Unknown",
        reason: expect.stringContaining("may still be paid"),
      });
      expect(yield* gateway.start(request)).toMatchObject({ _tag: "Unknown" });
      yield* standIn.timePasses;
      expect(yield* gateway.lookUp(asked(request))).toEqual({ _tag: "NotFound" });
      expect(yield* gateway.start(request)).toMatchObject({ _tag: "Approved" });
      expect(standIn.ledger.charges).toHaveLength(1);
      const [first, last] = standIn.requests
        .filter(({ path }) => path.endsWith("/recurring"))
        .map(({ body }) => (JSON.parse(body) as { readonly order_id: string }).order_id);
      expect(last).toBe(first);
    }),
  );

  it.live("is answered by the payment that is there, however many orders there are", () =>
    Effect.gen(function* () {
      const standIn = yield* razorpayStandIn;
      const gateway = yield* razorpayAt(standIn.url);
      const started = yield* gateway.start(request);
      expect(yield* gateway.start(request)).toEqual(started);
      yield* standIn.timePasses;
      expect(yield* gateway.start(request)).toEqual(started);
      expect(yield* gateway.lookUp(asked(request))).toEqual(started);
      expect(standIn.ledger.charges).toHaveLength(1);
    }),
  );

  it.live("of several tries at once is made by one of them at most", () =>
    Effect.gen(function* () {
      const standIn = yield* razorpayStandIn;
      const gateway = yield* razorpayAt(standIn.url);
      yield* Effect.all(
        Array.from({ length: 6 }, () => gateway.start(request)),
        { concurrency: "unbounded" },
      );
      expect(standIn.ledger.charges.length).toBeLessThanOrEqual(1);
      yield* standIn.timePasses;
      yield* gateway.start(request);
      expect(standIn.ledger.charges).toHaveLength(1);
    }),
  );

  it.live("for nobody is declined without a call, and may move on", () =>
    Effect.gen(function* () {
      const standIn = yield* razorpayStandIn;
      const gateway = yield* razorpayAt(standIn.url);
      const { customer: _customer, ...anonymous } = request;
      const outcome = yield* gateway.start(anonymous);
      expect(outcome).toMatchObject({ _tag: "Declined", code: "customer_required", tryAnotherGateway: true });
      expect(standIn.requests).toEqual([]);
    }),
  );

  it.live("keeps of its customer nothing in what it reports", () =>
    Effect.gen(function* () {
      const standIn = yield* razorpayStandIn;
      const gateway = yield* razorpayAt(standIn.url);
      const started = yield* gateway.start(request);
      expect(JSON.stringify([started, yield* gateway.lookUp(asked(request))])).not.toMatch(/ada@|\+91/);
    }),
  );
});

describe("a capture at Razorpay", () => {
  it.live("of a part is refused, since Razorpay captures all or nothing", () =>
    Effect.gen(function* () {
      const standIn = yield* razorpayStandIn;
      const gateway = yield* razorpayAt(standIn.url);
      const started = yield* gateway.start({ ...request, capture: "manual" });
      if (started._tag !== "Approved") throw new Error(`the charge is ${started._tag}`);
      const part = operationOn(started.gatewayTransactionId, "capture", "ap_key-2", { value: 700, currency: "INR" });
      expect(yield* gateway.operate(part)).toMatchObject({ _tag: "Refused" });
    }),
  );
});
