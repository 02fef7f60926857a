/** Groups of horizontal bars, one bar a series: lengths that are compared, under names too long to stand side by side. */
import { element, escapeText } from "./markup.ts";
import { linear, shortNumber, ticksTo } from "./scales.ts";

export interface BarChart {
  readonly title: string;
  readonly unit: string;
  readonly series: ReadonlyArray<string>;
  /** `values`: one for each series. */
  readonly groups: ReadonlyArray<{ readonly name: string; readonly values: ReadonlyArray<number> }>;
}

const width = 760;
const left = 250;
const right = 70;
const axisHeight = 34;
const bar = 13;
const gap = 10;

export const drawBars = ({ title, unit, series, groups }: BarChart): string => {
  const groupHeight = series.length * bar + gap;
  const bottom = groups.length * groupHeight;
  const ticks = ticksTo(Math.max(0, ...groups.flatMap(({ values }) => values)));
  const x = linear(0, ticks.at(-1)!, left, width - right);
  const grid = ticks.map(
    (tick) =>
      element("line", { class: "grid", x1: x(tick), x2: x(tick), y1: 0, y2: bottom }) +
      element("text", { class: "tick", x: x(tick), y: bottom + 14, "text-anchor": "middle" }, shortNumber(tick)),
  );
  const bars = groups.flatMap(({ name, values }, group) => {
    const top = group * groupHeight + gap / 2;
    const middle = top + (series.length * bar) / 2 + 4;
    return [
      element("text", { class: "name", x: left - 10, y: middle, "text-anchor": "end" }, escapeText(name)),
      ...values.map((value, index) => {
        const y = top + index * bar;
        const length = Math.max(0, x(value) - left);
        return (
          element("rect", { class: `fill-${index + 1}`, x: left, y, width: length, height: bar - 2, rx: 1.5 }) +
          element("text", { class: "value", x: left + length + 5, y: y + bar - 4 }, value.toLocaleString("en-US"))
        );
      }),
    ];
  });
  const axis = element(
    "text",
    { class: "axis", x: (left + width - right) / 2, y: bottom + 30, "text-anchor": "middle" },
    escapeText(unit),
  );
  const box = `0 0 ${width} ${bottom + axisHeight}`;
  return element(
    "svg",
    { viewBox: box, role: "img", "aria-label": title, class: "wide" },
    [...grid, ...bars, axis].join(""),
  );
};
