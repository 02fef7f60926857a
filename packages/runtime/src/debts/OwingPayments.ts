/**
 * Which payments owe something, found in one walk over the log of all payments, commit by commit.
 *
 * Invariants:
 * 1. Only payments that owe something are kept: a commit after which nothing is owed takes its payment out.
 * 2. What cannot be followed in the walk (a commit that no legal step leads to, or of a payment that was taken out) is
 *    not judged here: the payment is to be read by itself.
 */
import { paymentKey, type PaymentRef } from "@aegispay/core/identity/Identity";
import { decodeCommit } from "@aegispay/core/payment/Commit";
import { evolveAll } from "@aegispay/core/payment/evolve";
import { absent, type PaymentState } from "@aegispay/core/payment/PaymentState";
import { Option } from "effect";
import { debtOf, type Debt } from "./Debts.ts";

interface Owing {
  readonly state: PaymentState;
  readonly debt: Debt;
}

export class OwingPayments {
  readonly #owing = new Map<string, Owing>();
  readonly #unclear = new Map<string, PaymentRef>();

  /** Commits in the order of the stream. */
  see(payment: PaymentRef, body: string): void {
    const key = paymentKey(payment);
    if (this.#unclear.has(key)) return;
    const known = this.#owing.get(key);
    const commit = Option.getOrUndefined(decodeCommit(body));
    const state = commit && evolveAll(known?.state ?? absent, commit.events);
    this.#owing.delete(key);
    if (state === undefined) return void this.#unclear.set(key, payment);
    const debt = debtOf(payment, state);
    if (debt !== undefined) this.#owing.set(key, { state, debt });
  }

  debts(): ReadonlyMap<string, Debt> {
    return new Map([...this.#owing].map(([key, { debt }]) => [key, debt]));
  }

  unclear(): ReadonlyMap<string, PaymentRef> {
    return this.#unclear;
  }
}
