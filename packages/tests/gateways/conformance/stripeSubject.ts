import { makeStripeGateway } from "@aegispay/gateways/stripe/StripeGateway";
import { Effect, Redacted } from "effect";
import { stripeKey, stripeStandIn, stripeWebhookSecret } from "./stripeStandIn.ts";
import { subjectOf, timeoutMillis } from "./standInSubject.ts";
import type { Traits } from "./Subject.ts";

export const stripeTraits: Traits = {
  name: "Stripe",
  tokens: {
    approved: "pm_card_visa",
    insufficientFunds: "pm_insufficient",
    moveOn: "pm_do_not_honor",
    action: "pm_3ds",
  },
  asks: "lookUp",
  posts: ["PaymentIntent"],
  hasVoid: true,
  hasPartialCapture: true,
  operations: "atOnce",
  forge: (body) => body.replace("1999", "9999"),
  signaturesAge: true,
  currency: "USD",
};

export const stripeAt = (url: string) =>
  makeStripeGateway(
    {
      name: "stripe",
      type: "stripe",
      secretKey: { env: "STRIPE_SECRET_KEY" },
      returnUrl: "https://shop.example/back",
      url,
      timeoutMillis,
    },
    { secretKey: Redacted.make(stripeKey), webhookSecrets: [Redacted.make(stripeWebhookSecret)] },
  );

export const makeStripeSubject = Effect.gen(function* () {
  const standIn = yield* stripeStandIn;
  return subjectOf(yield* stripeAt(standIn.url), standIn);
});
