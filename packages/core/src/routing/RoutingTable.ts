/**
 * The section `routing` of the configuration: which gateways a payment may go to, and in which order they are tried.
 * docs/routing.md explains it by example. What contradicts itself is found by contradictions.ts, before anything begins.
 */
import { Schema } from "effect";
import { MinorUnits } from "../money/Money.ts";

/** How the gateways that are left are put in order; each is a file in strategies/. */
export const strategyNames = ["order", "weights", "leastCost", "leastLatency", "successRate", "roundRobin"] as const;
export type StrategyName = (typeof strategyNames)[number];
const StrategyName = Schema.Literals(strategyNames);

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }));

/** Names of gateways, or values one of which a payment must have: never an empty list, which nothing could be in. */
const Texts = Schema.Array(Schema.NonEmptyString).check(Schema.isMinLength(1));

/** Bounds of an amount in minor units, both of them inside; at least one is given. */
const Range = Schema.Struct({ min: Schema.optionalKey(MinorUnits), max: Schema.optionalKey(MinorUnits) });
export type Range = typeof Range.Type;

/** Bounds by currency: minor units of different currencies cannot be compared. */
const Ranges = Schema.Record(Schema.String, Range);

/** Shares by gateway, whole numbers from 0 to 1000000: 0 is never chosen, and so is what is not named. */
const Weights = Schema.Record(Schema.String, between(0, 1_000_000));
export type Weights = typeof Weights.Type;

/** What a charge costs at a gateway: minor units of the currency, and hundredths of a percent of the amount. */
const Fee = Schema.Struct({
  /** Minor units, 0 to 1000000, default 0. */
  fixed: Schema.optionalKey(between(0, 1_000_000)),
  /** 290 is 2.9 %. 0 to 10000, default 0. */
  basisPoints: Schema.optionalKey(between(0, 10_000)),
});
export type Fee = typeof Fee.Type;

/** What a gateway takes. A list that is left out takes all; what a payment does not say excludes no gateway. */
const Supports = Schema.Struct({
  /** ISO 4217, upper case. */
  currencies: Schema.optionalKey(Texts),
  merchants: Schema.optionalKey(Texts),
  /** Of the customer: ISO 3166, two capital letters. */
  countries: Schema.optionalKey(Texts),
  /** Of the card, lower case: visa, mastercard, amex. */
  networks: Schema.optionalKey(Texts),
  /** By currency; one that is not named has no bounds. */
  amount: Schema.optionalKey(Ranges),
});
export type Supports = typeof Supports.Type;

const GatewayTraits = Schema.Struct({
  supports: Schema.optionalKey(Supports),
  /** By currency, for `leastCost`. */
  fees: Schema.optionalKey(Schema.Record(Schema.String, Fee)),
});

/** All that is given must hold; of a list, one value. A payment that does not say what is asked for does not match. */
const Conditions = Schema.Struct({
  currency: Schema.optionalKey(Texts),
  /** By currency, minor units: another currency does not match. */
  amount: Schema.optionalKey(Ranges),
  merchant: Schema.optionalKey(Texts),
  country: Schema.optionalKey(Texts),
  network: Schema.optionalKey(Texts),
  /** Labels that an enrich hook has given the payment: for each, the values of which it has one. */
  labels: Schema.optionalKey(Schema.Record(Schema.String, Texts)),
});
export type Conditions = typeof Conditions.Type;

const Rule = Schema.Struct({
  /** Stands in the payment's log. */
  name: Schema.String.check(
    Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9 _.-]{0,63}$/, {
      expected: "a name of 1 to 64 letters, digits, blanks, _ . or -",
    }),
  ),
  when: Conditions,
  /** These first, in this order, or in that of the rule's own strategy; the others stay behind them. */
  prefer: Schema.optionalKey(Texts),
  /** These and no others. */
  only: Schema.optionalKey(Texts),
  /** Never these. */
  exclude: Schema.optionalKey(Texts),
  /** Instead of the table's. */
  strategy: Schema.optionalKey(StrategyName),
  /** Instead of the table's, for the strategy `weights`. */
  weights: Schema.optionalKey(Weights),
});
export type Rule = typeof Rule.Type;

/** When a gateway is as good as dead: left out as long as there is another, but for a few payments that find out. */
const Health = Schema.Struct({
  /** A score below it is dead: 0 to 100, default 20; 0 = none ever is. */
  floor: Schema.optionalKey(between(0, 100)),
  /** Calls in the window without which no score says anything: 1 to 1000, default 20. */
  callsMin: Schema.optionalKey(between(1, 1_000)),
  /** Payments in a thousand that try what is dead, or has not been measured, all the same: 0 to 500, default 20. */
  explorePerMille: Schema.optionalKey(between(0, 500)),
});

export const RoutingTable = Schema.Struct({
  /** Default `order`: as the gateways stand in the configuration. */
  strategy: Schema.optionalKey(StrategyName),
  weights: Schema.optionalKey(Weights),
  /** By the gateway's name. */
  gateways: Schema.optionalKey(Schema.Record(Schema.String, GatewayTraits)),
  /** The first that matches a payment is the only one that counts. */
  rules: Schema.optionalKey(Schema.Array(Rule)),
  health: Schema.optionalKey(Health),
  /** Gateways one payment may be tried at: 1 to 10, and never more than the policy of the deployment has (5). */
  maxAttempts: Schema.optionalKey(between(1, 10)),
});
export type RoutingTable = typeof RoutingTable.Type;

/** What holds where the configuration has no section `routing`: the configured order, whatever the gateways' scores. */
export const plainTable: RoutingTable = { health: { floor: 0 } };

export const healthOf = ({ health = {} }: RoutingTable) => {
  const { floor = 20, callsMin = 20, explorePerMille = 20 } = health;
  return { floor, callsMin, explore: explorePerMille / 1_000 };
};
