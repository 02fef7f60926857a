/**
 * Adyen's standard webhook: a batch of items, each signed by itself in `additionalData.hmacSignature`, which is HMAC-SHA256
 * (key in hex, digest in base64) over
 * pspReference:originalReference:merchantAccountCode:merchantReference:value:currency:eventCode:success. There is no time in
 * it, so a replay is known only as a repeat: by pspReference, event and success. Only what is signed is evidence.
 *
 * Since Adyen cannot be asked about a key, its signed word is the evidence:
 *
 * | event                                       | success | evidence                                                |
 * |---------------------------------------------|---------|---------------------------------------------------------|
 * | AUTHORISATION                               | true    | the charge is Approved                                  |
 * | AUTHORISATION                               | false   | it is Declined; its reason is not signed, so final      |
 * | EXPIRE, OFFER_CLOSED                        | true    | it is Released                                          |
 * | CAPTURE, CANCELLATION, REFUND,              | true    | the operation is Done                                   |
 * | CANCEL_OR_REFUND                            | false   | it is Refused                                           |
 * | CAPTURE_FAILED, REFUND_FAILED               | true    | it is Refused: Done was said too early                  |
 * | REFUNDED_REVERSED                           | true    | the refund is Reversed                                  |
 * | others                                      |         | none: they only make a node look                        |
 */
import { Option, Redacted, Schema } from "effect";
import { hmacSha256, signedByAny } from "../webhooks/signature.ts";
import {
  forged,
  unreadableWebhook,
  type Notification,
  type NotifiedEvidence,
  type ReadWebhook,
} from "../webhooks/Webhook.ts";
import { AdyenAmount } from "./adyenDocuments.ts";
import { adyenMoney } from "./adyenMoney.ts";

const NotificationItem = Schema.Struct({
  eventCode: Schema.String,
  success: Schema.Literals(["true", "false"]),
  pspReference: Schema.String,
  originalReference: Schema.optionalKey(Schema.NullOr(Schema.String)),
  merchantAccountCode: Schema.String,
  merchantReference: Schema.optionalKey(Schema.NullOr(Schema.String)),
  amount: AdyenAmount,
  additionalData: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown)),
});
type NotificationItem = typeof NotificationItem.Type;
const decodeItem = Schema.decodeUnknownOption(NotificationItem);

/** An item before its signature is verified: all that anybody may send, and nothing of it is understood yet. */
const Item = Schema.Record(Schema.String, Schema.Unknown);
type Item = typeof Item.Type;
const decodeBatch = Schema.decodeUnknownOption(
  Schema.fromJsonString(
    Schema.Struct({ notificationItems: Schema.NonEmptyArray(Schema.Struct({ NotificationRequestItem: Item })) }),
  ),
);

const isObject = (value: unknown): value is Item => typeof value === "object" && value !== null;
const memberOf = (value: unknown, name: string): unknown => (isObject(value) ? value[name] : undefined);

/** A part of what is signed, as text; of another kind it could be written in many ways under one signature. */
const partOf = (value: unknown, kind: "string" | "number" = "string"): string | undefined =>
  typeof value === kind ? String(value) : value === undefined || value === null ? "" : undefined;

/** What the signature is over; undefined where its parts could be told apart in more than one way, so that it signs nothing. */
const signedText = (item: Item): string | undefined => {
  const before = [item["pspReference"], item["originalReference"], item["merchantAccountCode"]].map((part) =>
    partOf(part),
  );
  const after = [
    partOf(memberOf(item["amount"], "value"), "number"),
    partOf(memberOf(item["amount"], "currency")),
    partOf(item["eventCode"]),
    partOf(item["success"]),
  ];
  // A colon in the reference, which merchants choose, moves no other part; one in a second part would.
  if ([...before, ...after].some((part) => part === undefined || part.includes(":"))) return undefined;
  const reference = partOf(item["merchantReference"]);
  return reference === undefined ? undefined : [...before, reference, ...after].join(":");
};

/** Node reads what is no hex as far as it is, maybe not at all: anybody can sign with an empty key. */
export const isHmacKey = (key: Redacted.Redacted): boolean => /^(?:[0-9a-f]{2}){16,}$/i.test(Redacted.value(key));

const isSigned = (item: Item, hmacKeys: ReadonlyArray<Redacted.Redacted>): boolean => {
  const claimed = memberOf(item["additionalData"], "hmacSignature");
  const text = signedText(item);
  if (typeof claimed !== "string" || text === undefined) return false;
  const digestWith = (key: string) => hmacSha256(Buffer.from(key, "hex"), text);
  return signedByAny(hmacKeys.filter(isHmacKey), digestWith, [Buffer.from(claimed, "base64")]);
};

const operationEvents: ReadonlySet<string> = new Set(["CAPTURE", "CANCELLATION", "REFUND", "CANCEL_OR_REFUND"]);

const evidenceOf = (item: NotificationItem): NotifiedEvidence | undefined => {
  const { eventCode, pspReference } = item;
  const isSuccess = item.success === "true";
  const amount = adyenMoney.fromGateway(item.amount.value, item.amount.currency);
  const refused = (code: string) =>
    ({ about: "operation", outcome: { _tag: "Refused", code, message: "the gateway refused it later" } }) as const;
  if (eventCode === "AUTHORISATION") {
    return isSuccess
      ? {
          about: "charge",
          outcome: { _tag: "Approved", gatewayTransactionId: pspReference, status: "authorized", amount },
        }
      : {
          about: "charge",
          outcome: {
            _tag: "Declined",
            gatewayTransactionId: pspReference,
            code: "refused",
            message: "the gateway refused it",
            tryAnotherGateway: false,
          },
        };
  }
  if (!isSuccess) return operationEvents.has(eventCode) ? refused("refused") : undefined;
  if (operationEvents.has(eventCode)) {
    return { about: "operation", outcome: { _tag: "Done", operationId: pspReference, amount } };
  }
  switch (eventCode) {
    case "EXPIRE":
    case "OFFER_CLOSED":
      return { about: "charge", outcome: { _tag: "Released", gatewayTransactionId: pspReference } };
    case "CAPTURE_FAILED":
    case "REFUND_FAILED":
      return refused(eventCode.toLowerCase());
    case "REFUNDED_REVERSED":
      return { about: "operation", outcome: { _tag: "Reversed", operationId: pspReference, amount } };
    default:
      return undefined;
  }
};

/** What came too early to be true, and was taken back, is none of these. */
const saysOf = ({ eventCode, success }: NotificationItem): Notification["says"] => {
  if (eventCode !== "AUTHORISATION" && !operationEvents.has(eventCode)) return undefined;
  if (success === "false") return "failed";
  return eventCode === "AUTHORISATION" ? "authorized" : "succeeded";
};

/** Not signed: it may only lead to a payment, which then looks its own key up. */
const referenceIn = ({ additionalData }: NotificationItem): string | undefined => {
  const reference = additionalData?.["merchantOrderReference"];
  return typeof reference === "string" && reference !== "" ? reference : undefined;
};

const notificationOf = (item: NotificationItem): Notification => {
  const { pspReference, eventCode, success, merchantAccountCode, amount } = item;
  const key = item.merchantReference ?? "";
  const original = item.originalReference ?? "";
  const evidence = evidenceOf(item);
  const reference = referenceIn(item);
  const says = saysOf(item);
  return {
    dedupeKey: `${pspReference}/${eventCode}/${success}`,
    event: eventCode,
    gatewayAccount: merchantAccountCode,
    ...(key === "" ? {} : { idempotencyKey: key }),
    ...(reference === undefined ? {} : { reference }),
    gatewayTransactionId: original === "" ? pspReference : original,
    amount: adyenMoney.fromGateway(amount.value, amount.currency),
    ...(says === undefined ? {} : { says }),
    ...(evidence === undefined ? {} : { evidence }),
  };
};

export const adyenWebhook =
  (merchantAccount: string, hmacKeys: ReadonlyArray<Redacted.Redacted>): ReadWebhook =>
  ({ rawBody }) => {
    const batch = Option.getOrUndefined(decodeBatch(Buffer.from(rawBody).toString("utf8")));
    // The signatures are in the body: one that cannot be read bears none.
    if (batch === undefined) return forged("no notification of Adyen's, so none that is signed");
    const given = batch.notificationItems.map(({ NotificationRequestItem }) => NotificationRequestItem);
    // One forged item makes the rest suspect: Adyen sends the whole batch again.
    if (!given.every((item) => isSigned(item, hmacKeys))) return forged("signed by no key of ours");
    if (!given.every((item) => item["merchantAccountCode"] === merchantAccount)) {
      return forged("about another merchant account");
    }
    const items = given.flatMap((item) => Option.toArray(decodeItem(item)));
    if (items.length < given.length) return unreadableWebhook("an item that is no notification as Adyen has them");
    return { _tag: "Verified", notifications: items.map(notificationOf) };
  };
