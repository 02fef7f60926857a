/** The cheapest first, by the table's fees. Money is whole minor units: a part of one is rounded up. */
import type { Fee } from "../RoutingTable.ts";
import { byLeast, type Strategy } from "./Strategy.ts";

/** Minor units. */
export const costOf = ({ fixed = 0, basisPoints = 0 }: Fee, value: number): bigint =>
  BigInt(fixed) + (BigInt(value) * BigInt(basisPoints) + 9_999n) / 10_000n;

export const leastCost: Strategy = ({ candidates, table, facts }) => {
  const { value, currency } = facts.amount;
  const costAt = (gateway: string): bigint | undefined => {
    const fees = Object.hasOwn(table.gateways ?? {}, gateway) ? table.gateways?.[gateway]?.fees : undefined;
    const fee = Object.hasOwn(fees ?? {}, currency) ? fees?.[currency] : undefined;
    return fee && costOf(fee, value);
  };
  const known = candidates.filter(({ gateway }) => costAt(gateway) !== undefined);
  const unknown = candidates.filter(({ gateway }) => costAt(gateway) === undefined);
  return [
    ...byLeast(
      known,
      ({ gateway }) => costAt(gateway) ?? 0n,
      (_, cost) => `costs ${cost} ${currency} in minor units`,
    ),
    ...unknown.map((candidate) => ({ candidate, why: `no fee is known for ${currency}` })),
  ];
};
