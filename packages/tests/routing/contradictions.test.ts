import { contradictionsOf } from "@aegispay/core/routing/contradictions";
import { route } from "@aegispay/core/routing/route";
import { RoutingTable } from "@aegispay/core/routing/RoutingTable";
import { GatewaysConfig } from "@aegispay/gateways/GatewaysConfig";
import { Result, Schema, SchemaIssue } from "effect";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { candidate, cases, tables } from "./tables.ts";

const gateways = [
  { name: "alpha", type: "simulator", url: "http://127.0.0.1:8081" },
  { name: "beta", type: "simulator", url: "http://127.0.0.1:8082" },
];

/** As whoever reads the file does; answers path and message of each issue. */
const problemsOf = (routing: unknown): ReadonlyArray<readonly [path: string, message: string]> => {
  const decoded = Schema.decodeUnknownResult(GatewaysConfig, { onExcessProperty: "error", errors: "all" })({
    gateways,
    routing,
  });
  if (Result.isSuccess(decoded)) return [];
  const { issues } = SchemaIssue.makeFormatterStandardSchemaV1()(decoded.failure.issue);
  return issues.map(({ path = [], message }) => [path.join("."), message] as const);
};

const rule = (changes: object) => ({ name: "one", when: {}, prefer: ["alpha"], ...changes });

describe("a routing table that contradicts itself is refused at start, with the field", () => {
  for (const [title, routing, path, message] of [
    [
      "an unknown gateway in a rule",
      { rules: [rule({ prefer: ["strype"] })] },
      "routing.rules.0.prefer.0",
      'no gateway is named "strype"; there are: alpha, beta',
    ],
    [
      "an unknown gateway with a weight",
      { weights: { alpha: 1, gamma: 1 } },
      "routing.weights.gamma",
      "no gateway is named",
    ],
    ["an unknown gateway with fees", { gateways: { gamma: {} } }, "routing.gateways.gamma", "no gateway is named"],
    [
      "weights that add to nothing",
      { strategy: "weights", weights: { alpha: 0, beta: 0 } },
      "routing.weights",
      "add to nothing",
    ],
    [
      "weights of a rule that add to nothing among those it leaves",
      { rules: [rule({ prefer: undefined, strategy: "weights", weights: { alpha: 1 }, exclude: ["alpha"] })] },
      "routing.rules.0.weights",
      "add to nothing",
    ],
    ["weights without weights", { strategy: "weights" }, "routing.strategy", "has no weights"],
    ["a weight below nothing", { weights: { alpha: -1 } }, "routing.weights.alpha", "between 0 and 1000000"],
    ["cost without fees", { strategy: "leastCost" }, "routing.strategy", "has no fees"],
    [
      "a rule whose min is more than its max",
      { rules: [rule({ when: { amount: { USD: { min: 5, max: 4 } } } })] },
      "routing.rules.0.when.amount.USD",
      "no amount is from 5 to 4",
    ],
    [
      "a gateway whose min is more than its max",
      { gateways: { alpha: { supports: { amount: { USD: { min: 5, max: 4 } } } } } },
      "routing.gateways.alpha.supports.amount.USD",
      "no amount is from 5 to 4",
    ],
    [
      "bounds in a currency that the gateway does not take",
      { gateways: { alpha: { supports: { currencies: ["EUR"], amount: { USD: { min: 5 } } } } } },
      "routing.gateways.alpha.supports.amount.USD",
      "does not take USD",
    ],
    [
      "a currency that is none",
      { rules: [rule({ when: { currency: ["EURO"] } })] },
      "routing.rules.0.when.currency.0",
      '"EURO" is not an ISO 4217',
    ],
    [
      "fees in a currency that is none",
      { gateways: { alpha: { fees: { usd: {} } } } },
      "routing.gateways.alpha.fees.usd",
      '"usd" is not an ISO 4217',
    ],
    [
      "a country that is none",
      { rules: [rule({ when: { country: ["Germany"] } })] },
      "routing.rules.0.when.country.0",
      "two capital letters",
    ],
    [
      "two rules of one name",
      { rules: [rule({ when: { currency: ["EUR"] } }), rule({ when: { currency: ["USD"] } })] },
      "routing.rules.1.name",
      'rules[0] is named "one" too',
    ],
    [
      "a rule after one that takes everything",
      { rules: [rule({}), rule({ name: "two", when: { currency: ["USD"] } })] },
      "routing.rules.1",
      "never reached",
    ],
    [
      "a rule that is another's again",
      { rules: [rule({ when: { currency: ["EUR"] } }), rule({ name: "two", when: { currency: ["EUR"] } })] },
      "routing.rules.1",
      "never reached",
    ],
    [
      "a rule whose currencies and amounts exclude each other",
      { rules: [rule({ when: { currency: ["EUR"], amount: { USD: { min: 1 } } } })] },
      "routing.rules.0.when.amount",
      "no payment is in",
    ],
    [
      "a rule that leaves nobody",
      { rules: [rule({ prefer: undefined, exclude: ["alpha", "beta"] })] },
      "routing.rules.0.exclude",
      "leaves no gateway",
    ],
    [
      "a rule that prefers what it excludes",
      { rules: [rule({ exclude: ["alpha"] })] },
      "routing.rules.0.prefer.0",
      'rules "alpha" out',
    ],
    ["a rule that says nothing", { rules: [{ name: "one", when: {} }] }, "routing.rules.0", "says nothing"],
    [
      "a gateway twice in a list",
      { rules: [rule({ prefer: ["alpha", "alpha"] })] },
      "routing.rules.0.prefer.1",
      "twice",
    ],
    ["an empty list", { rules: [rule({ prefer: [] })] }, "routing.rules.0.prefer", "length"],
    ["a strategy that does not exist", { strategy: "cheapest" }, "routing.strategy", "leastCost"],
    ["a field that does not exist", { strategie: "order" }, "routing.strategie", "excess"],
    ["more attempts than there may be", { maxAttempts: 11 }, "routing.maxAttempts", "10"],
  ] as const) {
    it(`${title} is found`, () => {
      const shown = JSON.parse(JSON.stringify(routing)) as unknown;
      const found = problemsOf(shown);
      expect(found.map(([where]) => where)).toContain(path);
      expect(
        found
          .filter(([where]) => where === path)
          .map(([, said]) => said)
          .join(),
      ).toContain(message);
    });
  }

  it("a table without a contradiction is taken, and without a table there is none", () => {
    expect(problemsOf({ strategy: "weights", weights: { alpha: 70, beta: 30 }, maxAttempts: 2 })).toEqual([]);
    expect(problemsOf({})).toEqual([]);
  });
});

describe("whatever is written down as a table", () => {
  it("is taken or refused with paths that lead somewhere, and never throws", () => {
    let taken = 0;
    const property = fc.property(tables, (table) => {
      const decoded = Schema.decodeUnknownResult(RoutingTable, { onExcessProperty: "error" })(table);
      expect(Result.isSuccess(decoded)).toBe(true);
      const found = contradictionsOf(table, ["alpha", "beta", "gamma", "delta"]);
      for (const { path, problem } of found) {
        let place: unknown = table;
        for (const step of path) {
          expect(Object.hasOwn(place as object, step)).toBe(true);
          place = (place as Readonly<Record<string | number, unknown>>)[step];
        }
        expect(problem.length).toBeGreaterThan(0);
      }
      taken += found.length === 0 ? 1 : 0;
    });
    fc.assert(property, { numRuns: 2_000, seed: 6 });
    expect(taken).toBeGreaterThan(100);
  });

  it("leaves a gateway to every payment that the gateways take, where it has no contradiction and all are well", () => {
    const property = fc.property(cases, ({ routing, question }) => {
      const { table } = routing;
      const plain = Object.fromEntries(
        Object.entries(table.gateways ?? {}).map(([name, { fees = {} }]) => [name, { fees }]),
      );
      const clean = { ...table, gateways: plain };
      if (contradictionsOf(clean, ["alpha", "beta", "gamma", "delta"]).length > 0) return;
      const candidates = ["alpha", "beta", "gamma", "delta"].map((name) => candidate(name));
      const routed = route({ table: clean, live: new Map() }, { ...question, candidates, tried: [] });
      expect(Result.isSuccess(routed)).toBe(true);
    });
    fc.assert(property, { numRuns: 2_000, seed: 6 });
  });
});
