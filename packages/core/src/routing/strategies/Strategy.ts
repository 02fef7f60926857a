/** How a strategy puts gateways in order. It sees only those that may be used, in the configured order, and loses none. */
import type { Candidate } from "../../payment/Given.ts";
import type { Figures } from "../LiveFigures.ts";
import type { PaymentFacts } from "../PaymentFacts.ts";
import type { RoutingTable, Weights } from "../RoutingTable.ts";

export interface Ranking {
  readonly candidates: ReadonlyArray<Candidate>;
  readonly table: RoutingTable;
  /** The rule's, or the table's. */
  readonly weights: Weights;
  readonly facts: PaymentFacts;
  readonly figuresOf: (candidate: Candidate) => Figures;
  /** Of the payment and its attempt. */
  readonly seed: string;
}

export interface Ranked {
  readonly candidate: Candidate;
  readonly why: string;
}

export type Strategy = (ranking: Ranking) => ReadonlyArray<Ranked>;

/** Least first; what is equal stays in the configured order. */
export const byLeast = <Value extends number | bigint>(
  candidates: ReadonlyArray<Candidate>,
  valueOf: (candidate: Candidate) => Value,
  whyOf: (candidate: Candidate, value: Value) => string,
): ReadonlyArray<Ranked> =>
  candidates
    .map((candidate) => ({ candidate, value: valueOf(candidate) }))
    .toSorted((left, right) => (left.value < right.value ? -1 : Number(left.value > right.value)))
    .map(({ candidate, value }) => ({ candidate, why: whyOf(candidate, value) }));
