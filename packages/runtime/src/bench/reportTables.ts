/** The report as tables: what the command prints and what stands under each chart of the page. */
import { mix } from "./measurements/mixedOutcomes.ts";
import { peersTable } from "./peers/peersTable.ts";
import type { BenchReport } from "./report.ts";
import type { ReportTable } from "./ReportTable.ts";
import type { Latency, Workload } from "./settings.ts";

const text = (...cells: ReadonlyArray<string | number>): ReadonlyArray<string> => cells.map(String);
const workload = ({ sync, gateway, replicas, workers }: Workload) => [sync, gateway, replicas, workers] as const;
const workloadHeader = ["sync", "gateway", "replicas", "workers"] as const;
const both = (runtime: Latency, bare: Latency) => [runtime.p50, runtime.p99, bare.p50, bare.p99] as const;
const percent = (share: number): string => `${Math.round(share * 100)} %`;
export const mebibytes = (bytes: number): number => Number((bytes / 2 ** 20).toFixed(1));

const saturation = ({ medians, settings }: BenchReport): ReportTable => ({
  chapter: "saturation",
  title: "Saturation",
  note: `Payments a second with ${settings.inFlight} under way; medians of ${settings.rounds} round(s), the ratio's range over them; latency is the runtime's.`,
  header: [...workloadHeader, "bare/s", "runtime/s", "ratio", "from", "to", "p50 ms", "p99 ms"],
  rows: medians.map((line) => {
    const [from, to] = line.ratioRange;
    const ratios = [line.ratio, from, to].map((ratio) => ratio.toFixed(2));
    return text(...workload(line), line.bare, line.runtime, ...ratios, line.p50, line.p99);
  }),
});

const mixed = ({ mixed: lines = [] }: BenchReport): ReportTable => ({
  chapter: "mixed",
  title: "Declines and lost answers",
  note: `Of a hundred payments ${mix.declinedPercent} are declined, and of ${mix.answerLostPercent} the gateway's answer is lost: they are looked up at once.`,
  header: [
    ...workloadHeader,
    "approved/s",
    "mixed/s",
    "ratio",
    "p50 ms",
    "p99 ms",
    "answer lost p50 ms",
    "answer lost p99 ms",
  ],
  rows: lines.map((line) =>
    text(
      ...workload(line),
      line.approved,
      line.mixed,
      line.ratio.toFixed(2),
      line.p50,
      line.p99,
      line.answerLost.p50,
      line.answerLost.p99,
    ),
  ),
});

const openLoop = ({ openLoop: lines = [] }: BenchReport): ReportTable => ({
  chapter: "openLoop",
  title: "Latency below saturation",
  note: "Payments begin at their times, whatever became of those before, and latency counts from the intended start. Idle: one payment at a time. Bare is given the runtime's rates: what hits both is the disk's or the server's.",
  header: [...workloadHeader, "load", "offered/s", "ended/s", "p50 ms", "p99 ms", "bare p50 ms", "bare p99 ms"],
  rows: lines.flatMap((line) => [
    text(...workload(line), "idle", "", "", ...both(line.idle.runtime, line.idle.bare)),
    ...line.steps.map((step) =>
      text(...workload(line), percent(step.share), step.offered, step.achieved, ...both(step, step.bare)),
    ),
  ]),
});

const takeOver = ({ takeOver: lines = [], settings }: BenchReport): ReportTable => ({
  chapter: "takeOver",
  title: "Take-over",
  note: `From SIGKILL of one of two workers until the ends of the payments it had at a gateway are committed; medians of ${settings.rounds} kill(s).`,
  header: ["sync", "payments in the log", "in flight", "first ms", "all ms", "from", "to"],
  rows: lines.map((line) =>
    text(line.sync, line.paymentsInLog, line.inFlight, line.firstMillis, line.lastMillis, ...line.lastRangeMillis),
  ),
});

const replay = ({ replay: lines = [] }: BenchReport): ReportTable => ({
  chapter: "replay",
  title: "Replay",
  note: "From the log to states by the runtime's own code in one process: read, hash chain, decoding, legality.",
  header: ["commits a payment", "at a time", "payments/s", "commits/s"],
  rows: lines.map((line) => text(line.commitsEach, line.concurrency, line.paymentsPerSecond, line.commitsPerSecond)),
});

const memory = ({ memory: figures }: BenchReport): ReportTable => ({
  chapter: "memory",
  title: "Memory",
  note: "Bytes a payment, as the difference of two weighings: a worker's heap and buffers after a garbage collection, the server's resident memory.",
  header: ["payment", "worker", "server", "disk"],
  rows:
    figures === undefined
      ? []
      : [
          text("live (at the gateway)", figures.worker.live, figures.server.live, ""),
          text("passive (at rest, kept for repeats)", figures.worker.passive, figures.server.finished, figures.disk),
          text("finished (in the log only)", figures.worker.finished, figures.server.finished, figures.disk),
        ],
});

const growth = ({ growth: lines = [] }: BenchReport): ReportTable => ({
  chapter: "growth",
  title: "Growth",
  note: "The same measurements, each from its own copy of a log of so many finished payments; one worker, instant gateway, one server.",
  header: [
    "sync",
    "payments in the log",
    "bare/s",
    "runtime/s",
    "ratio",
    "p50 ms",
    "p99 ms",
    "idle p50 ms",
    "take-over ms",
    "worker MiB",
    "server MiB",
  ],
  rows: lines.map((line) =>
    text(
      line.sync,
      line.paymentsInLog,
      line.bare,
      line.runtime,
      line.ratio.toFixed(2),
      line.p50,
      line.p99,
      line.idleMillis,
      line.takeOverMillis,
      mebibytes(line.workerBytes),
      mebibytes(line.serverBytes),
    ),
  ),
});

const peers = ({ peers: lines = [], medians }: BenchReport): ReportTable => peersTable(lines, medians);

/** Of what was measured; the others are left out. */
export const reportTables = (report: BenchReport): ReadonlyArray<ReportTable> =>
  [saturation, mixed, openLoop, takeOver, replay, memory, growth, peers]
    .map((table) => table(report))
    .filter(({ rows }) => rows.length > 0);

/** The machine and the settings, a line each. */
export const reportHead = ({ at, machine, settings }: BenchReport): ReadonlyArray<string> => [
  `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB; servers, workers and load generator share them`,
  `${machine.system}, node ${machine.node}, ${machine.natsServer}, effect ${machine.effect}; ${at}`,
  `${settings.payments} payments a round after ${settings.warmUpPayments} to warm up, ${settings.inFlight} in flight, ${settings.rounds} round(s), ${settings.shards} shards`,
];
