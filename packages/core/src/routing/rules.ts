/** Which rule of a table a payment falls under: the first that matches, and no other. */
import type { PaymentFacts } from "./PaymentFacts.ts";
import type { Conditions, Range, Rule, RoutingTable } from "./RoutingTable.ts";

const isOneOf = (values: ReadonlyArray<string> | undefined, value: string | undefined): boolean =>
  values === undefined || (value !== undefined && values.includes(value));

export const isWithin = ({ min = 0, max = Number.POSITIVE_INFINITY }: Range, value: number): boolean =>
  min <= value && value <= max;

export const matches = (
  { currency, amount, merchant, country, network, labels = {} }: Conditions,
  facts: PaymentFacts,
): boolean => {
  const range =
    amount === undefined ? {} : Object.hasOwn(amount, facts.amount.currency) && amount[facts.amount.currency];
  return (
    isOneOf(currency, facts.amount.currency) &&
    isOneOf(merchant, facts.merchant) &&
    isOneOf(country, facts.country) &&
    isOneOf(network, facts.network) &&
    typeof range === "object" &&
    isWithin(range, facts.amount.value) &&
    Object.entries(labels).every(
      ([label, values]) => Object.hasOwn(facts.labels, label) && isOneOf(values, facts.labels[label]),
    )
  );
};

export const ruleFor = ({ rules = [] }: RoutingTable, facts: PaymentFacts): Rule | undefined =>
  rules.find(({ when }) => matches(when, facts));
