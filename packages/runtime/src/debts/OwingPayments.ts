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
import { debtsOf, type Debt } from "./Debts.ts";

interface Owing {
  readonly state: PaymentState;
  readonly debts: ReadonlyArray<Debt>;
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
    const debts = debtsOf(payment, state);
    if (debts.length > 0) this.#owing.set(key, { state, debts });
  }

  debts(): ReadonlyMap<string, ReadonlyArray<Debt>> {
    return new Map([...this.#owing].map(([key, { debts }]) => [key, debts]));
  }

  unclear(): ReadonlyMap<string, PaymentRef> {
    return this.#unclear;
  }
}
