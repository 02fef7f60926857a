/** The report as one page that needs nothing but itself: charts, each with the table that it was drawn from. */
import type { BenchReport } from "../report.ts";
import type { ReportTable } from "../ReportTable.ts";
import { reportHead, reportTables } from "../reportTables.ts";
import { drawBars } from "./barChart.ts";
import { chartsOf, type Chart } from "./charts.ts";
import { drawLines } from "./lineChart.ts";
import { element, escapeText } from "./markup.ts";
import { style } from "./style.ts";

const title = "AegisPay, measured";

const seriesNames = (chart: Chart): ReadonlyArray<string> =>
  chart.kind === "bars" ? chart.series : chart.series.map(({ name }) => name);

const legend = (names: ReadonlyArray<string>): string =>
  names
    .map((name, index) => {
      const key = element("span", { class: `key fill-${index + 1}` });
      return element("span", { class: "series" }, key + escapeText(name));
    })
    .join(" ");

const figure = (chart: Chart): string => {
  const drawn = chart.kind === "bars" ? drawBars(chart) : drawLines(chart);
  const caption = element("strong", {}, escapeText(chart.title)) + legend(seriesNames(chart));
  return element("figure", {}, element("figcaption", {}, caption) + drawn);
};

const table = ({ header, rows }: ReportTable): string => {
  const line = (name: "th" | "td", cells: ReadonlyArray<string>) =>
    element("tr", {}, cells.map((cell) => element(name, {}, escapeText(cell))).join(""));
  const head = element("thead", {}, line("th", header));
  const body = element("tbody", {}, rows.map((row) => line("td", row)).join(""));
  return element("div", { class: "scroll" }, element("table", {}, head + body));
};

const section = (report: BenchReport) => (one: ReportTable) => {
  const charts = element("div", { class: "charts" }, chartsOf(one.chapter, report).map(figure).join(""));
  const words = element("h2", {}, escapeText(one.title)) + element("p", { class: "faint" }, escapeText(one.note));
  return element("section", {}, words + charts + table(one));
};

export const benchPage = (report: BenchReport): string => {
  const head = [
    `<meta charset="utf-8">`,
    `<meta name="viewport" content="width=device-width, initial-scale=1">`,
    element("title", {}, title),
    element("style", {}, style),
  ];
  const about = reportHead(report).map((line) => element("p", { class: "faint" }, escapeText(line)));
  const sections = reportTables(report).map(section(report));
  const body = element("body", {}, [element("h1", {}, title), ...about, ...sections].join("\n"));
  return `<!doctype html>\n${element("html", { lang: "en" }, element("head", {}, head.join("\n")) + body)}\n`;
};
