/** How the page looks, by day and by night. */

/** Told apart by those who see no red or no green, too; lighter by night. */
const seriesByDay = ["#8a94a3", "#1f6feb", "#c2570c", "#6f42c1"];
const seriesByNight = ["#7d8896", "#58a6ff", "#f0883e", "#bc8cff"];

const variables = (series: ReadonlyArray<string>): string =>
  series.map((colour, index) => `--series-${index + 1}: ${colour};`).join(" ");

const seriesRules = seriesByDay
  .map((_, index) => {
    const name = index + 1;
    const colour = `var(--series-${name})`;
    return `.fill-${name} { fill: ${colour}; background: ${colour}; }
.line-${name} { stroke: ${colour}; stroke-width: 2; fill: none; }`;
  })
  .join("\n");

export const style = `
:root { color-scheme: light dark; --ground: #ffffff; --ink: #1b2129; --faint: #5c6773; --rule: #dde2e8; ${variables(seriesByDay)} }
@media (prefers-color-scheme: dark) {
  :root { --ground: #0f141a; --ink: #e4e9ef; --faint: #97a3b0; --rule: #2b333d; ${variables(seriesByNight)} }
}
body { margin: 0 auto; max-width: 68rem; padding: 2rem 1rem 4rem; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .5rem; } h2 { font-size: 1.2rem; margin: 2.5rem 0 .25rem; }
p { margin: .25rem 0; } .faint, figcaption { color: var(--faint); font-size: .875rem; }
.charts { display: flex; flex-wrap: wrap; gap: 1rem; } figure { margin: 1rem 0 0; flex: 1 1 28rem; max-width: 33rem; } figure:has(.wide) { flex-basis: 100%; max-width: 56rem; }
figcaption strong { color: var(--ink); } .series { white-space: nowrap; }
.key { display: inline-block; width: .75em; height: .75em; border-radius: 2px; margin: 0 .3em 0 .8em; }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--ink); font: 11px system-ui, sans-serif; }
svg .tick, svg .axis { fill: var(--faint); } svg .grid { stroke: var(--rule); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; margin-top: 1rem; }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th { color: var(--faint); font-weight: 500; } th:first-child, td:first-child { text-align: left; }
${seriesRules}
`;
