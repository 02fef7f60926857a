/** The benchmark's report: one set of tables for the terminal and for the page, which needs nothing but itself. */
import { benchPage } from "@aegispay/runtime/bench/page/benchPage";
import { chartsOf } from "@aegispay/runtime/bench/page/charts";
import { linear, logarithmic, shortNumber, ticksTo } from "@aegispay/runtime/bench/page/scales";
import { reportTables } from "@aegispay/runtime/bench/reportTables";
import { parts } from "@aegispay/runtime/bench/settings";
import { benchTables } from "@aegispay/runtime/cli/benchTables";
import { describe, expect, it } from "vitest";
import { reportOf } from "./reports.ts";

describe("the tables of a report", () => {
  it("are one for each measurement, in their order, each row as wide as its header", () => {
    const tables = reportTables(reportOf());
    expect(tables.map(({ chapter }) => chapter)).toEqual([...parts, "peers"]);
    for (const { header, rows } of tables) for (const row of rows) expect(row).toHaveLength(header.length);
  });

  it("leave out what was not measured", () => {
    const tables = reportTables(reportOf({ rounds: [], replay: reportOf().replay! }));
    expect(tables.map(({ chapter }) => chapter)).toEqual(["replay"]);
  });

  it("are printed under the machine and the settings", () => {
    const [cpu, versions, settings] = benchTables(reportOf()).split("\n");
    expect(cpu).toContain("2 cores");
    expect(versions).toContain("nats-server: v2.15.1, effect 4.1.0");
    expect(settings).toContain("20000 payments a round after 2000 to warm up, 512 in flight, 3 round(s)");
  });
});

describe("the page of a report", () => {
  const page = benchPage(reportOf());

  it("has a chart for every measurement, each with its values", () => {
    expect(parts.filter((part) => chartsOf(part, reportOf()).length === 0)).toEqual([]);
    const charts = reportTables(reportOf()).flatMap(({ chapter }) => chartsOf(chapter, reportOf()));
    expect(page.match(/<svg /g)).toHaveLength(charts.length);
    for (const { title } of charts) expect(page).toContain(`aria-label="${title}"`);
  });

  it("fetches nothing from anywhere", () => {
    expect(page).not.toMatch(/<(?:script|link|img|iframe)\b/);
    expect(page).not.toMatch(/\b(?:src|href)=|url\(|@import|https?:/);
  });

  it("takes no text for markup", () => {
    expect(page).toContain("A &lt;processor&gt; &amp; &quot;more&quot;");
    expect(page).not.toContain("<processor>");
  });

  it("draws no number that is none", () => expect(page).not.toMatch(/NaN|Infinity|undefined/));

  it("holds up when nothing but one point was measured", () => {
    const [kill] = reportOf().takeOver!;
    const one = benchPage(reportOf({ rounds: [], takeOver: [kill!], growth: [reportOf().growth![0]!] }));
    expect(one).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe("a chart's scale", () => {
  it("puts values where their share of the span is, or that of their logarithms", () => {
    expect(linear(0, 10, 100, 200)(5)).toBe(150);
    expect(logarithmic(1, 100, 0, 100)(10)).toBeCloseTo(50);
  });

  it("names round values from 0 to the largest at least", () => {
    expect(ticksTo(0.8)).toEqual([0, 0.2, 0.4, 0.6, 0.8]);
    expect(ticksTo(2_300)).toEqual([0, 500, 1_000, 1_500, 2_000, 2_500]);
    expect(ticksTo(0)).toEqual([0, 1]);
  });

  it("names them shortly", () => {
    expect([2_500, 100_000, 1_000_000].map(shortNumber)).toEqual(["2,500", "100k", "1M"]);
  });
});
