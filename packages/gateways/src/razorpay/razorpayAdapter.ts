import { Effect } from "effect";
import type { Adapter } from "../Adapter.ts";
import { oneDayMillis } from "../configuration/fields.ts";
import { readSecret, readSecrets } from "../configuration/Secret.ts";
import { RazorpayConfig } from "./razorpayConfig.ts";
import { makeRazorpayGateway } from "./RazorpayGateway.ts";

export const razorpayAdapter: Adapter<RazorpayConfig> = {
  config: RazorpayConfig,
  keyRetentionMillis: oneDayMillis,
  make: Effect.fnUntraced(function* (config: RazorpayConfig) {
    const keyId = yield* readSecret(config.name, "keyId", config.keyId);
    const keySecret = yield* readSecret(config.name, "keySecret", config.keySecret);
    const webhookSecrets = yield* readSecrets(config.name, "webhookSecrets", config.webhookSecrets);
    return yield* makeRazorpayGateway(config, { keyId, keySecret, webhookSecrets });
  }),
};
