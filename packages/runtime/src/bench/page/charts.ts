/** Which charts a report has: the figures of its tables, as far as a picture says more. */
import { comparable, hasFigure } from "../peers/peersTable.ts";
import type { BenchReport } from "../report.ts";
import { mebibytes } from "../reportTables.ts";
import type { ReportTable } from "../ReportTable.ts";
import { gatewayKinds, type Workload } from "../settings.ts";
import type { BarChart } from "./barChart.ts";
import type { LineChart } from "./lineChart.ts";

export type Chart = ({ readonly kind: "bars" } & BarChart) | ({ readonly kind: "lines" } & LineChart);

const nameOf = ({ sync, gateway, replicas, workers }: Workload): string =>
  `${gateway}, ${sync}, R${replicas}, ${workers} ${workers === 1 ? "worker" : "workers"}`;

const bars = (title: string, unit: string, series: BarChart["series"], groups: BarChart["groups"]): Chart => ({
  kind: "bars",
  title,
  unit,
  series,
  groups,
});

const saturation = ({ medians }: BenchReport): ReadonlyArray<Chart> => [
  bars(
    "Payments a second at saturation",
    "payments/s",
    ["bare messages", "runtime"],
    medians.map((line) => ({ name: nameOf(line), values: [line.bare, line.runtime] })),
  ),
];

const mixed = ({ mixed: lines = [] }: BenchReport): ReadonlyArray<Chart> => [
  bars(
    "Payments a second with declines and lost answers",
    "payments/s",
    ["all approved", "mixed"],
    lines.map((line) => ({ name: nameOf(line), values: [line.approved, line.mixed] })),
  ),
];

const openLoop = ({ openLoop: lines = [] }: BenchReport): ReadonlyArray<Chart> =>
  lines.map((line) => {
    const points = (pick: "p50" | "p99") => [
      [0, line.idle.runtime[pick]] as const,
      ...line.steps.map((step) => [step.share, step[pick]] as const),
    ];
    const barePoints = [
      [0, line.idle.bare.p99] as const,
      ...line.steps.map((step) => [step.share, step.bare.p99] as const),
    ];
    return {
      kind: "lines",
      title: nameOf(line),
      across: "load, of saturation",
      up: "ms from the intended start",
      scale: "linear",
      nameX: (share) => (share === 0 ? "idle" : `${share * 100} %`),
      series: [
        { name: "bare p99", points: barePoints },
        { name: "p99", points: points("p99") },
        { name: "p50", points: points("p50") },
      ],
    };
  });

const takeOver = ({ takeOver: lines = [] }: BenchReport): ReadonlyArray<Chart> => [
  {
    kind: "lines",
    title: "From the kill until all is committed",
    across: "payments in flight",
    up: "ms",
    scale: "log",
    series: [...Map.groupBy(lines, ({ paymentsInLog }) => paymentsInLog)].map(([length, ofLength]) => ({
      name: `${length.toLocaleString("en-US")} payments in the log`,
      points: ofLength.map(({ inFlight, lastMillis }) => [inFlight, lastMillis] as const),
    })),
  },
];

const replay = ({ replay: lines = [] }: BenchReport): ReadonlyArray<Chart> => [
  {
    kind: "lines",
    title: "Commits replayed a second",
    across: "payments replayed at a time",
    up: "commits/s",
    scale: "log",
    series: [...Map.groupBy(lines, ({ commitsEach }) => commitsEach)].map(([commitsEach, ofShape]) => ({
      name: `${commitsEach} commits a payment`,
      points: ofShape.map(({ concurrency, commitsPerSecond }) => [concurrency, commitsPerSecond] as const),
    })),
  },
];

const memory = ({ memory: figures }: BenchReport): ReadonlyArray<Chart> =>
  figures === undefined
    ? []
    : [
        bars(
          "Bytes a payment",
          "bytes",
          ["worker", "server"],
          [
            { name: "live", values: [figures.worker.live, figures.server.live] },
            { name: "passive", values: [figures.worker.passive, figures.server.finished] },
            { name: "finished", values: [figures.worker.finished, figures.server.finished] },
          ],
        ),
      ];

const growth = ({ growth: lines = [] }: BenchReport): ReadonlyArray<Chart> => {
  const chart = (
    title: string,
    up: string,
    series: ReadonlyArray<readonly [name: string, pick: (line: (typeof lines)[number]) => number]>,
  ): Chart => ({
    kind: "lines",
    title,
    across: "payments in the log",
    up,
    scale: "log",
    series: series.map(([name, pick]) => ({
      name,
      points: lines.map((line) => [line.paymentsInLog, pick(line)] as const),
    })),
  });
  return [
    chart("Throughput", "payments/s", [
      ["bare messages", ({ bare }) => bare],
      ["runtime", ({ runtime }) => runtime],
    ]),
    chart("Latency", "ms", [
      ["p50 at saturation", ({ p50 }) => p50],
      ["p50 idle", ({ idleMillis }) => idleMillis],
    ]),
    chart("Take-over", "ms", [["until all is committed", ({ takeOverMillis }) => takeOverMillis]]),
    chart("Memory", "MiB", [
      ["worker", ({ workerBytes }) => mebibytes(workerBytes)],
      ["server", ({ serverBytes }) => mebibytes(serverBytes)],
    ]),
  ];
};

/** Those that came to a figure, beside the runtime and its bare messages with the same gateway and fsync. */
const peers = ({ peers: lines = [], medians }: BenchReport): ReadonlyArray<Chart> => {
  const figures = lines.filter(hasFigure);
  return gatewayKinds
    .filter((kind) => figures.some(({ gateway }) => gateway === kind))
    .map((kind) =>
      bars(
        `Payments a second, gateway ${kind}`,
        "payments/s",
        ["payments a second"],
        [
          ...comparable(medians, kind).flatMap(({ replicas, workers, bare, runtime }) => {
            const where = `R${replicas}, ${workers} ${workers === 1 ? "worker" : "workers"}`;
            return [
              { name: `AegisPay, ${where}`, values: [runtime] },
              { name: `its bare messages, ${where}`, values: [bare] },
            ];
          }),
          ...figures.filter(({ gateway }) => gateway === kind).map(({ name, rate }) => ({ name, values: [rate] })),
        ],
      ),
    );
};

const chartsByChapter: Readonly<Record<ReportTable["chapter"], (report: BenchReport) => ReadonlyArray<Chart>>> = {
  saturation,
  mixed,
  openLoop,
  takeOver,
  replay,
  memory,
  growth,
  peers,
};

export const chartsOf = (chapter: ReportTable["chapter"], report: BenchReport): ReadonlyArray<Chart> =>
  chartsByChapter[chapter](report);
