/** The benchmark's report, as the command prints it. */
import type { BenchReport } from "../bench/report.ts";
import { reportHead, reportTables } from "../bench/reportTables.ts";
import { table } from "./output.ts";

export const benchTables = (report: BenchReport): string =>
  [
    ...reportHead(report),
    ...reportTables(report).flatMap(({ title, note, header, rows }) => ["", title, note, "", table(header, rows)]),
  ].join("\n");
