/** Gateways of which nothing is known that would speak against them: no breaker is open, no node has told of them. */
import { Breakers } from "@aegispay/runtime/resilience/Breakers";
import { layerMemoryGatewayHealth } from "@aegispay/runtime/routing/MemoryGatewayHealth";
import { Layer } from "effect";

export const layerUnhurtGateways = layerMemoryGatewayHealth.pipe(
  Layer.provide(Layer.succeed(Breakers, { isOpen: () => false, circuits: () => new Map() })),
);
