import { adapters } from "@aegispay/gateways/adapters";
import { Gateways } from "@aegispay/gateways/Gateway";
import { GatewaysConfig } from "@aegispay/gateways/GatewaysConfig";
import { layerFromConfig } from "@aegispay/gateways/ReloadingGateways";
import { describe, expect, it } from "@effect/vitest";
import { ConfigProvider, Effect, Result, Schema } from "effect";

const decode = Schema.decodeUnknownResult(GatewaysConfig, { onExcessProperty: "error" });

const entries = {
  simulator: { name: "simulator", type: "simulator", url: "http://127.0.0.1:8081" },
  stripe: {
    name: "stripe-eu",
    type: "stripe",
    account: "eu",
    secretKey: { env: "STRIPE_KEY" },
    webhookSecrets: [{ env: "STRIPE_HOOK" }],
    returnUrl: "https://shop.example/back",
  },
  adyen: {
    name: "adyen",
    type: "adyen",
    merchantAccount: "ShopECOM",
    apiKey: { env: "ADYEN_KEY" },
    hmacKeys: [{ env: "ADYEN_HMAC" }],
    returnUrl: "https://shop.example/back",
    url: "https://checkout-test.adyen.com",
  },
  razorpay: {
    name: "razorpay",
    type: "razorpay",
    keyId: { env: "RAZORPAY_ID" },
    keySecret: { env: "RAZORPAY_SECRET" },
  },
};

const environment = {
  STRIPE_KEY: "sk_test_1",
  STRIPE_HOOK: "whsec_1",
  ADYEN_KEY: "AQE1",
  ADYEN_HMAC: "00".repeat(32),
  RAZORPAY_ID: "rzp_test_1",
  RAZORPAY_SECRET: "secret",
};

const made = (gateways: ReadonlyArray<unknown>, env: Record<string, string>) =>
  Effect.gen(function* () {
    const config = Result.getOrThrow(decode({ gateways }));
    return yield* Gateways.pipe(
      Effect.provide(layerFromConfig(config)),
      Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(env)),
    );
  });

describe("the adapters in a configuration", () => {
  it.effect("are made of their entries, each with its gateway's memory of keys", () =>
    Effect.gen(function* () {
      expect(Object.keys(entries).toSorted()).toEqual(Object.keys(adapters).toSorted());
      const { candidates, find } = yield* made(Object.values(entries), environment);
      const days = (count: number) => count * 86_400_000;
      expect(candidates).toEqual([
        { gateway: "simulator", account: "default", keyRetentionMillis: days(1) },
        { gateway: "stripe-eu", account: "eu", keyRetentionMillis: days(1) },
        { gateway: "adyen", account: "default", keyRetentionMillis: days(7), finishesActions: true },
        { gateway: "razorpay", account: "default", keyRetentionMillis: days(1) },
      ]);
      expect(find("stripe-eu", "eu")?.readWebhook).toBeDefined();
      expect(find("stripe-eu", "default")).toBe(undefined);
    }),
  );

  for (const [variable, gateway, message] of [
    [
      "STRIPE_KEY",
      "stripe",
      "gateway stripe-eu: secretKey names the environment variable STRIPE_KEY, which is not set",
    ],
    ["STRIPE_HOOK", "stripe", "gateway stripe-eu: webhookSecrets[0] names the environment variable STRIPE_HOOK"],
    ["ADYEN_KEY", "adyen", "gateway adyen: apiKey names"],
    ["RAZORPAY_SECRET", "razorpay", "gateway razorpay: keySecret names"],
  ] as const) {
    it.effect(`without ${variable} in the environment are not made, and the error names gateway and field`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(made([entries[gateway]], { ...environment, [variable]: "" }));
        expect(error.message).toContain(message);
      }),
    );
  }

  it.effect("with an HMAC key that is no hex are not made, and the error does not show it", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(made([entries.adyen], { ...environment, ADYEN_HMAC: "not-hex-at-all" }));
      expect(error.message).toBe("gateway adyen: hmacKeys[0] is no key in hex");
    }),
  );

  for (const [title, entry, message] of [
    ["a key in clear", { ...entries.stripe, secretKey: "sk_live_1" }, `["secretKey"]`],
    ["a key of no name", { ...entries.stripe, secretKey: { env: "my key" } }, `["secretKey"]["env"]`],
    ["no key", { ...entries.adyen, apiKey: undefined }, `["apiKey"]`],
    ["a url without TLS", { ...entries.adyen, url: "http://checkout.example" }, "https://"],
    ["a user in the url", { ...entries.stripe, url: "https://a:b@api.example" }, "no user"],
    ["a key remembered too long", { ...entries.stripe, keyRetentionMillis: 86_400_001 }, `["keyRetentionMillis"]`],
    ["calls that take too long", { ...entries.razorpay, timeoutMillis: 6_001 }, `["timeoutMillis"]`],
    ["a returnUrl that is none", { ...entries.stripe, returnUrl: "back" }, `["returnUrl"]`],
    ["another gateway's field", { ...entries.razorpay, merchantAccount: "X" }, `["merchantAccount"]`],
    ["no type", { name: "x" }, `"type"`],
  ] as const) {
    it(`are refused with ${title}, and the error names the field and no secret`, () => {
      const decoded = decode({ gateways: [entry] });
      const problem = Result.isFailure(decoded) ? decoded.failure.message : "";
      expect(problem).toContain(message);
      expect(problem).not.toContain("sk_live_1");
    });
  }
});
