/** HMAC-SHA256 over what came, compared in constant time. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { Redacted } from "effect";

export const hmacSha256 = (key: string | Uint8Array, ...parts: ReadonlyArray<string | Uint8Array>): Buffer => {
  const hmac = createHmac("sha256", key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
};

/** A digest has one length: another one says nothing about the secret. */
export const equalsDigest = (digest: Buffer, claimed: Buffer): boolean =>
  digest.length === claimed.length && timingSafeEqual(digest, claimed);

/** Hex of a whole digest; anything else is no signature. */
export const digestFromHex = (text: string): Buffer | undefined =>
  /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, "hex") : undefined;

/** Secrets are rolled: several may be good at a time. All are tried, so that the time says nothing about which. */
export const signedByAny = (
  secrets: ReadonlyArray<Redacted.Redacted>,
  digestWith: (secret: string) => Buffer,
  claimed: ReadonlyArray<Buffer>,
): boolean =>
  secrets
    .map((secret) => digestWith(Redacted.value(secret)))
    .map((digest) => claimed.map((signature) => equalsDigest(digest, signature)).includes(true))
    .includes(true);
