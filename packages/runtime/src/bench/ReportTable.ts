/** One chapter of the report, as a table. */
import type { Part } from "./settings.ts";

export interface ReportTable {
  readonly chapter: Part | "peers";
  readonly title: string;
  /** How to read it, in a sentence or two. */
  readonly note: string;
  readonly header: ReadonlyArray<string>;
  readonly rows: ReadonlyArray<ReadonlyArray<string>>;
}
