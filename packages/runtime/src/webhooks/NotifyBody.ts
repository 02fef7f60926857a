/**
 * What `payments.internal.<merchant>.<payment>.notify` says: what a gateway's message is about, and which kept webhook it came
 * from. It names nobody and no amount of it is believed. An empty body means "look at all of it", as operators say it.
 */
import type { NotifiedAbout } from "@aegispay/core/payment/PaymentCommand";
import { Option, Schema } from "effect";

const textUpTo = (maximum: number) => Schema.String.check(Schema.isBetweenLength(1, maximum));

const About = Schema.Struct({
  gateway: textUpTo(64),
  account: textUpTo(64),
  idempotencyKey: Schema.optionalKey(textUpTo(64)),
  /** The longest that a gateway gives is Stripe's, at most 255. */
  gatewayTransactionId: Schema.optionalKey(textUpTo(255)),
  amount: Schema.optionalKey(Schema.Struct({ value: Schema.Int, currency: textUpTo(8) })),
  says: Schema.optionalKey(Schema.Literals(["authorized", "succeeded", "failed"])),
});

const NotifyBody = Schema.Struct({
  about: About,
  /** Of one that a gateway sent: where it is kept, which of its items it is, when it came (milliseconds). */
  webhook: Schema.optionalKey(
    Schema.Struct({ sequence: Schema.Int, item: Schema.Int, event: textUpTo(200), receivedAt: Schema.Number }),
  ),
  /** How often it has been tried again since its payment was not there. */
  tries: Schema.optionalKey(Schema.Int),
});
export type NotifyBody = typeof NotifyBody.Type;

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(NotifyBody));
const isValid = Schema.is(NotifyBody);

export const encodeNotifyBody = (body: NotifyBody): string => JSON.stringify(body);

/** Whether it could be read again: what a gateway says may have any length. */
export const isNotifiedAbout = (about: NotifiedAbout): boolean => isValid({ about });

/** Items of one webhook that are told apart: Adyen sends at most six in one. */
export const itemsMax = 1_000;

/** A number of its own for each item of each kept webhook. */
export const notificationNumber = ({ webhook }: NotifyBody): number =>
  webhook === undefined ? 1 : webhook.sequence * itemsMax + webhook.item;

/** The largest that is read, in bytes: what a node writes has less than a kilobyte. */
const maxBytes = 4_096;

export const decodeNotifyBody = (bytes: Uint8Array): NotifyBody | undefined =>
  bytes.length > maxBytes ? undefined : Option.getOrUndefined(decode(Buffer.from(bytes).toString("utf8")));
