/** Over many payments: shares by weight, turns, and what is explored. */
import { seedOf } from "@aegispay/core/routing/chance";
import { liveKey, scoreOf, unseen, type LiveFigures } from "@aegispay/core/routing/LiveFigures";
import { route } from "@aegispay/core/routing/route";
import type { RoutingTable } from "@aegispay/core/routing/RoutingTable";
import { Result } from "effect";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { candidate, names } from "./tables.ts";

const facts = { merchant: "shop", amount: { value: 1_999, currency: "USD" }, labels: {} };

/** First choices of so many payments, by gateway. */
const firsts = (table: RoutingTable, payments: number, live: LiveFigures = new Map(), run = 0) => {
  const counts: Record<string, number> = {};
  for (let number = 0; number < payments; number++) {
    const seed = seedOf({ merchant: "shop", paymentId: `run-${run}-${number}` }, 1);
    const candidates = names.map((name) => candidate(name));
    const { order } = Result.getOrThrow(route({ table, live }, { candidates, facts, seed, tried: [] }));
    counts[order[0].gateway] = (counts[order[0].gateway] ?? 0) + 1;
  }
  return counts;
};

/** Within five standard deviations of what the share would be by pure chance. */
const expectShare = (count: number, payments: number, share: number): void => {
  const deviation = Math.sqrt(payments * share * (1 - share));
  expect(Math.abs(count - payments * share)).toBeLessThanOrEqual(5 * deviation + 1);
};

const dead = { ...unseen, calls: 100, answered: 0, score: scoreOf(100, 0) };
const open = { ...unseen, breakerOpen: true };
const having = (gateway: string, figures: typeof unseen): LiveFigures =>
  new Map([[liveKey(gateway, "default"), figures]]);

describe("weights", () => {
  it("are the shares that many payments converge to, and 0 is never", () => {
    const some = fc
      .tuple(...names.map(() => fc.integer({ min: 0, max: 9 })))
      .filter((list) => list.some((one) => one > 0));
    fc.assert(
      fc.property(some, fc.integer({ min: 0, max: 1_000 }), (list, run) => {
        const weights = Object.fromEntries(names.map((name, index) => [name, list[index]!]));
        const total = list.reduce((sum, one) => sum + one, 0);
        const counts = firsts({ strategy: "weights", weights }, 2_000, new Map(), run);
        for (const name of names) expectShare(counts[name] ?? 0, 2_000, weights[name]! / total);
      }),
      { numRuns: 25, seed: 6 },
    );
  });

  it("are shared out among the others while one of them is away", () => {
    const weights = { alpha: 50, beta: 30, gamma: 20 };
    const counts = firsts({ strategy: "weights", weights }, 4_000, having("alpha", open));
    expect(counts["alpha"]).toBe(undefined);
    expectShare(counts["beta"] ?? 0, 4_000, 0.6);
    expectShare(counts["gamma"] ?? 0, 4_000, 0.4);
  });

  it("that change move payments from and to the gateway whose weight it is, and between no two others", () => {
    const firstOf = (weights: Readonly<Record<string, number>>, number: number) => {
      const seed = seedOf({ merchant: "shop", paymentId: `moved-${number}` }, 1);
      const question = { candidates: names.map((name) => candidate(name)), facts, seed, tried: [] };
      const routed = route({ table: { strategy: "weights", weights }, live: new Map() }, question);
      return Result.getOrThrow(routed).order[0].gateway;
    };
    for (let number = 0; number < 1_000; number++) {
      const before = firstOf({ alpha: 10, beta: 10, gamma: 10 }, number);
      const after = firstOf({ alpha: 10, beta: 10, gamma: 30 }, number);
      if (after !== before) expect(after).toBe("gamma");
    }
  });
});

describe("round robin", () => {
  it("gives each gateway as many payments as any other, without a counter", () => {
    const counts = firsts({ strategy: "roundRobin" }, 4_000);
    for (const name of names) expectShare(counts[name] ?? 0, 4_000, 0.25);
  });
});

describe("a dead gateway", () => {
  it("is tried by a few payments, so that it can come back", () => {
    const counts = firsts({ strategy: "order", health: { explorePerMille: 20 } }, 5_000, having("alpha", dead));
    expectShare(counts["alpha"] ?? 0, 5_000, 0.02);
    expectShare(counts["beta"] ?? 0, 5_000, 0.98);
  });

  it("is tried by all where every other is ruled out", () => {
    const table: RoutingTable = { rules: [{ name: "alone", when: {}, only: ["alpha"] }] };
    expect(firsts(table, 100, having("alpha", dead))).toEqual({ alpha: 100 });
  });

  it("is none without enough calls to say so, and none where there is no section of routing", () => {
    const seldom = { ...unseen, calls: 19, answered: 0, score: scoreOf(19, 0) };
    expect(firsts({}, 100, having("alpha", seldom))).toEqual({ alpha: 100 });
  });
});

describe("a gateway that has not been measured", () => {
  it("is measured by a few payments where latency decides", () => {
    const live = having("beta", { ...unseen, attempts: 9, successes: 9, latencyMillis: 40 });
    const counts = firsts({ strategy: "leastLatency" }, 5_000, live);
    expectShare(counts["beta"] ?? 0, 5_000, 0.98);
    expectShare(counts["alpha"] ?? 0, 5_000, 0.02);
  });
});
