/** The composition of what receives webhooks in a primary: every port with its NATS implementation. */
import type { Gateways } from "@aegispay/gateways/Gateway";
import { Context, Effect, Layer } from "effect";
import { layerNatsDeadLetters } from "../dead/NatsDeadLetters.ts";
import { layerDeployment } from "../nats/NatsTopology.ts";
import { layerNatsGatewayKeys } from "./NatsGatewayKeys.ts";
import { layerNatsWebhookStore } from "./NatsWebhookStore.ts";
import { layerWebhookIntake, WebhookIntake } from "./WebhookIntake.ts";

/** The intake over a connection that is there. Its gateways are asked nothing: they only read what comes. */
export const receiveWebhooks = <E>(root: string, gateways: Layer.Layer<Gateways, E>) =>
  layerWebhookIntake.pipe(
    Layer.provide(layerNatsWebhookStore),
    Layer.provide(Layer.mergeAll(layerNatsDeadLetters, layerNatsGatewayKeys, gateways)),
    Layer.provide(layerDeployment(root)),
    Layer.build,
    Effect.map((services) => Context.get(services, WebhookIntake)),
  );
