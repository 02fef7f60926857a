import { Effect, Schema } from "effect";
import type { Adapter } from "../Adapter.ts";
import { between, callFields, Label, oneDayMillis, SimulatorUrl } from "../configuration/fields.ts";
import { readSecret, SecretMissing, SecretReference } from "../configuration/Secret.ts";
import { isStandardSecret } from "../webhooks/standardWebhooks.ts";
import { makeSimulatorGateway } from "./SimulatorGateway.ts";

const SimulatorConfig = Schema.Struct({
  name: Label,
  type: Schema.Literal("simulator"),
  url: SimulatorUrl,
  /** Which of our accounts there. Default "default". */
  account: Schema.optionalKey(Label),
  /** What its webhooks are signed with; without it none is taken. */
  webhookSecret: Schema.optionalKey(SecretReference),
  /** Connections: default 128. */
  ...callFields,
  /**
   * How long the gateway remembers an idempotency key; a request is sent again only well inside it. Default one day, as
   * Stripe does: the simulator never forgets, so that a test may order what a real gateway would.
   */
  keyRetentionMillis: Schema.optionalKey(between(1, 365 * oneDayMillis)),
});

export const simulatorAdapter: Adapter<typeof SimulatorConfig.Type> = {
  config: SimulatorConfig,
  keyRetentionMillis: oneDayMillis,
  // It loses answers to order, often several in a row: that alone is no outage.
  resilience: { failureThreshold: 50 },
  make: Effect.fnUntraced(function* ({ webhookSecret, ...config }: typeof SimulatorConfig.Type) {
    const secret = webhookSecret && (yield* readSecret(config.name, "webhookSecret", webhookSecret));
    if (secret !== undefined && !isStandardSecret(secret)) {
      const message = `gateway ${config.name}: webhookSecret has nothing behind its whsec_ that could be a key`;
      return yield* new SecretMissing({ message, field: "webhookSecret" });
    }
    return yield* makeSimulatorGateway({
      account: "default",
      ...config,
      ...(secret === undefined ? {} : { webhookSecret: secret }),
    });
  }),
};
