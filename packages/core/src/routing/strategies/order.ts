/** As the gateways stand in the configuration. */
import type { Strategy } from "./Strategy.ts";

export const order: Strategy = ({ candidates }) =>
  candidates.map((candidate, place) => ({ candidate, why: place === 0 ? "first" : "next in the configured order" }));
