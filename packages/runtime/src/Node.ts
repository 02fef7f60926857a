/** The composition root of one worker: every port with its NATS implementation. */
import type { Gateways } from "@aegispay/gateways/Gateway";
import type { GatewaysConfig } from "@aegispay/gateways/GatewaysConfig";
import { Layer, type Queue } from "effect";
import { layerGivingUp } from "./actor/GivingUp.ts";
import { layerPaymentActors } from "./actor/PaymentActors.ts";
import { layerPaymentSteps } from "./actor/PaymentSteps.ts";
import { layerNatsAnswers } from "./answers/NatsAnswers.ts";
import { layerConfiguration } from "./config/ConfigurationInForce.ts";
import { Settings, type RuntimeSettings } from "./config/RuntimeSettings.ts";
import { layerNatsDeadLetters } from "./dead/NatsDeadLetters.ts";
import { layerParking } from "./dead/Parking.ts";
import { layerGatewayCalls } from "./effects/GatewayCalls.ts";
import { layerHookCalls } from "./hooks/HookCalls.ts";
import type { HooksInForce } from "./hooks/HooksInForce.ts";
import { layerIngress } from "./ingress/Ingress.ts";
import { layerNatsCommandQueue } from "./ingress/NatsCommandQueue.ts";
import { layerRefusals } from "./ingress/Refusals.ts";
import { layerNatsEventLog } from "./log/NatsEventLog.ts";
import { layerNats, type NatsAddress } from "./nats/NatsConnection.ts";
import { layerDeployment } from "./nats/NatsTopology.ts";
import { layerNatsQueries } from "./queries/NatsQueries.ts";
import { layerBreakers } from "./resilience/layerBreakers.ts";
import { layerGatewayProtection } from "./resilience/GatewayProtection.ts";
import { layerNatsSharedCircuits } from "./resilience/NatsSharedCircuits.ts";
import { layerNatsGatewayHealth } from "./routing/NatsGatewayHealth.ts";
import { layerNoCrashPoints, type CrashPoints } from "./seam/CrashPoints.ts";
import { layerNatsLeases } from "./shard/NatsLeases.ts";
import { layerNatsMembers } from "./shard/NatsMembers.ts";
import { layerNatsRecoveryReports } from "./shard/NatsRecoveryReports.ts";
import { layerNatsSuspects } from "./shard/NatsSuspects.ts";
import { layerOwnership } from "./shard/Ownership.ts";
import { layerShardOwner } from "./shard/ShardOwner.ts";
import { layerTrials } from "./shard/Trials.ts";
import { layerNatsTimers } from "./timers/NatsTimers.ts";
import { layerNatsGatewayKeys } from "./webhooks/NatsGatewayKeys.ts";
import { layerNatsReceivedNotifications } from "./webhooks/NatsReceivedNotifications.ts";

/** What a node of another composition has instead: tests, and the benchmark. */
export interface NodeParts {
  readonly crashPoints?: Layer.Layer<CrashPoints>;
  readonly gateways?: Layer.Layer<Gateways>;
  /** `layerHooks` makes one of functions. */
  readonly hooks?: Layer.Layer<HooksInForce>;
  /** Configurations that replace that of the options, while the node runs. */
  readonly configurations?: Queue.Dequeue<GatewaysConfig>;
}

export interface NodeOptions {
  readonly nats: NatsAddress;
  readonly settings: RuntimeSettings;
  readonly gateways: GatewaysConfig;
}

/** What a node takes from NATS and keeps there, each port by its implementation on NATS. */
const layerNatsPorts = Layer.mergeAll(
  layerNatsAnswers,
  layerNatsDeadLetters,
  layerNatsCommandQueue,
  layerNatsEventLog,
  layerNatsTimers,
  layerNatsSuspects,
  layerNatsRecoveryReports,
  layerNatsLeases,
);

/** What surrounds the calls to gateways: breakers that all nodes share, limits, and who shares them. */
const layerResilience = layerGatewayProtection.pipe(
  Layer.provideMerge(layerBreakers),
  Layer.provide(layerNatsSharedCircuits),
  Layer.provide(layerNatsMembers),
);

/** A node: built when its connection, its deployment and its log are there; its shards follow (`ShardOwner.status`). */
export const layerNode = (options: NodeOptions, parts: NodeParts = {}) => {
  const { crashPoints = layerNoCrashPoints } = parts;
  const configuration = Layer.provide(
    layerConfiguration(options.gateways, parts.configurations),
    layerNatsReceivedNotifications,
  );
  // What comes later replaces a service of the same name.
  const configured = Layer.mergeAll(configuration, parts.gateways ?? Layer.empty, parts.hooks ?? Layer.empty);
  return layerShardOwner.pipe(
    Layer.provideMerge(layerNatsQueries),
    Layer.provide(layerNatsMembers),
    Layer.provide(layerTrials),
    Layer.provide(layerIngress),
    Layer.provide(layerPaymentActors),
    Layer.provide(layerPaymentSteps),
    Layer.provide(Layer.mergeAll(layerRefusals, layerGivingUp, layerGatewayCalls)),
    Layer.provide(layerParking),
    Layer.provide(layerNatsGatewayHealth),
    Layer.provide(layerResilience),
    Layer.provide(layerNatsPorts),
    Layer.provide(layerHookCalls),
    Layer.provide(Layer.mergeAll(layerOwnership, configured, crashPoints)),
    Layer.provide(layerNatsGatewayKeys),
    Layer.provide(layerDeployment(options.settings.root)),
    Layer.provide(layerNats(options.nats)),
    Layer.provide(Layer.succeed(Settings, options.settings)),
  );
};
