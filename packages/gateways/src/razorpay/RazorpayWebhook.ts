/**
 * Razorpay's webhooks. `X-Razorpay-Signature` is the HMAC-SHA256 of the raw body, in hex. A repeat has the same body, and
 * is known by that: the event's id is a header and not signed, so whoever has one signed body could send it under ever new
 * ids. There is no time-out for them, since Razorpay itself repeats for a day.
 */
import { createHash } from "node:crypto";
import { Option, type Redacted, Schema } from "effect";
import { digestFromHex, hmacSha256, signedByAny } from "../webhooks/signature.ts";
import { forged, unreadableWebhook, type Notification, type ReadWebhook } from "../webhooks/Webhook.ts";
import { keyNote, noteIn, Payment, referenceNote, Refund } from "./razorpayDocuments.ts";
import { razorpayMoney } from "./razorpayMoney.ts";

const decodeEvent = Schema.decodeUnknownOption(
  Schema.fromJsonString(
    Schema.Struct({
      entity: Schema.Literal("event"),
      account_id: Schema.optionalKey(Schema.String),
      event: Schema.String,
      payload: Schema.Struct({
        payment: Schema.optionalKey(Schema.Struct({ entity: Payment })),
        refund: Schema.optionalKey(Schema.Struct({ entity: Refund })),
      }),
    }),
  ),
);

const saysBy: Readonly<Record<string, Notification["says"]>> = {
  "payment.authorized": "authorized",
  "payment.captured": "succeeded",
  "payment.failed": "failed",
  "refund.processed": "succeeded",
};

type Payload = Option.Option.Value<ReturnType<typeof decodeEvent>>["payload"];

/** Which attempt or operation it is: nothing of ours where it holds no key. */
const subjectOf = ({ payment, refund }: Payload) => {
  const moved = refund?.entity ?? payment?.entity;
  if (moved === undefined) return {};
  const key = noteIn(moved.notes, keyNote);
  const reference = noteIn(payment?.entity.notes, referenceNote);
  return {
    ...(key === undefined ? {} : { idempotencyKey: key }),
    ...(reference === undefined ? {} : { reference }),
    gatewayTransactionId: refund?.entity.payment_id ?? moved.id,
    amount: razorpayMoney.fromGateway(moved.amount, moved.currency),
  };
};

export const razorpayWebhook =
  (secrets: ReadonlyArray<Redacted.Redacted>): ReadWebhook =>
  ({ rawBody, headers }) => {
    const claimed = digestFromHex(headers["x-razorpay-signature"] ?? "");
    if (claimed === undefined) return forged("no X-Razorpay-Signature that can be read");
    if (!signedByAny(secrets, (secret) => hmacSha256(secret, rawBody), [claimed])) {
      return forged("signed by no secret of ours");
    }
    const event = Option.getOrUndefined(decodeEvent(Buffer.from(rawBody).toString("utf8")));
    if (event === undefined) return unreadableWebhook("no event of Razorpay's");
    const { account_id } = event;
    const says = saysBy[event.event];
    return {
      _tag: "Verified",
      notifications: [
        {
          dedupeKey: createHash("sha256").update(rawBody).digest("hex"),
          event: event.event,
          ...(account_id === undefined ? {} : { gatewayAccount: account_id }),
          ...subjectOf(event.payload),
          ...(says === undefined ? {} : { says }),
        },
      ],
    };
  };
