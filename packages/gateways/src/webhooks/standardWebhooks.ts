/**
 * Signatures as Standard Webhooks have them: `webhook-signature: v1,<base64>`, HMAC-SHA256 over `<id>.<seconds>.<raw body>`, any
 * of several, which blanks part. The key is a secret's base64 behind `whsec_`, or its very text where it has no such beginning.
 */
import { Redacted } from "effect";
import { hmacSha256, signedByAny } from "./signature.ts";
import type { WebhookDelivery } from "./Webhook.ts";

const toleranceMillis = 300_000;
const prefix = "whsec_";

const keyOf = (secret: string): Buffer | string =>
  secret.startsWith(prefix) ? Buffer.from(secret.slice(prefix.length), "base64") : secret;

/** A secret behind whose beginning no base64 stands has an empty key, with which anybody can sign. */
export const isStandardSecret = (secret: Redacted.Redacted): boolean => keyOf(Redacted.value(secret)).length > 0;

const digestOf = (secret: string, id: string, timestamp: string, rawBody: Uint8Array | string): Buffer =>
  hmacSha256(keyOf(secret), `${id}.${timestamp}.`, rawBody);

/** The headers of one that is signed at this moment. */
export const standardHeaders = (
  secret: Redacted.Redacted,
  id: string,
  rawBody: string,
  nowMillis: number,
): Readonly<Record<string, string>> => {
  const timestamp = String(Math.floor(nowMillis / 1000));
  const digest = digestOf(Redacted.value(secret), id, timestamp, rawBody);
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${digest.toString("base64")}`,
  };
};

/** Its id where it is signed and not too old, else why not. */
export const verifyStandard = (
  secrets: ReadonlyArray<Redacted.Redacted>,
  { rawBody, headers, nowMillis }: WebhookDelivery,
): { readonly id: string } | { readonly forged: string } => {
  const id = headers["webhook-id"] ?? "";
  const timestamp = headers["webhook-timestamp"] ?? "";
  const claimed = (headers["webhook-signature"] ?? "")
    .split(" ")
    .flatMap((one) => (one.startsWith("v1,") ? [Buffer.from(one.slice(3), "base64")] : []));
  if (id === "" || !/^\d{1,12}$/.test(timestamp) || claimed.length === 0) {
    return { forged: "no signature that can be read" };
  }
  if (!signedByAny(secrets.filter(isStandardSecret), (secret) => digestOf(secret, id, timestamp, rawBody), claimed)) {
    return { forged: "signed by no secret of ours" };
  }
  return Math.abs(nowMillis - Number(timestamp) * 1000) > toleranceMillis ? { forged: "signed too long ago" } : { id };
};
