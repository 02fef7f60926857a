import { Schema } from "effect";
import { between, callFields, Label, oneDayMillis, ReturnUrl, SecureUrl } from "../configuration/fields.ts";
import { SecretReference } from "../configuration/Secret.ts";

export const StripeConfig = Schema.Struct({
  name: Label,
  type: Schema.Literal("stripe"),
  /** Which of our accounts there. Default "default". */
  account: Schema.optionalKey(Label),
  /** A secret key (`sk_…`), or a restricted one that may write PaymentIntents and refunds. */
  secretKey: SecretReference,
  /** Signing secrets of the webhook endpoint (`whsec_…`): while one is rolled both are good. */
  webhookSecrets: Schema.optionalKey(Schema.Array(SecretReference)),
  /** Where customers come back to after 3-D Secure, where the payment names no place of its own. */
  returnUrl: ReturnUrl,
  /** Default https://api.stripe.com. */
  url: Schema.optionalKey(SecureUrl),
  ...callFields,
  /** Stripe forgets a key after 24 hours and then charges again. At most, and by default, that. */
  keyRetentionMillis: Schema.optionalKey(between(1, oneDayMillis)),
});
export type StripeConfig = typeof StripeConfig.Type;
