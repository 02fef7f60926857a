import { makeRazorpayGateway } from "@aegispay/gateways/razorpay/RazorpayGateway";
import { Effect, Redacted } from "effect";
import { razorpayKeyId, razorpayKeySecret, razorpayStandIn, razorpayWebhookSecret } from "./razorpayStandIn.ts";
import { subjectOf, timeoutMillis } from "./standInSubject.ts";
import type { Traits } from "./Subject.ts";

export const razorpayTraits: Traits = {
  name: "Razorpay",
  tokens: {
    approved: "token_visa",
    insufficientFunds: "token_insufficient",
    moveOn: "token_bank_down",
    action: "token_action",
  },
  asks: "lookUp",
  posts: ["order", "payment"],
  hasVoid: false,
  hasPartialCapture: false,
  operations: "atOnce",
  forge: (body) => body.replace("1999", "9999"),
  signaturesAge: false,
  currency: "INR",
};

export const razorpayAt = (url: string) =>
  makeRazorpayGateway(
    {
      name: "razorpay",
      type: "razorpay",
      keyId: { env: "RAZORPAY_KEY_ID" },
      keySecret: { env: "RAZORPAY_KEY_SECRET" },
      url,
      timeoutMillis,
    },
    {
      keyId: Redacted.make(razorpayKeyId),
      keySecret: Redacted.make(razorpayKeySecret),
      webhookSecrets: [Redacted.make(razorpayWebhookSecret)],
    },
  );

export const makeRazorpaySubject = Effect.gen(function* () {
  const standIn = yield* razorpayStandIn;
  const gateway = yield* razorpayAt(standIn.url);
  return { ...subjectOf(gateway, standIn), timePasses: standIn.timePasses };
});
