/** Lines through points: how a figure goes as something else grows. The vertical axis begins at 0, so that heights compare. */
import { element, escapeText } from "./markup.ts";
import { linear, logarithmic, shortNumber, ticksTo } from "./scales.ts";

export interface LineChart {
  readonly title: string;
  /** What stands below, what is measured upwards. */
  readonly across: string;
  readonly up: string;
  /** `log`: by ratios. */
  readonly scale: "linear" | "log";
  readonly series: ReadonlyArray<{
    readonly name: string;
    readonly points: ReadonlyArray<readonly [x: number, y: number]>;
  }>;
  /** Names of places below; as numbers where it names none. */
  readonly nameX?: (x: number) => string;
}

const width = 460;
const height = 270;
const margin = { top: 12, right: 20, bottom: 42, left: 62 };

export const drawLines = ({ title, across, up, scale, series, nameX = shortNumber }: LineChart): string => {
  const places = [...new Set(series.flatMap(({ points }) => points.map(([x]) => x)))].toSorted((a, b) => a - b);
  const ticks = ticksTo(Math.max(0, ...series.flatMap(({ points }) => points.map(([, y]) => y))));
  const [from, to] = [places[0] ?? 0, places.at(-1) ?? 1];
  const x = (scale === "log" ? logarithmic : linear)(from, to, margin.left, width - margin.right);
  const y = linear(0, ticks.at(-1)!, height - margin.bottom, margin.top);
  const grid = ticks.map(
    (tick) =>
      element("line", { class: "grid", x1: margin.left, x2: width - margin.right, y1: y(tick), y2: y(tick) }) +
      element("text", { class: "tick", x: margin.left - 7, y: y(tick) + 4, "text-anchor": "end" }, shortNumber(tick)),
  );
  const names = places.map((place) =>
    element(
      "text",
      { class: "tick", x: x(place), y: height - margin.bottom + 16, "text-anchor": "middle" },
      escapeText(nameX(place)),
    ),
  );
  const lines = series.map(({ name, points }, index) => {
    const path = points.map(([px, py], point) => `${point === 0 ? "M" : "L"}${x(px).toFixed(1)} ${y(py).toFixed(1)}`);
    const dots = points.map(([px, py]) =>
      element(
        "circle",
        { class: `fill-${index + 1}`, cx: x(px), cy: y(py), r: 3.5 },
        element("title", {}, escapeText(`${name}, ${nameX(px)}: ${py.toLocaleString("en-US")}`)),
      ),
    );
    return element("path", { class: `line-${index + 1}`, d: path.join(" ") }) + dots.join("");
  });
  const below = { class: "axis", x: (margin.left + width - margin.right) / 2, y: height - 6, "text-anchor": "middle" };
  const middle = (height - margin.bottom + margin.top) / 2;
  const beside = { class: "axis", transform: `translate(12 ${middle}) rotate(-90)`, "text-anchor": "middle" };
  const axes = element("text", below, escapeText(across)) + element("text", beside, escapeText(up));
  const all = [...grid, ...names, axes, ...lines].join("");
  return element("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title }, all);
};
