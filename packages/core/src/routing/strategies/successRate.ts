/**
 * The most successful first, as a bandit that explores a little (Thompson's sampling): of what is known of each gateway's
 * success rate one possible rate is drawn, and the greatest is first. The less a gateway was tried lately, the wider is
 * what is drawn, so that it is tried now and then; and nodes that share the same figures do not all do the same at once.
 */
import { chances } from "../chance.ts";
import { byLeast, type Strategy } from "./Strategy.ts";

const normal = (next: () => number): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());

/** Draws are thrown away one time in twenty or less: this many in a row are as good as impossible. */
const drawsMax = 64;

/** From a gamma distribution of the shape, which is 1 or more (Marsaglia and Tsang). */
const gamma = (shape: number, next: () => number): number => {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (let draws = 0; draws < drawsMax; draws++) {
    const x = normal(next);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - next()) < x ** 2 / 2 + d - d * v + d * Math.log(v)) return d * v;
  }
  return d;
};

/** One rate that would explain what was seen: from the beta distribution that a uniform prior leaves. */
const possibleRate = (successes: number, failures: number, next: () => number): number => {
  const good = gamma(successes + 1, next);
  return good / (good + gamma(failures + 1, next));
};

export const successRate: Strategy = ({ candidates, figuresOf, seed }) =>
  byLeast(
    candidates,
    (candidate) => {
      const { attempts, successes } = figuresOf(candidate);
      return -possibleRate(
        successes,
        attempts - successes,
        chances(seed, `rate ${candidate.gateway}/${candidate.account}`),
      );
    },
    (candidate, drawn) => {
      const { attempts, successes } = figuresOf(candidate);
      return `${successes} of ${attempts} went well, drawn ${Math.round(-drawn * 100)} %`;
    },
  );
