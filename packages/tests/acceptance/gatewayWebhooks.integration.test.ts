/**
 * Webhooks of Adyen, Stripe and Razorpay as they sign them, through the real endpoint and a real node, against stand-ins that
 * have books of their own. The schedule of look-ups is an hour away: what ends, ends by the webhook.
 */
import type { WebhookDelivery } from "@aegispay/gateways/webhooks/Webhook";
import { Effect, Exit, Scope } from "effect";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  adyenHmacKey,
  adyenKey,
  adyenStandIn,
  merchantAccount,
  signedBatch,
} from "../gateways/conformance/adyenStandIn.ts";
import {
  razorpayKeyId,
  razorpayKeySecret,
  razorpayStandIn,
  razorpayWebhookSecret,
} from "../gateways/conformance/razorpayStandIn.ts";
import { stripeKey, stripeStandIn, stripeWebhookSecret } from "../gateways/conformance/stripeStandIn.ts";
import { startCluster, type Cluster, type NodeGroup } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { lifecycleAt, type Lifecycle } from "../support/lifecycle.ts";
import { insist } from "../support/plainClient.ts";
import { post, webhooksCounted } from "../support/webhooks.ts";

const scope = Effect.runSync(Scope.make());
const inScope = <A>(effect: Effect.Effect<A, never, Scope.Scope>): Promise<A> =>
  Effect.runPromise(Effect.provideService(effect, Scope.Scope, scope));

const start = async () => {
  const adyen = await inScope(adyenStandIn);
  const stripe = await inScope(stripeStandIn);
  const razorpay = await inScope(razorpayStandIn);
  const policy = { lookUpDelaysMillis: [3_600_000, 3_600_000], maxRetries: 1, retryDelaysMillis: [50] };
  const cluster = await startCluster({ policy });
  const file = join(cluster.folder, "gateways.json");
  const env = (name: string) => ({ env: name });
  const common = { timeoutMillis: 2_000 };
  writeFileSync(
    file,
    JSON.stringify({
      gateways: [
        {
          name: "adyen",
          type: "adyen",
          merchantAccount,
          apiKey: env("ADYEN_KEY"),
          hmacKeys: [env("ADYEN_HMAC")],
          returnUrl: "https://shop.example/back",
          url: adyen.url,
          ...common,
        },
        {
          name: "stripe",
          type: "stripe",
          secretKey: env("STRIPE_KEY"),
          webhookSecrets: [env("STRIPE_WEBHOOK")],
          returnUrl: "https://shop.example/back",
          url: stripe.url,
          ...common,
        },
        {
          name: "razorpay",
          type: "razorpay",
          keyId: env("RAZORPAY_ID"),
          keySecret: env("RAZORPAY_SECRET"),
          webhookSecrets: [env("RAZORPAY_WEBHOOK")],
          url: razorpay.url,
          ...common,
        },
      ],
    }),
  );
  const node = await cluster.startNodes({
    nodeId: "hooked",
    env: {
      AEGISPAY_GATEWAYS: file,
      ADYEN_KEY: adyenKey,
      ADYEN_HMAC: adyenHmacKey,
      STRIPE_KEY: stripeKey,
      STRIPE_WEBHOOK: stripeWebhookSecret,
      RAZORPAY_ID: razorpayKeyId,
      RAZORPAY_SECRET: razorpayKeySecret,
      RAZORPAY_WEBHOOK: razorpayWebhookSecret,
    },
  });
  return { adyen, stripe, razorpay, cluster, node };
};

let cluster: Cluster;
let node: NodeGroup;
let life: Lifecycle;
let adyen: Awaited<ReturnType<typeof start>>["adyen"];
let stripe: Awaited<ReturnType<typeof start>>["stripe"];
let razorpay: Awaited<ReturnType<typeof start>>["razorpay"];

beforeAll(async () => {
  ({ adyen, stripe, razorpay, cluster, node } = await start());
  life = lifecycleAt(cluster);
}, 90_000);
afterAll(async () => {
  await cluster?.stop();
  await Effect.runPromise(Scope.close(scope, Exit.void));
});

const create = (gateway: string, payment: string, token: string, capture: "automatic" | "manual", currency = "EUR") =>
  insist(cluster.connection, {
    payment,
    body: {
      amount: { value: 1999, currency },
      method: { type: "card", token },
      capture,
      gateway,
      customer: { id: "cust_1", email: "a@shop.example", phone: "+911234567890" },
    },
  });

const postAll = async (gateway: string, deliveries: ReadonlyArray<WebhookDelivery>): Promise<void> => {
  for (const delivery of deliveries) expect(await post(node.http, gateway, delivery)).toBe(200);
};

/** Asked for, and nobody waits: the answer comes only with the webhook. */
const ask = (verb: string, payment: string, body: unknown, commandId: string) =>
  void life.order(verb, payment, body, commandId).catch(() => undefined);

describe("Adyen, which cannot be asked", () => {
  it("ends a capture, a refund and a void by its signed webhooks", async () => {
    expect((await create("adyen", "held", "stored_visa", "manual")).payment).toMatchObject({ state: "AUTHORIZED" });
    ask("capture", "held", {}, "held-capture");
    await life.until("held", "its capture is unknown", ({ captures }) => captures[0]?.status === "UNKNOWN");
    await postAll("adyen", adyen.webhooks());
    const captured = await life.until("held", "it is captured", ({ captures }) => captures[0]?.status === "SUCCEEDED");
    expect(captured).toMatchObject({ state: "SUCCESS", captured: 1999 });

    ask("refund", "held", { amount: { value: 500, currency: "EUR" } }, "held-refund");
    await life.until("held", "its refund is unknown", ({ refunds }) => refunds[0]?.status === "UNKNOWN");
    await postAll("adyen", adyen.webhooks());
    await life.until("held", "it is given back", ({ refunded }) => refunded === 500);
    expect(adyen.ledger.charges[0]).toMatchObject({ captured: 1999, refunded: 500 });

    await create("adyen", "let-go", "stored_visa", "manual");
    ask("void", "let-go", {}, "let-go-void");
    await life.until("let-go", "its void is unknown", ({ voids }) => voids[0]?.status === "UNKNOWN");
    await postAll("adyen", adyen.webhooks());
    await life.until("let-go", "it is voided", ({ state }) => state === "VOIDED");
  });

  it("is heard even when its webhook comes before our own call's answer", async () => {
    await create("adyen", "early", "stored_visa", "manual");
    adyen.fault("never answer");
    ask("capture", "early", {}, "early-capture");
    const isCaptured = () =>
      adyen.ledger.charges.some(({ reference, captured }) => reference === "shop/early" && captured > 0);
    await eventually("Adyen has captured it", isCaptured);
    await postAll("adyen", adyen.webhooks());
    await life.until("early", "it is captured", ({ captured }) => captured === 1999);
  });

  it("leaves evidence that outlives the webhooks and holds nothing of the customer", async () => {
    const { config } = await cluster.manager.streams.info("PAYMENTS_EVIDENCE");
    expect(config.max_age).toBe(0);
    const kept = await cluster.manager.streams.getMessage("PAYMENTS_EVIDENCE", { seq: 1 });
    expect(Object.keys(kept!.json<object>()).toSorted()).toEqual([
      "amount",
      "dedupeKey",
      "event",
      "evidence",
      "gatewayAccount",
      "gatewayTransactionId",
      "idempotencyKey",
      "says",
    ]);
  });

  it("is not believed about a payment that it does not name, whatever stands beside the signature", async () => {
    const before = await life.events("held");
    const item = {
      eventCode: "CAPTURE",
      success: "true",
      pspReference: "PSPFOREIGN",
      originalReference: "PSPOTHER",
      merchantReference: "another system's order",
      amount: { value: 1999, currency: "EUR" },
    } as const;
    const { rawBody, headers, nowMillis } = signedBatch([item]);
    const misled = Buffer.from(rawBody)
      .toString("utf8")
      .replace('"hmacSignature"', '"merchantOrderReference":"shop/held","hmacSignature"');
    expect(await post(node.http, "adyen", { rawBody: Buffer.from(misled), headers })).toBe(200);
    expect(nowMillis).toBeGreaterThan(0);
    await eventually("it is counted", async () => (await webhooksCounted(node.http, "adyen", "unmatched")) === 1);
    expect(await life.events("held")).toEqual(before);
  });

  it("is refused when one item of a batch is signed by somebody else", async () => {
    const item = {
      eventCode: "CAPTURE",
      success: "true",
      pspReference: "PSPX",
      originalReference: "PSPY",
      merchantReference: "x",
      amount: { value: 1, currency: "EUR" },
    } as const;
    expect(await post(node.http, "adyen", signedBatch([item], "00".repeat(32)))).toBe(401);
    expect(await webhooksCounted(node.http, "adyen", "forged")).toBe(1);
  });
});

describe("Stripe", () => {
  it("ends a charge whose answers were lost by its signed webhook", async () => {
    stripe.fault("lose the answer");
    const creating = create("stripe", "striped", "pm_card_visa", "automatic");
    await eventually("Stripe has charged", () => stripe.ledger.charges.length === 1);
    await postAll("stripe", stripe.webhooks());
    expect((await creating).payment).toMatchObject({ state: "SUCCESS", captured: 1999 });
    expect(stripe.ledger.charges).toHaveLength(1);
    expect(await post(node.http, "stripe", stripe.webhooks()[0]!)).toBe(200);
    expect(await webhooksCounted(node.http, "stripe", "duplicate")).toBe(1);
  });
});

describe("a webhook of Stripe's", () => {
  it("about a refund, which names nothing but its key, reaches its payment", async () => {
    stripe.fault("lose the answer");
    ask("refund", "striped", { amount: { value: 400, currency: "EUR" } }, "striped-refund");
    await life.until("striped", "its refund is unknown", ({ refunds }) => refunds[0]?.status === "UNKNOWN");
    await postAll("stripe", stripe.webhooks().slice(-1));
    await life.until("striped", "it is given back", ({ refunded }) => refunded === 400);
    expect(stripe.ledger.charges).toMatchObject([{ refunded: 400 }]);
  });

  it("about a charge of whoever shares the account cannot touch a payment that it names", async () => {
    const before = await life.events("striped");
    const foreign = {
      id: "pi_foreign",
      object: "payment_intent",
      status: "succeeded",
      amount: 1999,
      amount_received: 1999,
      currency: "eur",
      capture_method: "automatic",
      metadata: { aegis_reference: "shop/striped" },
      created: 1,
    };
    expect(await post(node.http, "stripe", stripe.sign("payment_intent.succeeded", "evt_foreign", foreign))).toBe(200);
    await eventually("it is counted", async () => (await webhooksCounted(node.http, "stripe", "unmatched")) === 1);
    expect(await life.events("striped")).toEqual(before);
  });
});

describe("Razorpay", () => {
  it("ends a charge whose answer was lost by its signed webhook", async () => {
    // After the order: the payment is what is not answered.
    razorpay.fault("lose the answer", 1);
    const creating = create("razorpay", "rupees", "token_visa", "automatic", "INR");
    await eventually("Razorpay has charged", () => razorpay.ledger.charges.length === 1);
    await postAll("razorpay", razorpay.webhooks());
    expect((await creating).payment).toMatchObject({ state: "SUCCESS", captured: 1999 });
    expect(razorpay.ledger.charges).toHaveLength(1);
  });
});
