import { Schema } from "effect";
import { between, Label, oneDayMillis, SecureUrl } from "../configuration/fields.ts";
import { ResilienceConfig } from "../configuration/Resilience.ts";
import { SecretReference } from "../configuration/Secret.ts";

export const RazorpayConfig = Schema.Struct({
  name: Label,
  type: Schema.Literal("razorpay"),
  /** Which of our accounts there. Default "default". */
  account: Schema.optionalKey(Label),
  keyId: SecretReference,
  keySecret: SecretReference,
  /** Secrets of the webhook, as they were entered in the dashboard. */
  webhookSecrets: Schema.optionalKey(Schema.Array(SecretReference)),
  /** Default https://api.razorpay.com. */
  url: Schema.optionalKey(SecureUrl),
  /** Of one call, 1 to 6000, default 5000: a charge takes four of them, and all four must fit into the time a charge has. */
  timeoutMillis: Schema.optionalKey(between(1, 6_000)),
  /** Requests under way at once, of each process: 1 to 10000, default 32. */
  maxConnections: Schema.optionalKey(between(1, 10_000)),
  /** Retries, breaker, rate, calls at once: what surrounds the calls (docs/resilience.md). Default: the guide's knobs. */
  resilience: Schema.optionalKey(ResilienceConfig),
  /** Nothing is said about how long a refund's key is known: at most, and by default, one day. */
  keyRetentionMillis: Schema.optionalKey(between(1, oneDayMillis)),
});
export type RazorpayConfig = typeof RazorpayConfig.Type;
