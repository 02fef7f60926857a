import { Effect } from "effect";
import type { Adapter } from "../Adapter.ts";
import { readSecret, readSecrets, SecretMissing } from "../configuration/Secret.ts";
import { AdyenConfig, adyenKeyRetentionMillis } from "./adyenConfig.ts";
import { makeAdyenGateway } from "./AdyenGateway.ts";
import { isHmacKey } from "./AdyenWebhook.ts";

export const adyenAdapter: Adapter<AdyenConfig> = {
  config: AdyenConfig,
  keyRetentionMillis: adyenKeyRetentionMillis,
  make: Effect.fnUntraced(function* (config: AdyenConfig) {
    const apiKey = yield* readSecret(config.name, "apiKey", config.apiKey);
    const hmacKeys = yield* readSecrets(config.name, "hmacKeys", config.hmacKeys);
    const wrong = hmacKeys.findIndex((key) => !isHmacKey(key));
    if (wrong >= 0) {
      return yield* new SecretMissing({
        message: `gateway ${config.name}: hmacKeys[${wrong}] is no key in hex`,
        field: `hmacKeys[${wrong}]`,
      });
    }
    return yield* makeAdyenGateway(config, { apiKey, hmacKeys });
  }),
};
