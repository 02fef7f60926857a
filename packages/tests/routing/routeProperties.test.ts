import { liveKey, unseen } from "@aegispay/core/routing/LiveFigures";
import { route, type Question, type Routing } from "@aegispay/core/routing/route";
import { healthOf } from "@aegispay/core/routing/RoutingTable";
import { ruleFor } from "@aegispay/core/routing/rules";
import { costOf } from "@aegispay/core/routing/strategies/leastCost";
import { Result } from "effect";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { candidate, cases, names, type Case } from "./tables.ts";

const holds = (property: (one: Case) => void): void =>
  fc.assert(
    fc.property(cases, (one) => property(one)),
    { numRuns: 3_000, seed: 6 },
  );

interface Named {
  readonly gateway: string;
  readonly account: string;
}
const keyOf = ({ gateway, account }: Named): string => liveKey(gateway, account);

/** The order, or nothing where there is none. */
const orderOf = (routing: Routing, question: Question) => {
  const routed = route(routing, question);
  return Result.isSuccess(routed) ? routed.success.order : [];
};

const figuresOf = ({ live }: Routing, one: Named) => live.get(keyOf(one)) ?? unseen;

describe("whatever the table, the payment and the figures", () => {
  it("there is an order or a reason, each gateway stands in it once or is skipped with a reason", () => {
    let orders = 0;
    holds(({ routing, question }) => {
      const routed = route(routing, question);
      const order = Result.isSuccess(routed) ? routed.success.order : [];
      const { skipped } = Result.isSuccess(routed) ? routed.success : routed.failure;
      const named = [...order, ...skipped].map(keyOf);
      expect(named.toSorted()).toEqual(question.candidates.map(keyOf).toSorted());
      for (const { why } of [...order, ...skipped]) expect(why.length).toBeGreaterThan(0);
      if (Result.isFailure(routed)) expect(routed.failure.why).not.toBe("");
      orders += order.length > 0 ? 1 : 0;
    });
    expect(orders).toBeGreaterThan(1_000);
  });

  it("the same is decided from the same, and nothing that was given is changed", () => {
    holds(({ routing, question }) => {
      const before = structuredClone({ routing, question });
      const first = route(routing, question);
      expect(route(structuredClone(routing), structuredClone(question))).toEqual(first);
      expect({ routing, question }).toEqual(before);
    });
  });

  it("no gateway is chosen whose breaker is open, or where the payment was tried", () => {
    holds(({ routing, question }) => {
      for (const chosen of orderOf(routing, question)) {
        expect(figuresOf(routing, chosen).breakerOpen).toBe(false);
        expect(question.tried.map(keyOf)).not.toContain(keyOf(chosen));
      }
    });
  });

  it("no gateway is chosen that the rule rules out or that does not take such payments", () => {
    holds(({ routing, question }) => {
      const { table } = routing;
      const { facts } = question;
      const rule = ruleFor(table, facts);
      for (const { gateway } of orderOf(routing, question)) {
        expect(rule?.exclude ?? []).not.toContain(gateway);
        if (rule?.only !== undefined) expect(rule.only).toContain(gateway);
        const { currencies, merchants, countries, networks, amount = {} } = table.gateways?.[gateway]?.supports ?? {};
        const { value, currency } = facts.amount;
        if (currencies !== undefined) expect(currencies).toContain(currency);
        if (merchants !== undefined) expect(merchants).toContain(facts.merchant);
        if (countries !== undefined && facts.country !== undefined) expect(countries).toContain(facts.country);
        if (networks !== undefined && facts.network !== undefined) expect(networks).toContain(facts.network);
        expect(value).toBeGreaterThanOrEqual(amount[currency]?.min ?? 0);
        expect(value).toBeLessThanOrEqual(amount[currency]?.max ?? Number.POSITIVE_INFINITY);
      }
    });
  });

  it("a dead gateway is left out while another lives, unless chance has it explored", () => {
    let leftOut = 0;
    holds(({ routing, question }) => {
      const { floor, callsMin, explore } = healthOf(routing.table);
      const isDead = (one: Named) => {
        const { calls, score } = figuresOf(routing, one);
        return calls >= callsMin && score < floor;
      };
      const order = orderOf(routing, question);
      if (explore > 0 || order.every(isDead)) return;
      expect(order.filter(isDead)).toEqual([]);
      leftOut += question.candidates.some(isDead) ? 1 : 0;
    });
    expect(leftOut).toBeGreaterThan(0);
  });

  it("the client's wish comes first wherever it may be used, but for what a hook orders", () => {
    holds(({ routing, question }) => {
      const order = orderOf(routing, question);
      const { preferred, hookOrder = [] } = question.facts;
      const others = order.map(({ gateway }) => gateway).filter((gateway) => !hookOrder.includes(gateway));
      if (preferred !== undefined && others.includes(preferred)) expect(others[0]).toBe(preferred);
    });
  });

  it("a route hook's order comes before everything, as far as its gateways may be used", () => {
    holds(({ routing, question }) => {
      const order = orderOf(routing, question).map(({ gateway }) => gateway);
      const named = (question.facts.hookOrder ?? []).filter((gateway) => order.includes(gateway));
      expect(order.slice(0, named.length)).toEqual(named);
    });
  });

  it("the rule's wish comes before all others, in the rule's order where it names no strategy", () => {
    holds(({ routing, question: { facts, ...rest } }) => {
      const { preferred: _wish, hookOrder: _hook, ...plain } = facts;
      const question = { ...rest, facts: plain };
      const rule = ruleFor(routing.table, plain);
      const order = orderOf(routing, question).map(({ gateway }) => gateway);
      const wished = (rule?.prefer ?? []).filter((name) => order.includes(name));
      const first = order.slice(0, wished.length);
      if (rule?.strategy === undefined) expect(first).toEqual(wished);
      else expect(first.toSorted()).toEqual(wished.toSorted());
    });
  });

  it("the cheapest is first where cost decides, and a part of a minor unit is a whole one", () => {
    const whole = (max: number) => fc.integer({ min: 0, max });
    const fees = fc.array(fc.record({ fixed: whole(100), basisPoints: whole(10_000) }), { minLength: 4, maxLength: 4 });
    const amounts = fc.oneof(fc.integer({ min: 1, max: 1_000 }), fc.maxSafeInteger().map(Math.abs));
    const property = fc.property(fees, amounts, (listed, value) => {
      const feeOf = (gateway: string) => listed[names.indexOf(gateway as "alpha")]!;
      const gateways = Object.fromEntries(names.map((name) => [name, { fees: { USD: feeOf(name) } }]));
      const facts = { merchant: "shop", amount: { value, currency: "USD" }, labels: {} };
      const question = { candidates: names.map((name) => candidate(name)), facts, seed: "any", tried: [] };
      const order = orderOf({ table: { strategy: "leastCost", gateways }, live: new Map() }, question);
      const costs = order.map(({ gateway }) => costOf(feeOf(gateway), value));
      expect(costs).toEqual(costs.toSorted((left, right) => Number(left - right)));
      for (const { gateway } of order) {
        const { fixed, basisPoints } = feeOf(gateway);
        const exact = BigInt(fixed) * 10_000n + BigInt(value) * BigInt(basisPoints);
        const tooMuch = costOf({ fixed, basisPoints }, value) * 10_000n - exact;
        expect(tooMuch >= 0n && tooMuch < 10_000n).toBe(true);
      }
    });
    fc.assert(property, { numRuns: 1_000, seed: 6 });
  });

  it("what costs nobody knows how much comes after what is known", () => {
    const gateways = { beta: { fees: { USD: { basisPoints: 9_000 } } } };
    const facts = { merchant: "shop", amount: { value: 100, currency: "USD" }, labels: {} };
    const question = { candidates: [candidate("alpha"), candidate("beta")], facts, seed: "any", tried: [] };
    const order = orderOf({ table: { strategy: "leastCost", gateways }, live: new Map() }, question);
    expect(order).toMatchObject([{ gateway: "beta" }, { gateway: "alpha", why: ["no fee is known for USD"] }]);
  });

  it("the quickest is first where latency decides, but for a few that measure the others", () => {
    holds(({ routing, question: { facts, ...rest } }) => {
      const { preferred: _wish, hookOrder: _hook, ...plain } = facts;
      const table = { strategy: "leastLatency" as const, health: { floor: 0, explorePerMille: 0 } };
      const order = orderOf({ ...routing, table }, { ...rest, facts: plain });
      const latencies = order.map((one) => figuresOf(routing, one).latencyMillis ?? Number.POSITIVE_INFINITY);
      expect(latencies).toEqual(latencies.toSorted((left, right) => left - right));
    });
  });
});
