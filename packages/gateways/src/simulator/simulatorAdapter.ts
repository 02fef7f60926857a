import { Schema } from "effect";
import type { Adapter } from "../Adapter.ts";
import { between, callFields, Label, oneDayMillis, SimulatorUrl } from "../configuration/fields.ts";
import { makeSimulatorGateway } from "./SimulatorGateway.ts";

const SimulatorConfig = Schema.Struct({
  name: Label,
  type: Schema.Literal("simulator"),
  url: SimulatorUrl,
  /** Which of our accounts there. Default "default". */
  account: Schema.optionalKey(Label),
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
  make: (config) => makeSimulatorGateway({ account: "default", ...config }),
};
