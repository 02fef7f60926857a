/** The gateways' health as one process sees it, which tells nobody and hears of nobody. */
import { Effect, Layer } from "effect";
import { GatewayHealth, makeHealth } from "./GatewayHealth.ts";

export const layerMemoryGatewayHealth = Layer.effect(
  GatewayHealth,
  Effect.map(makeHealth, ({ health }) => health),
);
