/** The success rate in a moving window as a bandit: with the window that nodes keep, and gateways of a known quality. */
import { chance, seedOf } from "@aegispay/core/routing/chance";
import { route } from "@aegispay/core/routing/route";
import { ClusterFigures } from "@aegispay/runtime/routing/ClusterFigures";
import { Result } from "effect";
import { describe, expect, it } from "vitest";
import { candidate } from "./tables.ts";

const facts = { merchant: "shop", amount: { value: 1_999, currency: "USD" }, labels: {} };
const table = { strategy: "successRate" } as const;
const candidates = [candidate("alpha"), candidate("beta")];

const approved = { _tag: "Approved" };
const declined = { _tag: "Declined", tryAnotherGateway: true };

type Rates = Readonly<Record<string, number>>;

/** Payments one after the other, so many milliseconds apart, over so many nodes that hear each other every second. */
class Traffic {
  private readonly nodes: ReadonlyArray<ClusterFigures>;
  private readonly name: string;
  private readonly apartMillis: number;
  private paid = 0;
  private nowMillis = 0;
  private toldAtMillis = 0;

  constructor(name: string, nodes = 1, apartMillis = 50) {
    this.name = name;
    this.apartMillis = apartMillis;
    this.nodes = Array.from({ length: nodes }, () => new ClusterFigures());
  }

  private tell(): void {
    if (this.nowMillis - this.toldAtMillis < 1_000) return;
    this.toldAtMillis = this.nowMillis;
    for (const [index, from] of this.nodes.entries()) {
      for (const to of this.nodes) if (to !== from) to.hear(this.nowMillis, `node-${index}`, from.own(this.nowMillis));
    }
  }

  /** How many of them went to each gateway. */
  pay(payments: number, rates: Rates): Readonly<Record<string, number>> {
    const counts: Record<string, number> = { alpha: 0, beta: 0 };
    for (let number = 0; number < payments; number++) {
      const seed = seedOf({ merchant: "shop", paymentId: `${this.name}-${this.paid}` }, 1);
      const node = this.nodes[this.paid % this.nodes.length]!;
      const routing = { table, live: node.figures(this.nowMillis) };
      const { gateway } = Result.getOrThrow(route(routing, { candidates, facts, seed, tried: [] })).order[0];
      const isGood = chance(seed, "quality") < rates[gateway]!;
      node.see(this.nowMillis, gateway, "default", true, isGood ? approved : declined, 40);
      counts[gateway] = (counts[gateway] ?? 0) + 1;
      this.paid += 1;
      this.nowMillis += this.apartMillis;
      this.tell();
    }
    return counts;
  }
}

const runs = Array.from({ length: 30 }, (_, run) => run);

describe("the bandit", () => {
  for (const [nodes, apartMillis] of [
    [1, 50],
    [2, 50],
    [2, 2_000],
  ] as const) {
    const where = `${nodes} node(s), a payment every ${apartMillis} ms`;
    it(`gives the better of two gateways 80 % of 500 payments or more (${where})`, () => {
      for (const run of runs) {
        const counts = new Traffic(`better-${run}`, nodes, apartMillis).pay(500, { alpha: 0.6, beta: 0.95 });
        expect(counts["beta"]).toBeGreaterThanOrEqual(400);
      }
    });

    it(`leaves it within 200 payments when it turns bad, and does not come back (${where})`, () => {
      for (const run of runs) {
        const traffic = new Traffic(`turned-${run}`, nodes, apartMillis);
        traffic.pay(2_000, { alpha: 0.85, beta: 0.95 });
        traffic.pay(200, { alpha: 0.85, beta: 0.1 });
        const afterwards = traffic.pay(200, { alpha: 0.85, beta: 0.1 });
        expect(afterwards["alpha"]).toBeGreaterThanOrEqual(160);
      }
    });
  }

  it("goes on trying the worse one a little, and finds it when it has become the better one", () => {
    for (const run of runs) {
      const traffic = new Traffic(`recovered-${run}`);
      traffic.pay(500, { alpha: 0.95, beta: 0.3 });
      const [before, after] = [
        traffic.pay(4_000, { alpha: 0.6, beta: 0.95 }),
        traffic.pay(500, { alpha: 0.6, beta: 0.95 }),
      ];
      expect(before["beta"]).toBeGreaterThan(0);
      expect(after["beta"]).toBeGreaterThanOrEqual(400);
    }
  });

  it("decides the same from the same figures, whoever decides", () => {
    const one = new Traffic("same").pay(300, { alpha: 0.5, beta: 0.9 });
    expect(new Traffic("same").pay(300, { alpha: 0.5, beta: 0.9 })).toEqual(one);
  });
});
