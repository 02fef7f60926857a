/**
 * Who is who: merchants, payments, and the keys derived from them. All of it is pure; equal input gives equal keys, on
 * every node and for ever, because a gateway's memory of a key outlives any process of ours.
 */
import { hash } from "node:crypto";
import { Schema } from "effect";
import type { OperationKind } from "../payment/GatewayOutcome.ts";

const tokenPattern = /^[A-Za-z0-9_-]{1,128}$/;

/** A merchant or payment id: one token of a NATS subject, `[A-Za-z0-9_-]{1,128}`. */
export const isToken = (text: string): boolean => tokenPattern.test(text);

const replyTokenPattern = /^[A-Za-z0-9_-]{16,64}$/;

/** A reply token, `[A-Za-z0-9_-]{16,64}`: never a subject, so that no client can aim an answer (facts: PubAck injection). */
export const isReplyToken = (text: string): boolean => replyTokenPattern.test(text);

const commandIdPattern = /^[A-Za-z0-9_\-:./]{1,128}$/;

/** The identity of a command, as a client gives it: 1 to 128 characters of `[A-Za-z0-9_-:./]`. */
export const isCommandId = (text: string): boolean => commandIdPattern.test(text);

export const PaymentRef = Schema.Struct({ merchant: Schema.String, paymentId: Schema.String });
export type PaymentRef = typeof PaymentRef.Type;

/** `<merchant>/<payment>`: how a payment is named in maps, reports and at gateways. Unique, since no token holds a slash. */
export const paymentKey = (payment: PaymentRef): string => `${payment.merchant}/${payment.paymentId}`;

/** The longest idempotency key of a client that is taken, in characters. */
export const idempotencyKeyMaxLength = 255;

/**
 * The payment id that stands for a client's own idempotency key. Always hashed, so that two keys never meet whatever
 * their characters. Returns undefined for an empty key, for one of more than 255 characters, and for one that is no
 * text: half surrogate pairs all have the same bytes in UTF-8, so such keys would meet.
 */
export const derivePaymentId = (idempotencyKey: string): string | undefined =>
  idempotencyKey.length === 0 || idempotencyKey.length > idempotencyKeyMaxLength || !idempotencyKey.isWellFormed()
    ? undefined
    : `k_${hash("sha256", idempotencyKey, "base64url")}`;

const gatewayKeyPattern = /^ap_[A-Za-z0-9_-]{43}$/;

/** Whether a text may be a key of some deployment of ours: what else a gateway names is another system's. */
export const isGatewayKey = (text: string): boolean => gatewayKeyPattern.test(text);

/** Reads `<merchant>/<payment>`; undefined where it names no payment that could be. */
export const parsePaymentKey = (text: string): PaymentRef | undefined => {
  // A hostile text is as long as it likes.
  if (text.length > 257) return undefined;
  const [merchant = "", paymentId = "", ...rest] = text.split("/");
  return rest.length === 0 && isToken(merchant) && isToken(paymentId) ? { merchant, paymentId } : undefined;
};

/**
 * The key a gateway sees (law 3): one for each operation, 46 characters. `deployment` keeps two deployments that share a
 * gateway account apart.
 */
export const gatewayIdempotencyKey = (
  deployment: string,
  payment: PaymentRef,
  attempt: number,
  operation: "charge" | OperationKind,
  number: number,
): string =>
  `ap_${hash("sha256", JSON.stringify([deployment, payment.merchant, payment.paymentId, attempt, operation, number]), "base64url")}`;
