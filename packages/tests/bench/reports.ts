/** A report as a whole run makes it, with round figures. */
import { benchReport, type BenchReport, type Measurements } from "@aegispay/runtime/bench/report";
import type { Workload } from "@aegispay/runtime/bench/settings";

const workload: Workload = { sync: "always", gateway: "instant", replicas: 1, workers: 1 };
const latency = { p50: 10, p99: 20 };
const step = { share: 0.5, offered: 500, achieved: 500, ...latency, bare: latency };
const kill = { sync: "always", firstMillis: 300, lastMillis: 900, lastRangeMillis: [800, 1_000] } as const;
const grown = { ...latency, sync: "always", bare: 1_000, runtime: 800, ratio: 0.8, idleMillis: 3 } as const;
const weights = { takeOverMillis: 900, takeOverInFlight: 128, workerBytes: 2 ** 25, serverBytes: 2 ** 27 };

const peer = { ...latency, rateRange: [440, 460] } as const;

const everything: Measurements = {
  rounds: [{ ...workload, ...latency, bare: 1_000, runtime: 800, ratio: 0.8 }],
  mixed: [
    {
      ...workload,
      ...latency,
      gateway: "simulator",
      declinedPercent: 10,
      answerLostPercent: 2,
      approved: 700,
      mixed: 650,
      ratio: 0.93,
      answerLost: latency,
    },
  ],
  openLoop: [{ ...workload, saturation: 1_000, idle: { bare: latency, runtime: latency }, steps: [step] }],
  takeOver: [1, 1_024].map((inFlight) => ({ ...kill, paymentsInLog: 1_000, inFlight })),
  replay: [1, 128].map((concurrency) => ({
    commitsEach: 2,
    concurrency,
    paymentsPerSecond: 4_000,
    commitsPerSecond: 8_000,
  })),
  memory: {
    worker: { live: 12_000, passive: 2_400, finished: 20 },
    server: { live: 7_000, finished: 450 },
    disk: 2_000,
    paymentsInLog: 100_000,
  },
  growth: [1_000, 10_000].map((paymentsInLog) => ({ ...grown, ...weights, paymentsInLog })),
  peers: [
    { name: "DBOS", version: "5", durability: "fsync", gateway: "instant", payments: 5_000, rate: 450, ...peer },
    { name: "Restate", unavailable: "there is no package of it" },
  ],
};

const machine = {
  cpu: `A <processor> & "more"`,
  cores: 2,
  memoryGiB: 16,
  system: "linux",
  node: "v24",
  natsServer: "nats-server: v2.15.1",
  effect: "4.1.0",
};

export const reportOf = (measured: Measurements = everything): BenchReport =>
  benchReport("2026-01-01T00:00:00.000Z", machine, { payments: 20_000, inFlight: 512, rounds: 3 }, measured);
