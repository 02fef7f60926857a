/**
 * Which gateway a payment goes to, and which come after it: pure, and the same for the same table, figures and seed.
 *
 * 1. No gateway is named twice; each that there is, is either in the order or skipped with a reason.
 * 2. What was tried, what the rule or the table rules out, and what has an open breaker is never chosen.
 * 3. A dead gateway is chosen only to find out whether it lives, or where every other is ruled out: its score is no proof.
 * 4. Among those that may be used a route hook's order comes first, then the client's wish, then the rule's, then the
 *    strategy's order.
 */
import { Result } from "effect";
import type { Candidate } from "../payment/Given.ts";
import { chance } from "./chance.ts";
import { liveKey, unseen, type Figures, type LiveFigures } from "./LiveFigures.ts";
import type { PaymentFacts } from "./PaymentFacts.ts";
import { healthOf, type Rule, type RoutingTable, type StrategyName } from "./RoutingTable.ts";
import { ruleFor } from "./rules.ts";
import { leastCost } from "./strategies/leastCost.ts";
import { leastLatency } from "./strategies/leastLatency.ts";
import { order } from "./strategies/order.ts";
import { roundRobin } from "./strategies/roundRobin.ts";
import type { Ranked, Strategy } from "./strategies/Strategy.ts";
import { successRate } from "./strategies/successRate.ts";
import { weights, weightOf } from "./strategies/weights.ts";
import { whyUnsupported } from "./supports.ts";

const strategies: Record<StrategyName, Strategy> = {
  order,
  weights,
  leastCost,
  leastLatency,
  successRate,
  roundRobin,
};

interface Named {
  readonly gateway: string;
  readonly account: string;
}

/** In the order in which they are tried, each with what speaks for its place. */
export interface Chosen extends Candidate {
  readonly why: ReadonlyArray<string>;
}
export interface Skipped extends Named {
  readonly why: string;
}

export interface Route {
  readonly strategy: StrategyName;
  readonly rule?: string;
  readonly order: readonly [Chosen, ...ReadonlyArray<Chosen>];
  readonly skipped: ReadonlyArray<Skipped>;
}

export interface NoRoute {
  readonly why: string;
  /** A gateway is only away: what cannot be routed now may be later. */
  readonly isPassing: boolean;
  readonly skipped: ReadonlyArray<Skipped>;
}

/** What a decision is given for it. */
export interface Routing {
  readonly table: RoutingTable;
  readonly live: LiveFigures;
}

export interface Question {
  /** In the configured order. */
  readonly candidates: ReadonlyArray<Candidate>;
  readonly facts: PaymentFacts;
  /** Of the payment and the attempt: see `seedOf`. */
  readonly seed: string;
  /** Where it was tried before. */
  readonly tried: ReadonlyArray<Named>;
}

const isSame = (left: Named, right: Named): boolean => left.gateway === right.gateway && left.account === right.account;

const openBreaker = "its breaker is open";
export const wasTried = "it was tried";

/** What speaks against a gateway whatever its health; undefined where nothing does. */
const whyNot = (
  table: RoutingTable,
  rule: Rule | undefined,
  strategy: StrategyName,
  { facts, tried }: Question,
  candidate: Candidate,
  { breakerOpen }: Figures,
): string | undefined => {
  const { gateway } = candidate;
  if (tried.some((attempt) => isSame(attempt, candidate))) return wasTried;
  if (rule?.exclude?.includes(gateway) === true) return `the rule ${rule.name} excludes it`;
  if (rule?.only !== undefined && !rule.only.includes(gateway)) return `the rule ${rule.name} names only others`;
  const unsupported = whyUnsupported(table, gateway, facts);
  if (unsupported !== undefined) return unsupported;
  if (strategy === "weights" && weightOf(rule?.weights ?? table.weights ?? {}, gateway) === 0) return "its weight is 0";
  return breakerOpen ? openBreaker : undefined;
};

const noRoute = (skipped: ReadonlyArray<Skipped>): NoRoute => ({
  why:
    skipped.length === 0
      ? "no gateway is configured for this payment"
      : `no gateway can take this payment: ${skipped.map(({ gateway, why }) => `${gateway}: ${why}`).join("; ")}`,
  isPassing: skipped.some(({ why }) => why === openBreaker),
  skipped,
});

/** Those the rule prefers first: in its order, or, where it has a strategy of its own, in that one's. */
const preferredFirst = (ranked: ReadonlyArray<Ranked>, rule: Rule | undefined): ReadonlyArray<Chosen> => {
  const { prefer = [], strategy, name = "" } = rule ?? {};
  const own = ranked.filter(({ candidate }) => prefer.includes(candidate.gateway));
  const placed =
    strategy === undefined
      ? own.toSorted((left, right) => prefer.indexOf(left.candidate.gateway) - prefer.indexOf(right.candidate.gateway))
      : own;
  const preferred = placed.map(({ candidate, why }) => ({
    ...candidate,
    why: [`the rule ${name} prefers it`, ...(strategy === undefined ? [] : [why])],
  }));
  const others = ranked.filter(({ candidate }) => !prefer.includes(candidate.gateway));
  return [...preferred, ...others.map(({ candidate, why }) => ({ ...candidate, why: [why] }))];
};

const wishedFirst = (chosen: ReadonlyArray<Chosen>, wish: string | undefined): ReadonlyArray<Chosen> => {
  const wished = chosen.find(({ gateway }) => gateway === wish);
  return wished === undefined
    ? chosen
    : [{ ...wished, why: ["preferred"] }, ...chosen.filter((candidate) => candidate !== wished)];
};

const hookFirst = (chosen: ReadonlyArray<Chosen>, names: ReadonlyArray<string> = []): ReadonlyArray<Chosen> => {
  const named = [...new Set(names)].flatMap((name) => chosen.filter(({ gateway }) => gateway === name));
  return [
    ...named.map((candidate) => ({ ...candidate, why: ["route hook"] })),
    ...chosen.filter((candidate) => !named.includes(candidate)),
  ];
};

export const route = ({ table, live }: Routing, question: Question): Result.Result<Route, NoRoute> => {
  const { candidates, facts, seed } = question;
  const rule = ruleFor(table, facts);
  const strategy = rule?.strategy ?? table.strategy ?? "order";
  const { floor, callsMin, explore } = healthOf(table);
  const figuresOf = ({ gateway, account }: Named): Figures => live.get(liveKey(gateway, account)) ?? unseen;
  const usable: Array<Candidate> = [];
  const dead: Array<Candidate> = [];
  const skipped: Array<Skipped> = [];
  for (const candidate of candidates) {
    const { gateway, account } = candidate;
    const figures = figuresOf(candidate);
    const why = whyNot(table, rule, strategy, question, candidate, figures);
    const isDead = figures.calls >= callsMin && figures.score < floor;
    if (why !== undefined) skipped.push({ gateway, account, why });
    else if (isDead && chance(seed, `revive ${liveKey(gateway, account)}`) >= explore) dead.push(candidate);
    else usable.push(candidate);
  }
  if (usable.length === 0) usable.push(...dead.splice(0));
  for (const candidate of dead) {
    const { gateway, account } = candidate;
    const why = `it is as good as dead: its score is ${figuresOf(candidate).score}, below ${floor}`;
    skipped.push({ gateway, account, why });
  }
  const shares = rule?.weights ?? table.weights ?? {};
  const ranked = strategies[strategy]({ candidates: usable, table, weights: shares, facts, figuresOf, seed });
  const byWish = wishedFirst(preferredFirst(ranked, rule), facts.preferred);
  const [first, ...others] = hookFirst(byWish, facts.hookOrder);
  return first === undefined
    ? Result.fail(noRoute(skipped))
    : Result.succeed({
        strategy,
        ...(rule === undefined ? {} : { rule: rule.name }),
        order: [first, ...others],
        skipped,
      });
};
