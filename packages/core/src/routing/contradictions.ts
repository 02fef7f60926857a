/**
 * What is wrong with a routing table, each with the path of the field in it: found at start, so that no payment is ever
 * routed by a table that means nothing.
 */
import { canonicalHash } from "../identity/canonical.ts";
import { isCurrency } from "../money/Currency.ts";
import type { Conditions, Range, RoutingTable, Rule, Weights } from "./RoutingTable.ts";

export interface Contradiction {
  readonly path: ReadonlyArray<string | number>;
  readonly problem: string;
}

type Path = Contradiction["path"];
type Found = ReadonlyArray<Contradiction>;

const quoted = (values: ReadonlyArray<string>): string => values.map((value) => JSON.stringify(value)).join(", ");

const unknownGateway = (path: Path, name: string, gateways: ReadonlyArray<string>): Found =>
  gateways.includes(name)
    ? []
    : [{ path, problem: `no gateway is named ${JSON.stringify(name)}; there are: ${gateways.join(", ")}` }];

const twice = (path: Path, values: ReadonlyArray<string>): Found =>
  values.flatMap((value, index) =>
    values.indexOf(value) === index
      ? []
      : [{ path: [...path, index], problem: `${JSON.stringify(value)} stands there twice` }],
  );

const currency = (path: Path, code: string): Found =>
  isCurrency(code) ? [] : [{ path, problem: `${JSON.stringify(code)} is not an ISO 4217 currency code (upper case)` }];

const formats = {
  country: { pattern: /^[A-Z]{2}$/, means: "a country, two capital letters" },
  network: { pattern: /^[a-z0-9_-]{1,32}$/, means: "a card network in lower case" },
  merchant: { pattern: /^[A-Za-z0-9_-]{1,128}$/, means: "a merchant's id" },
} as const;

/** A list of values that a payment may have: each of its form, none of them twice. */
const values = (path: Path, list: ReadonlyArray<string> = [], kind: keyof typeof formats | "currency"): Found => [
  ...twice(path, list),
  ...list.flatMap((value, index) => {
    const place = [...path, index];
    if (kind === "currency") return currency(place, value);
    const { pattern, means } = formats[kind];
    return pattern.test(value) ? [] : [{ path: place, problem: `${JSON.stringify(value)} is not ${means}` }];
  }),
];

const ranges = (path: Path, byCurrency: Readonly<Record<string, Range>> = {}): Found =>
  Object.entries(byCurrency).flatMap(([code, { min, max }]) => {
    const place = [...path, code];
    const isEmpty = min !== undefined && max !== undefined && min > max;
    return [
      ...currency(place, code),
      ...(isEmpty ? [{ path: place, problem: `no amount is from ${min} to ${max}: min is more than max` }] : []),
    ];
  });

const gatewayTraits = ({ gateways: traits = {} }: RoutingTable, gateways: ReadonlyArray<string>): Found =>
  Object.entries(traits).flatMap(([name, { supports = {}, fees = {} }]) => {
    const path = ["gateways", name];
    const within = [...path, "supports"];
    const bounded = Object.keys(supports.amount ?? {});
    const { currencies } = supports;
    return [
      ...unknownGateway(path, name, gateways),
      ...values([...within, "currencies"], currencies, "currency"),
      ...values([...within, "merchants"], supports.merchants, "merchant"),
      ...values([...within, "countries"], supports.countries, "country"),
      ...values([...within, "networks"], supports.networks, "network"),
      ...ranges([...within, "amount"], supports.amount),
      ...bounded
        .filter((code) => currencies !== undefined && !currencies.includes(code))
        .map((code) => ({ path: [...within, "amount", code], problem: `the gateway does not take ${code} at all` })),
      ...Object.keys(fees).flatMap((code) => currency([...path, "fees", code], code)),
    ];
  });

const namesOf = (path: Path, weights: Weights = {}, gateways: ReadonlyArray<string>): Found =>
  Object.keys(weights).flatMap((name) => unknownGateway([...path, name], name, gateways));

const noWeights = 'the strategy "weights" has no weights';
const addToNothing = "the weights add to nothing: no gateway would ever be chosen";

const sumOf = (weights: Weights, isUsable: (gateway: string) => boolean): number =>
  Object.entries(weights).reduce((sum, [name, weight]) => sum + (isUsable(name) ? weight : 0), 0);

const tableWeights = ({ strategy, weights }: RoutingTable, gateways: ReadonlyArray<string>): Found => [
  ...namesOf(["weights"], weights, gateways),
  ...(strategy === "weights" && weights === undefined ? [{ path: ["strategy"], problem: noWeights }] : []),
  ...(weights !== undefined && sumOf(weights, () => true) === 0 ? [{ path: ["weights"], problem: addToNothing }] : []),
];

const conditions = (path: Path, when: Conditions): Found => {
  const { currency: currencies, amount } = when;
  const codes = Object.keys(amount ?? {});
  const neverBoth =
    currencies !== undefined && amount !== undefined && !codes.some((code) => currencies.includes(code));
  const noCode = amount !== undefined && codes.length === 0;
  return [
    ...values([...path, "currency"], currencies, "currency"),
    ...values([...path, "merchant"], when.merchant, "merchant"),
    ...values([...path, "country"], when.country, "country"),
    ...values([...path, "network"], when.network, "network"),
    ...ranges([...path, "amount"], amount),
    ...(noCode ? [{ path: [...path, "amount"], problem: "no currency is named: no payment would match" }] : []),
    ...(neverBoth && !noCode
      ? [{ path: [...path, "amount"], problem: `no payment is in ${quoted(currencies)} and in ${quoted(codes)}` }]
      : []),
    ...Object.entries(when.labels ?? {}).flatMap(([label, list]) => twice([...path, "labels", label], list)),
  ];
};

const lists = ["prefer", "only", "exclude"] as const;
const consequenceFields = [...lists, "strategy", "weights"] as const;

const isRuledOutBy = ({ only, exclude = [] }: Rule, gateway: string): boolean =>
  exclude.includes(gateway) || (only !== undefined && !only.includes(gateway));

const ruleWeights = (path: Path, rule: Rule, table: RoutingTable, gateways: ReadonlyArray<string>): Found => {
  const weights = rule.weights ?? table.weights;
  const unknown = namesOf([...path, "weights"], rule.weights, gateways);
  if ((rule.strategy ?? table.strategy) !== "weights") return unknown;
  if (weights === undefined)
    return rule.strategy === undefined ? [] : [{ path: [...path, "strategy"], problem: noWeights }];
  const isNothing = sumOf(weights, (gateway) => !isRuledOutBy(rule, gateway)) === 0;
  const at = rule.weights === undefined ? path : [...path, "weights"];
  return isNothing ? [...unknown, { path: at, problem: addToNothing }] : unknown;
};

const consequences = (path: Path, rule: Rule, gateways: ReadonlyArray<string>): Found => {
  const isRuledOut = (name: string): boolean => isRuledOutBy(rule, name);
  return [
    ...lists.flatMap((list) => [
      ...twice([...path, list], rule[list] ?? []),
      ...(rule[list] ?? []).flatMap((name, index) => unknownGateway([...path, list, index], name, gateways)),
    ]),
    ...(rule.prefer ?? []).flatMap((name, index) =>
      isRuledOut(name)
        ? [{ path: [...path, "prefer", index], problem: `the same rule rules ${JSON.stringify(name)} out` }]
        : [],
    ),
    ...(gateways.every(isRuledOut)
      ? [{ path: [...path, rule.only === undefined ? "exclude" : "only"], problem: "the rule leaves no gateway" }]
      : []),
    ...(consequenceFields.every((field) => rule[field] === undefined)
      ? [{ path, problem: `the rule says nothing: give it one of ${consequenceFields.join(", ")}` }]
      : []),
  ];
};

/** A rule that an earlier one leaves nothing to. */
const neverReached = (rules: ReadonlyArray<Rule>): Found => {
  const hashes = rules.map(({ when }) => canonicalHash(when));
  const takesAll = rules.findIndex(({ when }) => Object.keys(when).length === 0);
  return rules.flatMap((_, index) => {
    const same = hashes.indexOf(hashes[index]!);
    const earlier = same < index ? same : takesAll >= 0 && takesAll < index ? takesAll : undefined;
    if (earlier === undefined) return [];
    const problem = `it is never reached: the rule ${JSON.stringify(rules[earlier]!.name)} takes all its payments`;
    return [{ path: ["rules", index], problem }];
  });
};

const rulesOf = (table: RoutingTable, gateways: ReadonlyArray<string>): Found => {
  const { rules = [] } = table;
  const names = rules.map(({ name }) => name);
  return [
    ...rules.flatMap((rule, index) => {
      const path = ["rules", index];
      const first = names.indexOf(rule.name);
      return [
        ...(first < index
          ? [{ path: [...path, "name"], problem: `rules[${first}] is named ${JSON.stringify(rule.name)} too` }]
          : []),
        ...conditions([...path, "when"], rule.when),
        ...consequences(path, rule, gateways),
        ...ruleWeights(path, rule, table, gateways),
      ];
    }),
    ...neverReached(rules),
  ];
};

const hasNoFees = ({ gateways = {}, strategy, rules = [] }: RoutingTable): Found => {
  if (Object.values(gateways).some(({ fees = {} }) => Object.keys(fees).length > 0)) return [];
  const problem = 'the strategy "leastCost" has no fees: give gateways.<name>.fees';
  return [
    ...(strategy === "leastCost" ? [{ path: ["strategy"], problem }] : []),
    ...rules.flatMap((rule, index) =>
      rule.strategy === "leastCost" ? [{ path: ["rules", index, "strategy"], problem }] : [],
    ),
  ];
};

/** `gateways`: the names that the configuration has. */
export const contradictionsOf = (table: RoutingTable, gateways: ReadonlyArray<string>): Found => [
  ...tableWeights(table, gateways),
  ...gatewayTraits(table, gateways),
  ...hasNoFees(table),
  ...rulesOf(table, gateways),
];
