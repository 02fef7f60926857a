/** What the primary itself knows, in the text format of Prometheus. */
import { escapeLabelValue } from "../metrics/prometheusText.ts";

export interface PrimaryFigures {
  /** Workers that are up. */
  readonly up: number;
  readonly expected: number;
  /** How often each worker was started again, by its id. */
  readonly restarts: ReadonlyMap<string, number>;
  /** Changes of the configuration's file, by what became of them; left out where no file is followed. */
  readonly reloads?: ReadonlyMap<string, number>;
}

const family = (name: string, type: "counter" | "gauge", help: string, samples: ReadonlyArray<string>): string =>
  [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples.map((sample) => `${name}${sample}`), ""].join("\n");

const fileChanges = (reloads: ReadonlyMap<string, number>): string =>
  family(
    "aegispay_config_file_changes_total",
    "counter",
    "Changes of the configuration's file: applied, unchanged, or refused because it is wrong",
    ["applied", "unchanged", "refused"].map((result) => `{result="${result}"} ${reloads.get(result) ?? 0}`),
  );

export const renderPrimaryMetrics = ({ up, expected, restarts, reloads }: PrimaryFigures): string =>
  [
    family("aegispay_workers_up", "gauge", "Workers that are up", [` ${up}`]),
    family("aegispay_workers_expected", "gauge", "Workers that should be up", [` ${expected}`]),
    family(
      "aegispay_worker_restarts_total",
      "counter",
      "Times a worker was started again, after whatever end",
      [...restarts].map(([node, times]) => `{node="${escapeLabelValue(node)}"} ${times}`),
    ),
    ...(reloads === undefined ? [] : [fileChanges(reloads)]),
  ].join("");
