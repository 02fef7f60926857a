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
import { Schema } from "effect";
import type { Adapter } from "./Adapter.ts";
import { adapters } from "./adapters.ts";
import { LimitsConfig } from "./configuration/Limits.ts";
import { HooksConfig } from "./configuration/hooksConfig.ts";

const GatewayEntry = Schema.Union(Object.values(adapters).map(({ config }) => config)).annotate({
  expected: `an entry whose "type" is one of ${Object.keys(adapters)
    .map((type) => JSON.stringify(type))
    .join(", ")}`,
});
export type GatewayEntry = typeof GatewayEntry.Type;

export const adapterOf = ({ type }: GatewayEntry): Adapter<GatewayEntry> => adapters[type];

/** To be decoded with `onExcessProperty: "error"`: a setting that is misspelt must not silently be its default. */
export const GatewaysConfig = Schema.Struct({
  gateways: Schema.NonEmptyArray(GatewayEntry).check(
    Schema.makeFilter((gateways: ReadonlyArray<{ readonly name: string }>) => {
      const names = gateways.map((gateway) => gateway.name);
      return names.flatMap((name, index) =>
        names.indexOf(name) === index
          ? []
          : [
              {
                path: [index, "name"],
                issue: `two gateways are named ${JSON.stringify(name)}: give each a name of its own`,
              },
            ],
      );
    }),
  ),
  /** How much one gateway, or one merchant, may occupy (docs/resilience.md). */
  limits: Schema.optionalKey(LimitsConfig),
  /** Which of them a payment may go to, and in which order; without it they are tried as they stand. */
  routing: Schema.optionalKey(RoutingTable),
  /** Functions of this deployment that are asked about payments, and told of them (docs/hooks.md). Default: none. */
  hooks: Schema.optionalKey(HooksConfig),
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
