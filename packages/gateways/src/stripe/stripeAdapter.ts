import { Effect } from "effect";
import type { Adapter } from "../Adapter.ts";
import { oneDayMillis } from "../configuration/fields.ts";
import { readSecret, readSecrets } from "../configuration/Secret.ts";
import { StripeConfig } from "./stripeConfig.ts";
import { makeStripeGateway } from "./StripeGateway.ts";

export const stripeAdapter: Adapter<StripeConfig> = {
  config: StripeConfig,
  keyRetentionMillis: oneDayMillis,
  make: Effect.fnUntraced(function* (config: StripeConfig) {
    const secretKey = yield* readSecret(config.name, "secretKey", config.secretKey);
    const webhookSecrets = yield* readSecrets(config.name, "webhookSecrets", config.webhookSecrets);
    return yield* makeStripeGateway(config, { secretKey, webhookSecrets });
  }),
};
