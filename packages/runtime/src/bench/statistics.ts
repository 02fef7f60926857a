/** Figures from measurements: what is in the middle, how far they spread. */
import { quantile } from "../metrics/quantile.ts";
import type { Latency } from "./settings.ts";

const ascending = (values: ReadonlyArray<number>): ReadonlyArray<number> => values.toSorted((a, b) => a - b);

/** The one in the middle; of an even number halfway between the two. 0 of none. */
export const median = (values: ReadonlyArray<number>): number => {
  const sorted = ascending(values);
  const upper = quantile(sorted, 0.5);
  return sorted.length % 2 === 1 ? upper : ((sorted[sorted.length / 2 - 1] ?? 0) + upper) / 2;
};

export const range = (values: ReadonlyArray<number>): readonly [least: number, most: number] => [
  Math.min(...values),
  Math.max(...values),
];

/** Of times in milliseconds, in any order. */
export const latencyOf = (times: ReadonlyArray<number>): Latency => {
  const sorted = ascending(times);
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
};

export const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

export const roundedLatency = ({ p50, p99 }: Latency): Latency => ({ p50: rounded(p50, 1), p99: rounded(p99, 1) });
