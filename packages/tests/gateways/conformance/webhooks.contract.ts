/** What every adapter's reader of webhooks has to do: believe only what is signed, and say which of our keys it is about. */
import type { Gateway } from "@aegispay/gateways/Gateway";
import type { WebhookDelivery } from "@aegispay/gateways/webhooks/Webhook";
import { describe, expect, it } from "@effect/vitest";
import { Effect } from "effect";
import { verified } from "./standInSubject.ts";
import { chargeOf, type MakeSubject, operationOn, type Traits } from "./Subject.ts";

/** A charge and a refund of a part of it, with what the gateway sends about them. */
const charged = (traits: Traits, make: MakeSubject) =>
  Effect.gen(function* () {
    const subject = yield* make;
    const started = yield* subject.gateway.start(chargeOf(traits, "ap_key-1"));
    if (started._tag !== "Approved") throw new Error(`the charge is ${started._tag}`);
    const { gatewayTransactionId } = started;
    const amount = { value: 700, currency: traits.currency };
    yield* subject.gateway.operate(operationOn(gatewayTransactionId, "refund", "ap_key-0000002", amount));
    const deliveries = subject.webhooks();
    return { gateway: subject.gateway, deliveries, delivery: deliveries[0]!, gatewayTransactionId };
  });

const textOf = ({ rawBody }: WebhookDelivery): string => Buffer.from(rawBody).toString("utf8");

const read = ({ readWebhook }: Gateway, delivery: WebhookDelivery) => {
  if (readWebhook === undefined) throw new Error("the gateway reads no webhooks");
  return readWebhook(delivery);
};

/** The same bytes under other headers, or other bytes under the same. */
const withText = (delivery: WebhookDelivery, text: string): WebhookDelivery => ({
  ...delivery,
  rawBody: Buffer.from(text),
});

export const describeWebhooks = (traits: Traits, make: MakeSubject): void => {
  const { forge, name } = traits;
  if (forge === undefined) return;
  describe(`webhooks of ${name}`, () => {
    it.live(`${name}: a signed one names our key, the charge, the amount and the currency`, () =>
      Effect.gen(function* () {
        const { gateway, deliveries, gatewayTransactionId } = yield* charged(traits, make);
        const [ofCharge, ofRefund] = verified(gateway, deliveries);
        expect(ofCharge).toMatchObject({
          idempotencyKey: "ap_key-1",
          gatewayTransactionId,
          amount: { value: 1999, currency: traits.currency },
        });
        expect(ofRefund).toMatchObject({
          idempotencyKey: "ap_key-0000002",
          gatewayTransactionId,
          amount: { value: 700, currency: traits.currency },
        });
      }),
    );

    it.live(`${name}: a replayed one is known by its dedupe key, another event is not taken for it`, () =>
      Effect.gen(function* () {
        const { gateway, deliveries } = yield* charged(traits, make);
        const once = verified(gateway, deliveries);
        expect(verified(gateway, [...deliveries, ...deliveries])).toEqual(once);
        expect(new Set(once.map(({ dedupeKey }) => dedupeKey)).size).toBe(deliveries.length);
      }),
    );

    it.live(`${name}: a changed body is forged`, () =>
      Effect.gen(function* () {
        const { gateway, delivery } = yield* charged(traits, make);
        const forged = forge(textOf(delivery));
        expect(forged).not.toBe(textOf(delivery));
        expect(read(gateway, withText(delivery, forged))).toMatchObject({ _tag: "Forged" });
      }),
    );

    it.live(`${name}: headers without a signature, or with half of one, are forged or unreadable`, () =>
      Effect.gen(function* () {
        const { gateway, delivery } = yield* charged(traits, make);
        const cut = Object.fromEntries(
          Object.entries(delivery.headers).map(([header, value]) => [header, value?.slice(0, -2)]),
        );
        const unsigned = textOf(delivery).replace(/"hmacSignature":"[^"]*"/, '"hmacSignature":""');
        expect(read(gateway, { ...withText(delivery, unsigned), headers: {} })).toMatchObject({ _tag: "Forged" });
        const short = textOf(delivery).replace(/("hmacSignature":"[^"]{8})[^"]*"/, '$1"');
        expect(read(gateway, { ...withText(delivery, short), headers: cut })).toMatchObject({ _tag: "Forged" });
      }),
    );

    it.live(`${name}: no body whatever makes it throw`, () =>
      Effect.gen(function* () {
        const { gateway, delivery } = yield* charged(traits, make);
        for (const text of ["", "{", "null", "[]", "\u0000", `{"a":${"[".repeat(5_000)}`]) {
          expect(["Forged", "Unreadable"]).toContain(read(gateway, withText(delivery, text))._tag);
        }
      }),
    );

    it.live(
      `${name}: one that is ${traits.signaturesAge ? "over five minutes old is forged" : "old is still believed"}`,
      () =>
        Effect.gen(function* () {
          const { gateway, delivery } = yield* charged(traits, make);
          const late = { ...delivery, nowMillis: delivery.nowMillis + 301_000 };
          expect(read(gateway, late)._tag).toBe(traits.signaturesAge ? "Forged" : "Verified");
        }),
    );
  });
};
