/** From values to places on a chart, and which values its axis names. */

export type Scale = (value: number) => number;

export const linear = (from: number, to: number, start: number, end: number): Scale => {
  const span = to - from || 1;
  return (value) => start + ((value - from) / span) * (end - start);
};

/** For values above 0 whose ratios matter. */
export const logarithmic = (from: number, to: number, start: number, end: number): Scale => {
  const scale = linear(Math.log(from), Math.log(to), start, end);
  return (value) => scale(Math.log(value));
};

const steps = [1, 2, 5, 10];

/** From 0 to at least the largest, in about so many steps of 1, 2 or 5 times a power of ten. */
export const ticksTo = (largest: number, count = 5): ReadonlyArray<number> => {
  if (largest <= 0) return [0, 1];
  const rough = largest / count;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = steps.find((one) => one * magnitude >= rough)! * magnitude;
  const length = Math.ceil(largest / step - 1e-9) + 1;
  return Array.from({ length }, (_, index) => Number((index * step).toPrecision(12)));
};

/** A number as an axis names it: 2,500 or 1M. */
export const shortNumber = (value: number): string => {
  if (value >= 1_000_000) return `${Number((value / 1_000_000).toPrecision(3))}M`;
  return value >= 100_000 ? `${Number((value / 1_000).toPrecision(3))}k` : value.toLocaleString("en-US");
};
