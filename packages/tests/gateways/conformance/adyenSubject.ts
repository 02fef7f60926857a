import { makeAdyenGateway } from "@aegispay/gateways/adyen/AdyenGateway";
import { ReceivedNotifications } from "@aegispay/gateways/webhooks/ReceivedNotifications";
import type { Notification } from "@aegispay/gateways/webhooks/Webhook";
import { Effect, Redacted } from "effect";
import { adyenHmacKey, adyenKey, adyenStandIn, merchantAccount } from "./adyenStandIn.ts";
import { subjectOf, timeoutMillis } from "./standInSubject.ts";
import { asked, chargeOf, type Traits } from "./Subject.ts";

export const adyenTraits: Traits = {
  name: "Adyen",
  tokens: {
    approved: "stored_visa",
    insufficientFunds: "stored_insufficient",
    moveOn: "stored_refused",
    action: "stored_3ds",
  },
  asks: "sameKey",
  posts: ["payment"],
  hasVoid: true,
  hasPartialCapture: true,
  operations: "byWebhook",
  forge: (body) => body.replace("1999", "9999"),
  signaturesAge: false,
  currency: "EUR",
};

export const adyenAt = (url: string) =>
  makeAdyenGateway(
    {
      name: "adyen",
      type: "adyen",
      merchantAccount,
      apiKey: { env: "ADYEN_API_KEY" },
      returnUrl: "https://shop.example/back",
      url,
      timeoutMillis,
    },
    { apiKey: Redacted.make(adyenKey), hmacKeys: [Redacted.make(adyenHmacKey)] },
  );

export const makeAdyenSubject = Effect.gen(function* () {
  const standIn = yield* adyenStandIn;
  let kept: ReadonlyArray<Notification> = [];
  const gateway = yield* Effect.provideService(adyenAt(standIn.url), ReceivedNotifications, {
    about: (_gateway, _account, key) => Effect.succeed(kept.filter(({ idempotencyKey }) => idempotencyKey === key)),
  });
  const subject = subjectOf(gateway, standIn, (notifications) => {
    kept = notifications;
  });
  return {
    ...subject,
    authenticate: Effect.suspend(() =>
      Effect.forEach(
        standIn.ledger.charges.filter(({ status }) => status === "action"),
        ({ id, key, token }) =>
          gateway.finishAction?.(asked(chargeOf(adyenTraits, key, { token })), { redirectResult: `result-${id}` }) ??
          Effect.void,
        { discard: true },
      ),
    ),
  };
});
