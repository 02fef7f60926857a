/** Tables, payments and live figures as they may be, for properties of the router. */
import type { Candidate } from "@aegispay/core/payment/Given";
import { liveKey, scoreOf, type Figures, type LiveFigures } from "@aegispay/core/routing/LiveFigures";
import type { PaymentFacts } from "@aegispay/core/routing/PaymentFacts";
import { seedOf } from "@aegispay/core/routing/chance";
import type { Question, Routing } from "@aegispay/core/routing/route";
import { strategyNames, type RoutingTable } from "@aegispay/core/routing/RoutingTable";
import fc from "fast-check";

export const names = ["alpha", "beta", "gamma", "delta"] as const;

export const candidate = (gateway: string, account = "default"): Candidate => ({
  gateway,
  account,
  keyRetentionMillis: 86_400_000,
});

const currencies = ["USD", "EUR", "JPY"] as const;
const countries = ["DE", "US", "IN"] as const;
const networks = ["visa", "mastercard", "amex"] as const;
const merchants = ["shop", "kiosk"] as const;

const someOf = (values: ReadonlyArray<string>) => fc.subarray([...values], { minLength: 1 });
const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined, freq: 2 });

/** Leaves out what is undefined, as a document would. */
const compact = <Shape extends object>(shape: fc.Arbitrary<Shape>) =>
  shape.map((made) => Object.fromEntries(Object.entries(made).filter(([, value]) => value !== undefined)));

const amountValue = fc.integer({ min: 1, max: 500_000 });
const range = compact(fc.record({ min: optional(amountValue), max: optional(amountValue) }));
const ranges = fc.dictionary(fc.constantFrom(...currencies), range, { minKeys: 1, maxKeys: 2 });
const weights = fc.dictionary(fc.constantFrom(...names), fc.integer({ min: 0, max: 5 }), { maxKeys: 4 });
const strategy = fc.constantFrom(...strategyNames);

const conditions = compact(
  fc.record({
    currency: optional(someOf(currencies)),
    amount: optional(ranges),
    merchant: optional(someOf(merchants)),
    country: optional(someOf(countries)),
    network: optional(someOf(networks)),
    labels: optional(fc.dictionary(fc.constantFrom("risk", "tier"), someOf(["low", "high"]), { maxKeys: 2 })),
  }),
);

const rule = compact(
  fc.record({
    name: fc.constantFrom("first", "second", "third", "fourth"),
    when: conditions,
    prefer: optional(someOf(names)),
    only: optional(someOf(names)),
    exclude: optional(someOf(names)),
    strategy: optional(strategy),
    weights: optional(weights),
  }),
);

const supports = compact(
  fc.record({
    currencies: optional(someOf(currencies)),
    merchants: optional(someOf(merchants)),
    countries: optional(someOf(countries)),
    networks: optional(someOf(networks)),
    amount: optional(ranges),
  }),
);

const fee = compact(
  fc.record({
    fixed: optional(fc.integer({ min: 0, max: 100 })),
    basisPoints: optional(fc.integer({ min: 0, max: 10_000 })),
  }),
);
const traits = compact(
  fc.record({
    supports: optional(supports),
    fees: optional(fc.dictionary(fc.constantFrom(...currencies), fee, { maxKeys: 3 })),
  }),
);

/** Whatever can be written down, contradictory or not. */
export const tables = compact(
  fc.record({
    strategy: optional(strategy),
    weights: optional(weights),
    gateways: optional(fc.dictionary(fc.constantFrom(...names), traits, { maxKeys: 4 })),
    rules: optional(fc.array(rule, { maxLength: 4 })),
    health: optional(
      compact(
        fc.record({
          floor: optional(fc.integer({ min: 0, max: 100 })),
          callsMin: optional(fc.integer({ min: 1, max: 50 })),
          explorePerMille: optional(fc.integer({ min: 0, max: 500 })),
        }),
      ),
    ),
    maxAttempts: optional(fc.integer({ min: 1, max: 10 })),
  }),
) as fc.Arbitrary<RoutingTable>;

export const facts = compact(
  fc.record({
    merchant: fc.constantFrom(...merchants),
    amount: fc.record({ value: amountValue, currency: fc.constantFrom(...currencies, "CHF") }),
    country: optional(fc.constantFrom(...countries, "FR")),
    network: optional(fc.constantFrom(...networks, "discover")),
    preferred: optional(fc.constantFrom(...names, "unheard-of")),
    hookOrder: fc.option(someOf([...names, "unheard-of"]), { nil: undefined, freq: 1 }),
    labels: fc.dictionary(fc.constantFrom("risk", "tier", "other"), fc.constantFrom("low", "high"), { maxKeys: 2 }),
  }),
) as unknown as fc.Arbitrary<PaymentFacts>;

const figures: fc.Arbitrary<Figures> = fc
  .record({
    breakerOpen: fc.boolean(),
    calls: fc.integer({ min: 0, max: 100 }),
    answeredShare: fc.double({ min: 0, max: 1, noNaN: true }),
    attempts: fc.integer({ min: 0, max: 100 }),
    successShare: fc.double({ min: 0, max: 1, noNaN: true }),
    latencyMillis: optional(fc.integer({ min: 1, max: 5_000 })),
  })
  .map(({ breakerOpen, calls, answeredShare, attempts, successShare, latencyMillis }) => {
    const answered = Math.floor(calls * answeredShare);
    return {
      breakerOpen,
      calls,
      answered,
      attempts,
      successes: Math.floor(attempts * successShare),
      score: scoreOf(calls, answered),
      ...(latencyMillis === undefined ? {} : { latencyMillis }),
    };
  });

export const candidates = fc
  .shuffledSubarray([...names], { minLength: 0 })
  .map((list) => list.map((name) => candidate(name)));

export const live: fc.Arbitrary<LiveFigures> = fc
  .dictionary(fc.constantFrom(...names), figures, { maxKeys: 4 })
  .map((byName) => new Map(Object.entries(byName).map(([name, one]) => [liveKey(name, "default"), one])));

export interface Case {
  readonly routing: Routing;
  readonly question: Question;
}

export const cases: fc.Arbitrary<Case> = fc
  .record({
    table: tables,
    live,
    candidates,
    facts,
    id: fc.integer({ min: 0, max: 1_000_000 }),
    tried: fc.subarray([...names], { maxLength: 3 }),
  })
  .map(({ table, live: figuresNow, candidates: configured, facts: known, id, tried }) => ({
    routing: { table, live: figuresNow },
    question: {
      candidates: configured,
      facts: known,
      seed: seedOf({ merchant: known.merchant, paymentId: `order-${id}` }, tried.length + 1),
      tried: tried.map((name) => candidate(name)),
    },
  }));
