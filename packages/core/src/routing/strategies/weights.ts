/**
 * By weight: each gateway is first for its share of the payments, and, where some are left out, for its share among the
 * others. Each draws a number for the payment and the least of -ln(number) / weight is first (Efraimidis and Spirakis):
 * to change one weight moves no payment between two other gateways.
 */
import { chance } from "../chance.ts";
import type { Weights } from "../RoutingTable.ts";
import { byLeast, type Strategy } from "./Strategy.ts";

export const weightOf = (weights: Weights, gateway: string): number =>
  Object.hasOwn(weights, gateway) ? (weights[gateway] ?? 0) : 0;

export const weights: Strategy = ({ candidates, weights: shares, seed }) => {
  const total = candidates.reduce((sum, { gateway }) => sum + weightOf(shares, gateway), 0);
  return byLeast(
    candidates,
    ({ gateway, account }) => -Math.log(1 - chance(seed, `weight ${gateway}/${account}`)) / weightOf(shares, gateway),
    ({ gateway }) => `drawn by weight: ${weightOf(shares, gateway)} of ${total}`,
  );
};
