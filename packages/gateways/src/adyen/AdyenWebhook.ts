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

const decodeBatch = Schema.decodeUnknownOption(
  Schema.fromJsonString(
    Schema.Struct({
      notificationItems: Schema.NonEmptyArray(Schema.Struct({ NotificationRequestItem: NotificationItem })),
    }),
  ),
);

/** What the signature is over. */
const signedText = (item: NotificationItem): string =>
  [
    item.pspReference,
    item.originalReference ?? "",
    item.merchantAccountCode,
    item.merchantReference ?? "",
    String(item.amount.value),
    item.amount.currency,
    item.eventCode,
    item.success,
  ].join(":");

/** Node reads what is no hex as far as it is, maybe not at all: anybody can sign with an empty key. */
export const isHmacKey = (key: Redacted.Redacted): boolean => /^(?:[0-9a-f]{2}){16,}$/i.test(Redacted.value(key));

const isSigned = (item: NotificationItem, hmacKeys: ReadonlyArray<Redacted.Redacted>): boolean => {
  const claimed = item.additionalData?.["hmacSignature"];
  if (typeof claimed !== "string") return false;
  const digestWith = (key: string) => hmacSha256(Buffer.from(key, "hex"), signedText(item));
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
    if (batch === undefined) return unreadableWebhook("no notification of Adyen's");
    const items = batch.notificationItems.map(({ NotificationRequestItem }) => NotificationRequestItem);
    // One forged item makes the rest suspect: Adyen sends the whole batch again.
    if (!items.every((item) => isSigned(item, hmacKeys))) return forged("signed by no key of ours");
    if (!items.every((item) => item.merchantAccountCode === merchantAccount)) {
      return forged("about another merchant account");
    }
    return { _tag: "Verified", notifications: items.map(notificationOf) };
  };
