/** When a worker that has ended is started again, and when its primary gives up. */
import {
  defaultRespawnLimit,
  healthyMillis,
  longestRespawnMillis,
  pauseMillis,
  respawnAfter,
  type WorkerEnd,
} from "@aegispay/runtime/supervisor/respawn";
import { describe, expect, it } from "vitest";

const neverServed: WorkerEnd = { servedMillis: 0, clean: false, restarting: false, natsConnected: true };
const served: WorkerEnd = { ...neverServed, servedMillis: healthyMillis };

/** What is decided after each of some ends in a row. */
const decisions = (ends: ReadonlyArray<WorkerEnd>, limit = defaultRespawnLimit) => {
  let failures = 0;
  return ends.map((end) => {
    const next = respawnAfter(failures, end, limit);
    failures = next.failures;
    return next;
  });
};

describe("the pause before a worker starts again", () => {
  it("doubles from 100 ms to 10 s", () => {
    expect([1, 2, 3, 4, 5, 6, 7, 8, 9].map(pauseMillis)).toEqual([
      100,
      200,
      400,
      800,
      1_600,
      3_200,
      6_400,
      longestRespawnMillis,
      longestRespawnMillis,
    ]);
    expect(pauseMillis(10_000)).toBe(longestRespawnMillis);
  });

  it("is the shortest again after one that has served", () => {
    const ends = [neverServed, neverServed, neverServed, served, neverServed];
    expect(decisions(ends).map((next) => (next._tag === "After" ? next.millis : next._tag))).toEqual([
      100, 200, 400, 100, 100,
    ]);
  });

  it("is none for a worker that served and drained, by whomever it was told to", () => {
    expect(respawnAfter(0, { ...served, clean: true }, 10)).toEqual({ _tag: "AtOnce", failures: 0 });
  });

  it("is there for one that ends cleanly without having served: it would be forked without end", () => {
    expect(respawnAfter(0, { ...neverServed, clean: true }, 10)).toEqual({ _tag: "After", millis: 100, failures: 1 });
  });
});

describe("giving up", () => {
  it("comes at the limit of ends in a row without service, not before", () => {
    const all = decisions(Array.from({ length: defaultRespawnLimit }, () => neverServed));
    expect(all.slice(0, -1).every(({ _tag }) => _tag === "After")).toBe(true);
    expect(all.at(-1)).toEqual({ _tag: "GiveUp", failures: defaultRespawnLimit });
  });

  it("never comes for workers that serve between their ends, however often they crash", () => {
    const all = decisions(
      Array.from({ length: 100 }, (_, index) => (index % 3 === 2 ? served : neverServed)),
      3,
    );
    expect(all.map(({ _tag }) => _tag)).not.toContain("GiveUp");
  });

  it("leaves out ends while NATS is away, and what a rolling restart asked for", () => {
    const away = Array.from({ length: 50 }, () => ({ ...neverServed, natsConnected: false }));
    expect(decisions(away).at(-1)).toEqual({ _tag: "After", millis: 100, failures: 0 });
    expect(respawnAfter(9, { ...neverServed, restarting: true }, 10)).toEqual({ _tag: "AtOnce", failures: 9 });
  });

  it("comes at once where the limit is 1", () => {
    expect(respawnAfter(0, neverServed, 1)).toEqual({ _tag: "GiveUp", failures: 1 });
  });
});
