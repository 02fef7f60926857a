import { describe, expect, it } from "@effect/vitest";
import { Effect } from "effect";
import { adyenStandIn } from "../conformance/adyenStandIn.ts";
import { adyenAt, adyenTraits } from "../conformance/adyenSubject.ts";
import { asked, chargeOf, operationOn } from "../conformance/Subject.ts";
import { answering } from "../standIns.ts";

const waiting = chargeOf(adyenTraits, "ap_key-1", { token: "stored_3ds" });

describe("3-D Secure at Adyen", () => {
  it.live("goes on once what the customer brought back is handed on", () =>
    Effect.gen(function* () {
      const standIn = yield* adyenStandIn;
      const gateway = yield* adyenAt(standIn.url);
      expect(yield* gateway.start(waiting)).toMatchObject({ _tag: "ActionRequired", gatewayTransactionId: "ap_key-1" });
      const brought = { redirectResult: `result-${standIn.ledger.charges[0]!.id}` };
      const finished = yield* gateway.finishAction!(asked(waiting), brought);
      expect(finished).toMatchObject({ _tag: "Approved", amount: waiting.amount });
    }),
  );

  it.live("is not decided by an error about what was brought, for instance a second time", () =>
    Effect.gen(function* () {
      const standIn = yield* adyenStandIn;
      const gateway = yield* adyenAt(standIn.url);
      yield* gateway.start(waiting);
      const finished = yield* gateway.finishAction!(asked(waiting), { redirectResult: "used-up" });
      expect(finished).toEqual({ _tag: "Unknown", reason: "answered 422" });
    }),
  );

  it.live("does not take anything at all for what a customer brings back", () =>
    Effect.gen(function* () {
      const standIn = yield* adyenStandIn;
      const gateway = yield* adyenAt(standIn.url);
      for (const brought of [undefined, null, "x", {}, { redirectResult: 1 }, { redirectResult: "" }]) {
        expect(yield* gateway.finishAction!(asked(waiting), brought)).toMatchObject({ _tag: "Unknown" });
      }
      expect(standIn.requests).toEqual([]);
    }),
  );

  it.live("that would need more than a plain redirect is Unknown", () =>
    Effect.gen(function* () {
      const action = { type: "redirect", method: "POST", url: "https://bank.example", data: { PaReq: "x" } };
      const gateway = yield* adyenAt(yield* answering(200, { resultCode: "RedirectShopper", action }));
      expect(yield* gateway.start(waiting)).toMatchObject({ _tag: "Unknown" });
    }),
  );

  it.live("that waits is voided by our own reference, since Adyen has not named it yet", () =>
    Effect.gen(function* () {
      const url = yield* answering(201, { status: "received", pspReference: "PSP1", reference: "ap_key-2" });
      const gateway = yield* adyenAt(url);
      const outcome = yield* gateway.operate(operationOn("ap_key-1", "void", "ap_key-2"));
      expect(outcome).toEqual({ _tag: "Unknown", reason: "received as PSP1: a webhook will tell" });
    }),
  );
});

describe("an answer of Adyen's", () => {
  it.live("about another key's payment is Unknown", () =>
    Effect.gen(function* () {
      const result = { resultCode: "Authorised", pspReference: "PSP1", merchantReference: "ap_key-9" };
      const url = yield* answering(200, { ...result, amount: { value: 1999, currency: "EUR" } });
      const gateway = yield* adyenAt(url);
      expect(yield* gateway.start(chargeOf(adyenTraits, "ap_key-1"))).toMatchObject({ _tag: "Unknown" });
    }),
  );

  it.live("that authorises less than was asked for says how much", () =>
    Effect.gen(function* () {
      const result = { resultCode: "PartiallyAuthorised", pspReference: "PSP1", merchantReference: "ap_key-1" };
      const url = yield* answering(200, { ...result, amount: { value: 500, currency: "EUR" } });
      const gateway = yield* adyenAt(url);
      const outcome = yield* gateway.start(chargeOf(adyenTraits, "ap_key-1"));
      expect(outcome).toMatchObject({ _tag: "Approved", amount: { value: 500, currency: "EUR" } });
    }),
  );
});
