/** Whether a gateway takes such payments at all, as the table says. */
import type { PaymentFacts } from "./PaymentFacts.ts";
import { isWithin } from "./rules.ts";
import type { RoutingTable } from "./RoutingTable.ts";

const excludes = (values: ReadonlyArray<string> | undefined, value: string | undefined): boolean =>
  values !== undefined && value !== undefined && !values.includes(value);

/** Why it does not; undefined where it does. */
export const whyUnsupported = (
  { gateways = {} }: RoutingTable,
  gateway: string,
  { amount, merchant, country, network }: PaymentFacts,
): string | undefined => {
  const supports = Object.hasOwn(gateways, gateway) ? gateways[gateway]?.supports : undefined;
  if (supports === undefined) return undefined;
  if (excludes(supports.currencies, amount.currency)) return `it does not take ${amount.currency}`;
  if (excludes(supports.merchants, merchant)) return "it does not serve this merchant";
  if (excludes(supports.countries, country)) return `it does not serve customers in ${country}`;
  if (excludes(supports.networks, network)) return `it does not take cards of ${network}`;
  const bounds = supports.amount ?? {};
  const range = Object.hasOwn(bounds, amount.currency) ? bounds[amount.currency] : undefined;
  return range === undefined || isWithin(range, amount.value) ? undefined : "it does not take such an amount";
};
