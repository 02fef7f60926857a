/** What a run of the benchmark says: the machine and the settings it ran with, and whatever was measured. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import type { GrowthFigures } from "./measurements/growth.ts";
import type { MemoryFigures } from "./measurements/memory.ts";
import type { MixedFigures } from "./measurements/mixedOutcomes.ts";
import type { OpenLoopFigures } from "./measurements/openLoop.ts";
import type { ReplayFigures } from "./measurements/replaySpeed.ts";
import type { Round } from "./measurements/saturation.ts";
import type { TakeOverFigures } from "./measurements/takeOver.ts";
import type { PeerLine } from "./peers/PeerReport.ts";
import { benchShards, warmUpPayments, type Load, type Workload } from "./settings.ts";
import { median, range } from "./statistics.ts";

export interface Summary extends Workload {
  readonly bare: number;
  readonly runtime: number;
  readonly ratio: number;
  readonly ratioRange: readonly [number, number];
  readonly p50: number;
  readonly p99: number;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly natsServer: string;
  readonly effect: string;
}

export interface ReportSettings extends Load {
  readonly rounds: number;
  readonly warmUpPayments: number;
  readonly shards: number;
}

/** Of each measurement that was made. */
export interface Measurements {
  readonly rounds: ReadonlyArray<Round>;
  readonly mixed?: ReadonlyArray<MixedFigures>;
  readonly openLoop?: ReadonlyArray<OpenLoopFigures>;
  readonly takeOver?: ReadonlyArray<TakeOverFigures>;
  readonly replay?: ReadonlyArray<ReplayFigures>;
  readonly memory?: MemoryFigures;
  readonly growth?: ReadonlyArray<GrowthFigures>;
  readonly peers?: ReadonlyArray<PeerLine>;
}

export interface BenchReport extends Measurements {
  /** When it began, ISO 8601. */
  readonly at: string;
  readonly machine: Machine;
  readonly settings: ReportSettings;
  /** Of the rounds, by workload. */
  readonly medians: ReadonlyArray<Summary>;
}

const summarize = (rounds: ReadonlyArray<Round>): Summary => {
  const { sync, gateway, replicas, workers } = rounds[0]!;
  const of = (pick: (round: Round) => number) => median(rounds.map(pick));
  return {
    sync,
    gateway,
    replicas,
    workers,
    bare: of((round) => round.bare),
    runtime: of((round) => round.runtime),
    ratio: of((round) => round.ratio),
    ratioRange: range(rounds.map(({ ratio }) => ratio)),
    p50: of((round) => round.p50),
    p99: of((round) => round.p99),
  };
};

/** By workload, in the order in which they were measured. */
export const summaries = (rounds: ReadonlyArray<Round>): ReadonlyArray<Summary> => {
  const byWorkload = Map.groupBy(rounds, ({ sync, gateway, replicas, workers }) =>
    [sync, gateway, replicas, workers].join(),
  );
  return [...byWorkload.values()].map(summarize);
};

const versionOf = (manifest: string): string =>
  (JSON.parse(readFileSync(new URL(import.meta.resolve(manifest)), "utf8")) as { readonly version: string }).version;

export const thisMachine = (natsServer: string): Machine => ({
  cpu: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  system: `${process.platform} ${release()}`,
  node: process.version,
  natsServer: execFileSync(natsServer, ["--version"], { encoding: "utf8" }).trim(),
  effect: versionOf("effect/package.json"),
});

export const benchReport = (
  at: string,
  machine: Machine,
  run: Load & { readonly rounds: number },
  measured: Measurements,
): BenchReport => {
  const { payments, inFlight, rounds } = run;
  const settings = { payments, inFlight, rounds, warmUpPayments, shards: benchShards };
  return { at, machine, settings, ...measured, medians: summaries(measured.rounds) };
};
