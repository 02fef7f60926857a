import { Schema } from "effect";
import { between, callFields, Label, oneDayMillis, ReturnUrl, SecureUrl } from "../configuration/fields.ts";
import { SecretReference } from "../configuration/Secret.ts";

const sevenDaysMillis = 7 * oneDayMillis;

export const AdyenConfig = Schema.Struct({
  name: Label,
  type: Schema.Literal("adyen"),
  /** Which of our accounts there, by our own name. Default "default". */
  account: Schema.optionalKey(Label),
  /** Adyen's name for it, which stands in every request. */
  merchantAccount: Schema.NonEmptyString,
  apiKey: SecretReference,
  /** HMAC keys of the standard webhook, in hex as Adyen shows them: while one is rolled both are good. */
  hmacKeys: Schema.optionalKey(Schema.Array(SecretReference)),
  /** Where customers come back to after 3-D Secure, where the payment names no place of its own. */
  returnUrl: ReturnUrl,
  /** `https://checkout-test.adyen.com`; live it holds a prefix of the company's own and ends in /checkout. */
  url: SecureUrl,
  ...callFields,
  /** Adyen has promised at least 7 days, of late 31. At most, and by default, 7 days. */
  keyRetentionMillis: Schema.optionalKey(between(1, sevenDaysMillis)),
});
export type AdyenConfig = typeof AdyenConfig.Type;
export const adyenKeyRetentionMillis = sevenDaysMillis;
