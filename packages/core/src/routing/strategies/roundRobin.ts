/**
 * Each in its turn. Whose turn it is follows from the payment itself and from no counter, which nodes would have to share:
 * over many payments all gateways that may be used are first equally often.
 */
import { chance } from "../chance.ts";
import type { Strategy } from "./Strategy.ts";

export const roundRobin: Strategy = ({ candidates, seed }) => {
  const turn = Math.floor(chance(seed, "turn") * candidates.length);
  return [...candidates.slice(turn), ...candidates.slice(0, turn)].map((candidate, place) => ({
    candidate,
    why: place === 0 ? "its turn" : "next in turn",
  }));
};
