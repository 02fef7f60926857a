/** How an attempt's gateway was chosen, as it is kept in the log: "why this gateway?" is answered from here. */
import { Schema } from "effect";
import type { Route } from "../routing/route.ts";

export const RecordedRoute = Schema.Struct({
  strategy: Schema.String,
  /** The name of the rule that the payment fell under. */
  rule: Schema.optionalKey(Schema.String),
  /** The chosen one first, then those that would have come after it, each with what spoke for its place. */
  order: Schema.Array(
    Schema.Struct({ gateway: Schema.String, account: Schema.String, why: Schema.Array(Schema.String) }),
  ),
  skipped: Schema.Array(Schema.Struct({ gateway: Schema.String, account: Schema.String, why: Schema.String })),
  /** How many more there were of either. */
  leftOut: Schema.optionalKey(Schema.Int),
});
export type RecordedRoute = typeof RecordedRoute.Type;

/** Gateways that are named, of the order and of those that were skipped: a log is not to grow with the configuration. */
const namedMax = 8;
const textMax = 120;

const short = (text: string): string => text.slice(0, textMax);

export const recordRoute = ({ strategy, rule, order, skipped }: Route): RecordedRoute => {
  const leftOut = Math.max(0, order.length - namedMax) + Math.max(0, skipped.length - namedMax);
  return {
    strategy,
    ...(rule === undefined ? {} : { rule }),
    order: order.slice(0, namedMax).map(({ gateway, account, why }) => ({ gateway, account, why: why.map(short) })),
    skipped: skipped.slice(0, namedMax).map(({ gateway, account, why }) => ({ gateway, account, why: short(why) })),
    ...(leftOut === 0 ? {} : { leftOut }),
  };
};
