/**
 * The gateways of a deployment, from its configuration (the file that AEGISPAY_GATEWAYS names):
 *
 *     { "gateways": [ { "name": "simulator", "type": "simulator", "url": "http://127.0.0.1:8081" } ] }
 *
 * Their order is the order in which they are tried, unless `routing` says otherwise (docs/routing.md). What an entry may
 * hold is its adapter's matter (adapters.ts).
 */
import { contradictionsOf } from "@aegispay/core/routing/contradictions";
import { plainTable, RoutingTable } from "@aegispay/core/routing/RoutingTable";
import { Effect, Layer, Schema } from "effect";
import type { Adapter } from "./Adapter.ts";
import { adapters } from "./adapters.ts";
import { LimitsConfig } from "./configuration/Limits.ts";
import type { SecretMissing } from "./configuration/Secret.ts";
import { Gateways } from "./Gateway.ts";
import { retryKnobsOf, surroundingsOf } from "./configuration/surroundings.ts";

const GatewayEntry = Schema.Union(Object.values(adapters).map(({ config }) => config)).annotate({
  expected: `an entry whose "type" is one of ${Object.keys(adapters)
    .map((type) => JSON.stringify(type))
    .join(", ")}`,
});
type GatewayEntry = typeof GatewayEntry.Type;

const adapterOf = ({ type }: GatewayEntry): Adapter<GatewayEntry> => adapters[type];

/** To be decoded with `onExcessProperty: "error"`: a setting that is misspelt must not silently be its default. */
export const GatewaysConfig = Schema.Struct({
  gateways: Schema.NonEmptyArray(GatewayEntry).check(
    Schema.makeFilter((gateways: ReadonlyArray<{ readonly name: string }>) => {
      const names = gateways.map((gateway) => gateway.name);
      const twice = names.find((name, index) => names.indexOf(name) !== index);
      return twice === undefined ? undefined : `two gateways are named ${JSON.stringify(twice)}`;
    }),
  ),
  /** How much one gateway, or one merchant, may occupy (docs/resilience.md). */
  limits: Schema.optionalKey(LimitsConfig),
  /** Which of them a payment may go to, and in which order; without it they are tried as they stand. */
  routing: Schema.optionalKey(RoutingTable),
}).check(
  Schema.makeFilter(({ gateways, routing = plainTable }) => {
    const names = gateways.map(({ name }) => name);
    return contradictionsOf(routing, names).map(({ path, problem }) => ({
      path: ["routing", ...path],
      issue: problem,
    }));
  }),
);
export type GatewaysConfig = typeof GatewaysConfig.Type;

/** Fails where no gateway could be made of an entry: for whoever reads a configuration, before anything is begun with it. */
export const checkGateways = (config: GatewaysConfig): Effect.Effect<void, SecretMissing> =>
  Effect.scoped(Effect.asVoid(Layer.build(layerFromConfig(config))));

/** The `Gateways` service with an adapter for each configured gateway; their connections close with the layer. */
export const layerFromConfig = (config: GatewaysConfig): Layer.Layer<Gateways, SecretMissing> =>
  Layer.effect(
    Gateways,
    Effect.map(
      Effect.forEach(config.gateways, (entry) => adapterOf(entry).make(entry)),
      (gateways) => ({
        candidates: config.gateways.map((entry, index) => ({
          gateway: entry.name,
          account: entry.account ?? "default",
          keyRetentionMillis: entry.keyRetentionMillis ?? adapterOf(entry).keyRetentionMillis,
          ...(gateways[index]?.finishAction === undefined ? {} : { finishesActions: true as const }),
          ...retryKnobsOf(entry),
        })),
        ...(config.routing === undefined ? {} : { routing: config.routing }),
        ...surroundingsOf(config, adapterOf),
        find: (name: string, account: string) =>
          gateways.find((gateway) => gateway.name === name && gateway.account === account),
      }),
    ),
  );
