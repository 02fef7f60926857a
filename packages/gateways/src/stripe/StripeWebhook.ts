/**
 * Stripe's webhooks. `Stripe-Signature: t=<seconds>,v1=<hex>,…` where a `v1` is HMAC-SHA256 of `<t>.<raw body>`; any of them
 * counts, since a secret that is being rolled signs beside the new one. Older than the tolerance is a replay. They come
 * unordered, more than once and for up to three days: a repeat is known by the event's id.
 */
import { Option, type Redacted, Schema } from "effect";
import { digestFromHex, hmacSha256, signedByAny } from "../webhooks/signature.ts";
import { forged, unreadableWebhook, type Notification, type ReadWebhook } from "../webhooks/Webhook.ts";
import { keyField, PaymentIntent, referenceField, Refund } from "./stripeDocuments.ts";
import { stripeMoney } from "./stripeMoney.ts";

const toleranceMillis = 300_000;

const StripeEvent = Schema.Struct({
  id: Schema.NonEmptyString,
  object: Schema.Literal("event"),
  type: Schema.String,
  account: Schema.optionalKey(Schema.NullOr(Schema.String)),
  data: Schema.Struct({ object: Schema.Unknown }),
});
const decodeEvent = Schema.decodeUnknownOption(Schema.fromJsonString(StripeEvent));
const decodeIntent = Schema.decodeUnknownOption(PaymentIntent);
const decodeRefund = Schema.decodeUnknownOption(Refund);

/** `undefined`: it cannot be read. */
const parseSignature = (header: string) => {
  const parts = header.split(",").map((part) => part.trim().split("=", 2) as [string, string?]);
  const timestamp = parts.find(([scheme]) => scheme === "t")?.[1] ?? "";
  const signatures = parts.flatMap(([scheme, value = ""]) => {
    const digest = scheme === "v1" ? digestFromHex(value) : undefined;
    return digest === undefined ? [] : [digest];
  });
  return /^\d{1,12}$/.test(timestamp) && signatures.length > 0 ? { timestamp, signatures } : undefined;
};

/** Of a refund its own status says it; one that has failed may have been done before. */
const saysBy: Readonly<Record<string, Notification["says"]>> = {
  "payment_intent.amount_capturable_updated": "authorized",
  "payment_intent.succeeded": "succeeded",
  "payment_intent.payment_failed": "failed",
};

/** Which attempt or operation the object of an event is: nothing of ours where it holds no key. */
const subjectOf = (object: unknown) => {
  const intent = Option.getOrUndefined(decodeIntent(object));
  if (intent !== undefined) {
    const { metadata, id, amount, currency } = intent;
    return {
      key: metadata[keyField],
      reference: metadata[referenceField],
      id,
      amount: stripeMoney.fromGateway(amount, currency),
      refundStatus: undefined,
    };
  }
  const refund = Option.getOrUndefined(decodeRefund(object));
  if (refund === undefined) return undefined;
  const { metadata, payment_intent, amount, currency } = refund;
  return {
    key: metadata?.[keyField],
    reference: undefined,
    id: payment_intent ?? undefined,
    refundStatus: refund.status,
    amount: stripeMoney.fromGateway(amount, currency),
  };
};

export const stripeWebhook =
  (secrets: ReadonlyArray<Redacted.Redacted>): ReadWebhook =>
  ({ rawBody, headers, nowMillis }) => {
    const signed = parseSignature(headers["stripe-signature"] ?? "");
    if (signed === undefined) return forged("no Stripe-Signature that can be read");
    const { timestamp, signatures } = signed;
    const digestWith = (secret: string) => hmacSha256(secret, `${timestamp}.`, rawBody);
    if (!signedByAny(secrets, digestWith, signatures)) return forged("signed by no secret of ours");
    if (Math.abs(nowMillis - Number(timestamp) * 1000) > toleranceMillis) return forged("signed too long ago");
    const event = Option.getOrUndefined(decodeEvent(Buffer.from(rawBody).toString("utf8")));
    if (event === undefined) return unreadableWebhook("no event of Stripe's");
    const subject = subjectOf(event.data.object);
    const says = subject?.refundStatus === "succeeded" ? "succeeded" : saysBy[event.type];
    const gatewayAccount = event.account ?? undefined;
    return {
      _tag: "Verified",
      notifications: [
        {
          dedupeKey: event.id,
          event: event.type,
          ...(gatewayAccount === undefined ? {} : { gatewayAccount }),
          ...(subject?.key === undefined ? {} : { idempotencyKey: subject.key }),
          ...(subject?.reference === undefined ? {} : { reference: subject.reference }),
          ...(subject?.id === undefined ? {} : { gatewayTransactionId: subject.id }),
          ...(subject === undefined ? {} : { amount: subject.amount }),
          ...(says === undefined ? {} : { says }),
        },
      ],
    };
  };
