/** The composition root of one worker: every port with its NATS implementation. */
import type { GatewaysConfig } from "@aegispay/gateways/GatewaysConfig";
import { layerFromConfig } from "@aegispay/gateways/GatewaysConfig";
import { Layer } from "effect";
import { layerPaymentActors } from "./actor/PaymentActors.ts";
import { layerPaymentSteps } from "./actor/PaymentSteps.ts";
import { layerNatsAnswers } from "./answers/NatsAnswers.ts";
import { Settings, type RuntimeSettings } from "./config/RuntimeSettings.ts";
import { layerNatsDeadLetters } from "./dead/NatsDeadLetters.ts";
import { layerGatewayCalls } from "./effects/GatewayCalls.ts";
import { layerIngress } from "./ingress/Ingress.ts";
import { layerNatsCommandQueue } from "./ingress/NatsCommandQueue.ts";
import { layerRefusals } from "./ingress/Refusals.ts";
import { layerNatsEventLog } from "./log/NatsEventLog.ts";
import { layerNats, type NatsAddress } from "./nats/NatsConnection.ts";
import { layerDeployment } from "./nats/NatsTopology.ts";
import { layerNatsQueries } from "./queries/NatsQueries.ts";
import { layerNatsLeases } from "./shard/NatsLeases.ts";
import { layerNatsMembers } from "./shard/NatsMembers.ts";
import { layerOwnership } from "./shard/Ownership.ts";
import { layerShardOwner } from "./shard/ShardOwner.ts";

export interface NodeOptions {
  readonly nats: NatsAddress;
  readonly settings: RuntimeSettings;
  readonly gateways: GatewaysConfig;
}

/** A node: built when its connection, its deployment and its log are there; its shards follow (`ShardOwner.ready`). */
export const layerNode = (options: NodeOptions) =>
  layerShardOwner.pipe(
    Layer.provideMerge(Layer.mergeAll(layerNatsMembers, layerNatsQueries)),
    Layer.provide(layerIngress),
    Layer.provide(layerPaymentActors),
    Layer.provide(layerPaymentSteps),
    Layer.provide(layerRefusals),
    Layer.provide(layerGatewayCalls),
    Layer.provide(Layer.mergeAll(layerNatsAnswers, layerNatsDeadLetters, layerNatsCommandQueue, layerNatsLeases)),
    Layer.provide(layerNatsEventLog),
    Layer.provide(Layer.mergeAll(layerOwnership, layerFromConfig(options.gateways))),
    Layer.provide(layerDeployment(options.settings.root)),
    Layer.provide(layerNats(options.nats)),
    Layer.provide(Layer.succeed(Settings, options.settings)),
  );
