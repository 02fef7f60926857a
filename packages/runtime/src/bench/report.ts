/** What a run of the benchmark says: the machine it ran on, every round, and by workload the median and the range. */
import { execFileSync } from "node:child_process";
import { cpus, totalmem } from "node:os";
import { quantile } from "../metrics/quantile.ts";
import type { Round } from "./runBench.ts";
import { warmUpPayments, type Load, type Workload } from "./settings.ts";

export interface Summary extends Workload {
  readonly bare: number;
  readonly runtime: number;
  readonly ratio: number;
  readonly ratioRange: readonly [number, number];
  readonly p50: number;
  readonly p99: number;
}

export interface BenchReport {
  readonly at: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGiB: number;
    readonly node: string;
    readonly natsServer: string;
  };
  readonly settings: Load & { readonly warmUpPayments: number };
  readonly rounds: ReadonlyArray<Round>;
  readonly medians: ReadonlyArray<Summary>;
}

const median = (values: ReadonlyArray<number>): number =>
  quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );

const summarize = (rounds: ReadonlyArray<Round>): Summary => {
  const { sync, gateway, replicas, workers } = rounds[0]!;
  const of = (pick: (round: Round) => number) => median(rounds.map(pick));
  const ratios = rounds.map(({ ratio }) => ratio);
  return {
    sync,
    gateway,
    replicas,
    workers,
    bare: of((round) => round.bare),
    runtime: of((round) => round.runtime),
    ratio: of((round) => round.ratio),
    ratioRange: [Math.min(...ratios), Math.max(...ratios)],
    p50: of((round) => round.p50),
    p99: of((round) => round.p99),
  };
};

export const benchReport = (at: string, rounds: ReadonlyArray<Round>, load: Load, natsServer: string): BenchReport => {
  const byWorkload = Map.groupBy(rounds, ({ sync, gateway, replicas, workers }) =>
    [sync, gateway, replicas, workers].join(),
  );
  return {
    at,
    machine: {
      cpu: cpus()[0]?.model ?? "unknown",
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      node: process.version,
      natsServer: execFileSync(natsServer, ["--version"], { encoding: "utf8" }).trim(),
    },
    settings: { payments: load.payments, inFlight: load.inFlight, warmUpPayments },
    rounds,
    medians: [...byWorkload.values()].map(summarize),
  };
};
