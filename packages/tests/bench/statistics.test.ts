/** The arithmetic of the benchmark: what is in the middle, who meets which fate, how long the logs are. */
import { fateOf } from "@aegispay/runtime/bench/fates";
import { logSizes } from "@aegispay/runtime/bench/measurements/growth";
import { headlines } from "@aegispay/runtime/bench/measurements/options";
import { summaries } from "@aegispay/runtime/bench/report";
import type { Workload } from "@aegispay/runtime/bench/settings";
import { latencyOf, median, range, roundedLatency } from "@aegispay/runtime/bench/statistics";
import { describe, expect, it } from "vitest";

const workload: Workload = { sync: "always", gateway: "instant", replicas: 1, workers: 1 };
const round = { ...workload, bare: 100, runtime: 80, ratio: 0.8, p50: 10, p99: 20 };

describe("a median", () => {
  it("is the one in the middle, whatever the order, and changes nothing", () => {
    const values = [30, 10, 20];
    expect(median(values)).toBe(20);
    expect(values).toEqual([30, 10, 20]);
  });

  it("is halfway between the two in the middle, and 0 of none", () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([])).toBe(0);
  });

  it("goes with the least and the most", () => expect(range([3, 1, 2])).toEqual([1, 3]));
});

describe("a latency", () => {
  it("has half of the times below its p50 and one in a hundred above its p99", () => {
    const times = Array.from({ length: 1_000 }, (_, index) => 1_000 - index);
    expect(latencyOf(times)).toEqual({ p50: 501, p99: 991 });
  });

  it("is given in tenths of a millisecond", () => {
    expect(roundedLatency({ p50: 1.26, p99: 12.349 })).toEqual({ p50: 1.3, p99: 12.3 });
  });
});

describe("the fates of a mixed load", () => {
  const mix = { declinedPercent: 10, answerLostPercent: 2 };
  const fates = Array.from({ length: 1_000 }, (_, n) => fateOf(n, mix));

  it("have their shares in every hundred payments in a row", () => {
    for (let from = 0; from < 900; from += 50) {
      const hundred = fates.slice(from, from + 100);
      expect(hundred.filter((fate) => fate === "declined")).toHaveLength(10);
      expect(hundred.filter((fate) => fate === "answerLost")).toHaveLength(2);
    }
  });

  it("do not come all at once", () => {
    for (let from = 0; from < 1_000; from += 20) {
      expect(fates.slice(from, from + 20).filter((fate) => fate !== "approved").length).toBeLessThanOrEqual(4);
    }
  });

  it("are all approved where nothing is mixed in", () => expect(fateOf(7, undefined)).toBe("approved"));
});

describe("what is measured", () => {
  it("is summed up by workload: medians, and the range of the ratio", () => {
    const others = { ...workload, workers: 2 };
    const rounds = [
      round,
      { ...round, ...others, bare: 500 },
      { ...round, ratio: 0.7, runtime: 70 },
      { ...round, ratio: 0.9, runtime: 90, p99: 50 },
    ];
    expect(summaries(rounds)).toEqual([
      { ...workload, bare: 100, runtime: 80, ratio: 0.8, ratioRange: [0.7, 0.9], p50: 10, p99: 20 },
      { ...others, bare: 500, runtime: 80, ratio: 0.8, ratioRange: [0.8, 0.8], p50: 10, p99: 20 },
    ]);
  });

  it("has one headline for each sync and number of copies, with the fewest workers that were asked for", () => {
    const all = (["always", "default"] as const).flatMap((sync) =>
      ([1, 3] as const).flatMap((replicas) => [2, 4].map((workers) => ({ ...workload, sync, replicas, workers }))),
    );
    expect(headlines(all).map(({ sync, replicas, workers }) => [sync, replicas, workers])).toEqual([
      ["always", 1, 2],
      ["always", 3, 2],
      ["default", 1, 2],
      ["default", 3, 2],
    ]);
    expect(headlines(all, "simulator")).toEqual([]);
  });

  it("grows by powers of ten up to what was asked for", () => {
    expect(logSizes(100_000)).toEqual([1_000, 10_000, 100_000]);
    expect(logSizes(99_999)).toEqual([1_000, 10_000]);
  });
});
