/**
 * The gateways' own libraries as judges of signatures: what they sign we believe, what the stand-ins sign they believe, and
 * what they call forged so do we.
 */
import { adyenWebhook } from "@aegispay/gateways/adyen/AdyenWebhook";
import { razorpayWebhook } from "@aegispay/gateways/razorpay/RazorpayWebhook";
import { stripeWebhook } from "@aegispay/gateways/stripe/StripeWebhook";
import type { ReadWebhook, WebhookDelivery } from "@aegispay/gateways/webhooks/Webhook";
import type { Types } from "@adyen/api-library";
import { hmacValidator as HmacValidator } from "@adyen/api-library";
import { Redacted } from "effect";
import { createHmac } from "node:crypto";
import Razorpay from "razorpay";
import { Stripe } from "stripe";
import { describe, expect, it } from "vitest";
import { adyenHmacKey, merchantAccount, signedBatch, type AdyenItem } from "./adyenStandIn.ts";
import { razorpayWebhookSecret } from "./razorpayStandIn.ts";
import { stripeKey, stripeWebhookSecret } from "./stripeStandIn.ts";

const tagOf = (read: ReadWebhook, body: string, headers: WebhookDelivery["headers"] = {}, nowMillis = Date.now()) =>
  read({ rawBody: Buffer.from(body), headers, nowMillis })._tag;

describe("Stripe's library", () => {
  const { webhooks } = new Stripe(stripeKey);
  const payload = JSON.stringify({ id: "evt_1", object: "event", type: "ping", data: { object: {} } });
  const read = stripeWebhook([Redacted.make("whsec_other"), Redacted.make(stripeWebhookSecret)]);

  it("signs what we believe, and not with another secret", () => {
    const header = webhooks.generateTestHeaderString({ payload, secret: stripeWebhookSecret });
    expect(tagOf(read, payload, { "stripe-signature": header })).toBe("Verified");
    const other = webhooks.generateTestHeaderString({ payload, secret: "whsec_nobodys" });
    expect(tagOf(read, payload, { "stripe-signature": other })).toBe("Forged");
  });

  it("draws the line of what is too old where we do", () => {
    const now = Date.now();
    for (const ageSeconds of [0, 299, 301, 3_600]) {
      const timestamp = Math.floor(now / 1000) - ageSeconds;
      const header = webhooks.generateTestHeaderString({ payload, secret: stripeWebhookSecret, timestamp });
      let theirs = "Verified";
      try {
        webhooks.constructEvent(payload, header, stripeWebhookSecret);
      } catch {
        theirs = "Forged";
      }
      expect(tagOf(read, payload, { "stripe-signature": header }, now)).toBe(theirs);
    }
  });

  it("believes what the stand-in signs", () => {
    const timestamp = Math.floor(Date.now() / 1000);
    const signature = createHmac("sha256", stripeWebhookSecret).update(`${timestamp}.${payload}`).digest("hex");
    const event = webhooks.constructEvent(payload, `t=${timestamp},v1=${signature}`, stripeWebhookSecret);
    expect(event.id).toBe("evt_1");
  });
});

describe("Adyen's library", () => {
  const validator = new HmacValidator();
  const read = adyenWebhook(merchantAccount, [Redacted.make(adyenHmacKey)]);
  const items: ReadonlyArray<AdyenItem> = [
    {
      eventCode: "AUTHORISATION",
      success: "true",
      pspReference: "PSP0000000000001",
      merchantReference: "ap_key-1",
      amount: { value: 1999, currency: "EUR" },
    },
    {
      eventCode: "REFUND",
      success: "false",
      pspReference: "PSP0000000000002",
      originalReference: "PSP0000000000001",
      merchantReference: "ap_key-2",
      amount: { value: 0, currency: "EUR" },
    },
  ];
  const itemOf = (item: AdyenItem) =>
    ({ ...item, merchantAccountCode: merchantAccount }) as unknown as Types.notification.NotificationRequestItem;

  it("signs what we believe, and not with another key", () => {
    for (const [key, tag] of [
      [adyenHmacKey, "Verified"],
      ["00".repeat(32), "Forged"],
    ] as const) {
      const signed = items.map((item) => ({
        NotificationRequestItem: {
          ...item,
          merchantAccountCode: merchantAccount,
          additionalData: { hmacSignature: validator.calculateHmac(itemOf(item), key) },
        },
      }));
      expect(tagOf(read, JSON.stringify({ live: "false", notificationItems: signed }))).toBe(tag);
    }
  });

  it("believes what the stand-in signs", () => {
    const batch = JSON.parse(Buffer.from(signedBatch(items).rawBody).toString("utf8")) as {
      readonly notificationItems: ReadonlyArray<{
        readonly NotificationRequestItem: Types.notification.NotificationRequestItem;
      }>;
    };
    for (const { NotificationRequestItem } of batch.notificationItems) {
      expect(validator.validateHMAC(NotificationRequestItem, adyenHmacKey)).toBe(true);
    }
  });

  it("is not imitated where a key of no hex would sign like an empty one", () => {
    const item = { ...items[0]!, merchantAccountCode: merchantAccount };
    const additionalData = { hmacSignature: validator.calculateHmac(itemOf(items[0]!), "") };
    const body = JSON.stringify({ notificationItems: [{ NotificationRequestItem: { ...item, additionalData } }] });
    expect(tagOf(adyenWebhook(merchantAccount, [Redacted.make("no hex at all")]), body)).toBe("Forged");
  });
});

describe("Razorpay's library", () => {
  const body = JSON.stringify({ entity: "event", event: "payment.captured", payload: {} });
  const read = razorpayWebhook([Redacted.make(razorpayWebhookSecret)]);
  const sign = (secret: string) => createHmac("sha256", secret).update(body).digest("hex");

  it("believes exactly the signatures that we believe", () => {
    for (const secret of [razorpayWebhookSecret, "somebody else's"]) {
      const signature = sign(secret);
      const theirs = Razorpay.validateWebhookSignature(body, signature, razorpayWebhookSecret);
      expect(tagOf(read, body, { "x-razorpay-signature": signature })).toBe(theirs ? "Verified" : "Forged");
    }
  });
});
