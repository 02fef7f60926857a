/** What the cluster knows of its gateways just now, for commands that can do without it: they say so where it is away. */
import type { Candidate } from "@aegispay/core/payment/Given";
import type { Figures, LiveFigures } from "@aegispay/core/routing/LiveFigures";
import { liveKey, unseen } from "@aegispay/core/routing/LiveFigures";
import { Gateways } from "@aegispay/gateways/Gateway";
import type { GatewaysConfig } from "@aegispay/gateways/GatewaysConfig";
import { layerFromConfig } from "@aegispay/gateways/ReloadingGateways";
import { Clock, Context, Effect, Layer } from "effect";
import { layerNats } from "../nats/NatsConnection.ts";
import { layerDeployment } from "../nats/NatsTopology.ts";
import { circuitKey, type Circuit } from "../resilience/Breakers.ts";
import { admits } from "../resilience/circuit.ts";
import { readBreakers } from "../resilience/NatsBreakersOverview.ts";
import { readHealth } from "../routing/NatsHealthOverview.ts";
import { natsAddress } from "./connection.ts";

export interface ClusterView {
  /** Why nothing is known; undefined where the cluster was asked. */
  readonly away?: string;
  /** Nodes that have said something of the gateways lately. */
  readonly nodes: ReadonlyArray<string>;
  readonly figures: ReadonlyMap<string, Figures>;
  readonly circuits: ReadonlyMap<string, Circuit>;
}

const nothing = { nodes: [], figures: new Map<string, Figures>(), circuits: new Map<string, Circuit>() };

export const viewCluster = (
  flags: Parameters<typeof natsAddress>[0] & { readonly root: string },
): Effect.Effect<ClusterView> =>
  Effect.all({ health: readHealth, circuits: readBreakers }).pipe(
    Effect.map(({ health, circuits }): ClusterView => ({ ...health, circuits })),
    Effect.provide(layerDeployment(flags.root)),
    Effect.provide(layerNats(natsAddress(flags, "aegispay-gateways"))),
    Effect.catch(({ message }) => Effect.succeed({ ...nothing, away: message })),
  );

/** The gateways of a configuration as a node would have them; none of them is to be called. */
export const gatewaysOf = (config: GatewaysConfig) =>
  Effect.scoped(Effect.map(Layer.build(layerFromConfig(config)), Context.get(Gateways)));

/** What routing would be given of them. */
export const liveOf = (
  { figures, circuits }: ClusterView,
  candidates: ReadonlyArray<Candidate>,
): Effect.Effect<LiveFigures> =>
  Effect.map(Clock.currentTimeMillis, (atMillis) => {
    const live = new Map(figures);
    for (const { gateway, account } of candidates) {
      const key = liveKey(gateway, account);
      const circuit = circuits.get(circuitKey(gateway, account, "money"));
      const breakerOpen = circuit !== undefined && !admits(circuit, atMillis);
      if (breakerOpen) live.set(key, { ...(live.get(key) ?? unseen), breakerOpen });
    }
    return live;
  });
