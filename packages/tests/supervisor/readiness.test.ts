/** Whether a worker counts as serving, and what the primary says of itself. */
import { mergeMetrics } from "@aegispay/runtime/metrics/prometheusText";
import { renderPrimaryMetrics } from "@aegispay/runtime/supervisor/primaryMetrics";
import { isServing, readinessOf, silentMillis, type WorkerReport } from "@aegispay/runtime/supervisor/readiness";
import type { WorkerStatus } from "@aegispay/runtime/supervisor/WorkerMessage";
import { describe, expect, it } from "vitest";

const status: WorkerStatus = { type: "status", connected: true, shards: 16, wanted: 8, served: 8, missing: 0 };
const report: WorkerReport = { node: "node-1", pid: 7, status, atMillis: 10_000 };

describe("a worker", () => {
  it("serves when it is connected and takes the deliveries of all that belongs to it", () => {
    expect(isServing(status)).toBe(true);
    expect(isServing({ ...status, served: 8, missing: 1 })).toBe(false);
    expect(isServing({ ...status, connected: false })).toBe(false);
  });

  it("serves where nothing belongs to it, and while it still hands over what belongs to another now", () => {
    expect(isServing({ ...status, wanted: 0, served: 0 })).toBe(true);
    expect(isServing({ ...status, wanted: 4, served: 8 })).toBe(true);
  });

  it("is not counted on any more once it has been silent for too long", () => {
    expect(readinessOf(report, 10_000 + silentMillis - 1).serving).toBe(true);
    expect(readinessOf(report, 10_000 + silentMillis).serving).toBe(false);
  });

  it("is described by what it said last", () => {
    expect(readinessOf(report, 10_000)).toEqual({
      node: "node-1",
      pid: 7,
      serving: true,
      connected: true,
      wanted: 8,
      served: 8,
    });
  });
});

describe("the primary's own metrics", () => {
  it("are well formed, and keep the workers' names when they are merged", () => {
    const text = renderPrimaryMetrics({ up: 1, expected: 2, restarts: new Map([["a-1", 3]]) });
    expect(mergeMetrics([{ text }])).toBe(text);
    expect(text.split("\n")).toEqual(
      expect.arrayContaining([
        "aegispay_workers_up 1",
        "aegispay_workers_expected 2",
        'aegispay_worker_restarts_total{node="a-1"} 3',
      ]),
    );
  });
});
