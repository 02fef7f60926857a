import { describe, expect, it } from "@effect/vitest";
import { Effect } from "effect";
import { stripeStandIn } from "../conformance/stripeStandIn.ts";
import { stripeAt, stripeTraits } from "../conformance/stripeSubject.ts";
import { asked, chargeOf, operationOn } from "../conformance/Subject.ts";
import { answering } from "../standIns.ts";

const charge = (key: string, changes: Parameters<typeof chargeOf>[2] = {}) => chargeOf(stripeTraits, key, changes);

/** An account on which so much was charged after ours that the list does not reach it. */
const busy = Effect.gen(function* () {
  const standIn = yield* stripeStandIn;
  const gateway = yield* stripeAt(standIn.url);
  yield* gateway.start(charge("ap_key-1"));
  yield* Effect.forEach(
    Array.from({ length: 500 }, (_, index) => index),
    (index) => gateway.start(charge(`ap_other-${index}`)),
    { concurrency: 8, discard: true },
  );
  return { standIn, gateway };
});

describe("a look-up at Stripe", () => {
  it.live("on a busy account searches where the list ends, and reads what it finds afresh", () =>
    Effect.gen(function* () {
      const { standIn, gateway } = yield* busy;
      expect(yield* gateway.lookUp(asked(charge("ap_key-1")))).toMatchObject({ _tag: "Approved" });
      const [search, retrieve] = standIn.requests.slice(-2).map(({ path }) => path);
      expect(search).toBe("/v1/payment_intents/search");
      expect(retrieve).toBe(`/v1/payment_intents/${standIn.ledger.charges[0]!.id}`);
    }),
  );

  it.live("that neither list nor index can answer says that the same request would", () =>
    Effect.gen(function* () {
      const { gateway } = yield* busy;
      expect(yield* gateway.lookUp(asked(charge("ap_key-2")))).toMatchObject({ _tag: "Unknown", sameKeyAnswers: true });
    }),
  );

  it.live("never takes another key's PaymentIntent for ours, whatever its id and reference", () =>
    Effect.gen(function* () {
      const standIn = yield* stripeStandIn;
      const gateway = yield* stripeAt(standIn.url);
      const started = yield* gateway.start(charge("ap_key-1"));
      if (started._tag !== "Approved") throw new Error(`the charge is ${started._tag}`);
      const other = yield* gateway.lookUp(asked(charge("ap_key-2"), started.gatewayTransactionId));
      expect(other).toMatchObject({ _tag: "Unknown", reason: expect.stringContaining("another key's") });
    }),
  );

  it.live("of a customer who failed 3-D Secure says that authentication is what is missing", () =>
    Effect.gen(function* () {
      const url = yield* answering(200, {
        id: "pi_1",
        object: "payment_intent",
        status: "requires_payment_method",
        amount: 1999,
        currency: "usd",
        metadata: { aegis_key: "ap_key-1" },
        last_payment_error: { type: "invalid_request_error", code: "payment_intent_authentication_failure" },
      });
      const gateway = yield* stripeAt(url);
      expect(yield* gateway.lookUp(asked(charge("ap_key-1"), "pi_1"))).toMatchObject({
        _tag: "Declined",
        code: "authentication_required",
        declineCode: "payment_intent_authentication_failure",
      });
    }),
  );
});

describe("a webhook of Stripe", () => {
  it.live("about a charge that was captured in part is still about the charge, by its key and its amount", () =>
    Effect.gen(function* () {
      const standIn = yield* stripeStandIn;
      const gateway = yield* stripeAt(standIn.url);
      const started = yield* gateway.start(charge("ap_key-1", { capture: "manual" }));
      if (started._tag !== "Approved") throw new Error(`the charge is ${started._tag}`);
      const part = { value: 700, currency: "USD" };
      yield* gateway.operate(operationOn(started.gatewayTransactionId, "capture", "ap_key-2", part));
      const [delivery] = standIn.webhooks();
      expect(gateway.readWebhook?.(delivery!)).toMatchObject({
        _tag: "Verified",
        notifications: [{ idempotencyKey: "ap_key-1", reference: "shop/order-1", amount: { value: 1999 } }],
      });
    }),
  );

  it.live("about nothing of ours is verified, and names no key", () =>
    Effect.gen(function* () {
      const standIn = yield* stripeStandIn;
      const gateway = yield* stripeAt(standIn.url);
      const foreign = {
        id: "pi_9",
        object: "payment_intent",
        status: "succeeded",
        amount: 5,
        currency: "usd",
        metadata: {},
      };
      const verdict = gateway.readWebhook?.(standIn.sign("payment_intent.succeeded", "evt_9", foreign));
      expect(verdict).toMatchObject({ _tag: "Verified", notifications: [{ dedupeKey: "evt_9" }] });
      expect(verdict).not.toHaveProperty("notifications.0.idempotencyKey");
    }),
  );
});

describe("a capture at Stripe", () => {
  for (const [whose, metadata, outcome] of [
    ["ours", { aegis_capture_key: "ap_key-2" }, { _tag: "Done", amount: { value: 700, currency: "USD" } }],
    ["another key's", { aegis_capture_key: "ap_key-3" }, { _tag: "Refused", code: "already_captured" }],
    ["nobody's by name", {}, { _tag: "Unknown", sameKeyAnswers: true }],
  ] as const) {
    it.live(`that is ${whose} when it is looked up is ${outcome._tag}`, () =>
      Effect.gen(function* () {
        const url = yield* answering(200, {
          id: "pi_1",
          object: "payment_intent",
          status: "succeeded",
          amount: 1999,
          amount_received: 700,
          currency: "usd",
          metadata: { aegis_key: "ap_key-1", ...metadata },
        });
        const gateway = yield* stripeAt(url);
        const capture = operationOn("pi_1", "capture", "ap_key-2", { value: 700, currency: "USD" });
        expect(yield* gateway.lookUpOperation(capture)).toMatchObject(outcome);
      }),
    );
  }
});

describe("a charge at Stripe", () => {
  it.live("under a key that was used with other parameters is Unknown", () =>
    Effect.gen(function* () {
      const standIn = yield* stripeStandIn;
      const gateway = yield* stripeAt(standIn.url);
      yield* gateway.start(charge("ap_key-1"));
      const other = yield* gateway.start(charge("ap_key-1", { amount: { value: 1, currency: "USD" } }));
      expect(other).toMatchObject({ _tag: "Unknown" });
      expect(standIn.ledger.charges).toHaveLength(1);
    }),
  );

  it.live("of an amount that Stripe cannot express is declined without a call, and may move on", () =>
    Effect.gen(function* () {
      const standIn = yield* stripeStandIn;
      const gateway = yield* stripeAt(standIn.url);
      const outcome = yield* gateway.start(charge("ap_key-1", { amount: { value: 5124, currency: "KWD" } }));
      expect(outcome).toMatchObject({ _tag: "Declined", code: "amount_unsupported", tryAnotherGateway: true });
      expect(standIn.requests).toEqual([]);
    }),
  );

  it.live("that is turned away for its rate says for how long, and for its key shows nothing of it", () =>
    Effect.gen(function* () {
      const standIn = yield* stripeStandIn;
      const gateway = yield* stripeAt(standIn.url);
      standIn.fault("limit the rate");
      expect(yield* gateway.start(charge("ap_key-1"))).toMatchObject({ _tag: "NotSent", retryAfterMillis: 2_000 });
      standIn.fault("refuse the key");
      expect(JSON.stringify(yield* gateway.start(charge("ap_key-1")))).not.toContain("sk_test");
    }),
  );

  it.live("that waits for something else than a redirect is Unknown, since nobody could be sent there", () =>
    Effect.gen(function* () {
      const intent = { id: "pi_1", object: "payment_intent", status: "requires_action", amount: 1999, currency: "usd" };
      const next_action = { type: "use_stripe_sdk", use_stripe_sdk: {} };
      const gateway = yield* stripeAt(
        yield* answering(200, { ...intent, metadata: { aegis_key: "ap_key-1" }, next_action }),
      );
      expect(yield* gateway.start(charge("ap_key-1"))).toMatchObject({ _tag: "Unknown" });
    }),
  );

  it.live("whose TLS handshake fails was never sent", () =>
    Effect.gen(function* () {
      const standIn = yield* stripeStandIn;
      const gateway = yield* stripeAt(standIn.url.replace("http:", "https:"));
      expect(yield* gateway.start(charge("ap_key-1"))).toMatchObject({ _tag: "NotSent" });
      expect(standIn.requests).toEqual([]);
    }),
  );
});
