/** The simulator's webhooks, signed as Standard Webhooks are. A repeat is known by the event's id. */
import { Option, type Redacted, Schema } from "effect";
import { verifyStandard } from "../webhooks/standardWebhooks.ts";
import { forged, unreadableWebhook, type Notification, type ReadWebhook } from "../webhooks/Webhook.ts";

const decodeEvent = Schema.decodeUnknownOption(
  Schema.fromJsonString(
    Schema.Struct({
      id: Schema.NonEmptyString,
      type: Schema.String,
      data: Schema.Struct({
        charge: Schema.Struct({
          id: Schema.String,
          reference: Schema.String,
          idempotencyKey: Schema.String,
          amount: Schema.Int,
          currency: Schema.String,
        }),
        operation: Schema.optionalKey(
          Schema.Struct({ key: Schema.String, amount: Schema.Int, currency: Schema.String }),
        ),
      }),
    }),
  ),
);

const saysBy: Readonly<Record<string, Notification["says"]>> = {
  "charge.authorized": "authorized",
  "charge.succeeded": "succeeded",
  "charge.declined": "failed",
  "capture.succeeded": "succeeded",
  "capture.failed": "failed",
  "void.succeeded": "succeeded",
  "void.failed": "failed",
  "refund.succeeded": "succeeded",
  "refund.failed": "failed",
};

export const simulatorWebhook =
  (secrets: ReadonlyArray<Redacted.Redacted>): ReadWebhook =>
  (delivery) => {
    const verified = verifyStandard(secrets, delivery);
    if ("forged" in verified) return forged(verified.forged);
    const event = Option.getOrUndefined(decodeEvent(Buffer.from(delivery.rawBody).toString("utf8")));
    if (event === undefined) return unreadableWebhook("no event of the simulator's");
    const { charge, operation } = event.data;
    const { amount: value, currency } = operation ?? charge;
    const says = saysBy[event.type];
    return {
      _tag: "Verified",
      notifications: [
        {
          dedupeKey: event.id,
          event: event.type,
          idempotencyKey: operation?.key ?? charge.idempotencyKey,
          reference: charge.reference,
          gatewayTransactionId: charge.id,
          amount: { value, currency },
          ...(says === undefined ? {} : { says }),
        },
      ],
    };
  };
