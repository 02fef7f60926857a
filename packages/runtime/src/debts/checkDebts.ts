/**
 * The checker of law 5: every payment that owes something, and what holds it.
 *
 * Nothing here is read at one moment, so the order of reading decides what a finding is worth.
 * - First the logs, then whatever may hold a debt. What is seen to hold one after the debt was seen does hold it; a
 *   command that was seen before proves nothing, it may have been acked since without anything in its place. So a
 *   payment that is held is known to be held from one walk and one listing.
 * - A payment that nothing was seen to hold has in most cases only moved: it has been settled, or a holder appeared in a
 *   list that had been read already. So it is looked at by itself: its log, all holders, and its log again; see
 *   `DebtSources.look` for why a payment whose log stands still and which no such look finds held is held by nothing. Only
 *   an operator who puts parked entries back, or a server that has just changed its leader, can deceive one look:
 *   a payment is reported when several in a row, over about two seconds, say the same.
 */
import { paymentKey, type PaymentRef } from "@aegispay/core/identity/Identity";
import { Effect } from "effect";
import { debtRow, holds, inOrder, isForgotten, type Debt, type DebtRow, type Holding } from "./Debts.ts";
import { OwingPayments } from "./OwingPayments.ts";

/** What one payment looks like by itself. */
export type Look =
  /** It owes nothing. */
  | { readonly _tag: "Settled" }
  | { readonly _tag: "Owes"; readonly debts: ReadonlyArray<Debt>; readonly holdings: ReadonlyArray<Holding> }
  /** Its log has gone on while it was looked at, so that not finding a holder means nothing. */
  | { readonly _tag: "Moved" };

/** Where the checker reads; NATS in earnest, lists in a test. */
export interface DebtSources<E> {
  /** All commits in order. */
  readonly walk: (see: (payment: PaymentRef, body: string) => void) => Effect.Effect<void, E>;
  /** Whatever may hold a debt, of all payments. */
  readonly listHoldings: (see: (payment: PaymentRef, holding: Holding) => void) => Effect.Effect<void, E>;
  /**
   * One payment: its log, then its holders in the order in which a debt goes from one to the next, then whether its log
   * still stands where it stood. While it does, a debt goes only from a command, or a timer that is due, to the timer of
   * its open round, from there to being due, and from anywhere to what is parked.
   */
  readonly look: (payment: PaymentRef) => Effect.Effect<Look, E>;
}

export interface Patience {
  /** So many looks in a row must find nothing. */
  readonly looks: number;
  readonly pauseMillis: number;
  /** Looks at a payment whose log never stands still: somebody works on it. */
  readonly looksMax: number;
}

export const defaultPatience: Patience = { looks: 4, pauseMillis: 700, looksMax: 20 };

/** Payments that are looked at at the same time. */
const concurrency = 8;

export const checkDebts = Effect.fnUntraced(function* <E>(
  sources: DebtSources<E>,
  progress: (text: string) => Effect.Effect<void>,
  patience = defaultPatience,
) {
  const owing = new OwingPayments();
  yield* sources.walk((payment, body) => owing.see(payment, body));
  const debts = owing.debts();
  yield* progress(`payments that owe something, as their logs say: ${debts.size}`);

  const holdingsOf = new Map<string, Array<Holding>>();
  yield* sources.listHoldings((payment, holding) => {
    const key = paymentKey(payment);
    if (debts.get(key)?.some((debt) => holds(debt, holding)) !== true) return;
    const found = holdingsOf.get(key) ?? [];
    holdingsOf.set(key, found);
    // One of a kind is enough to know: a flood of commands for one payment is not kept. Timers are as many as debts.
    if (holding.by === "timer" || !found.some(({ by }) => by === holding.by)) found.push(holding);
  });

  const rows: Array<DebtRow> = [];
  const suspects = new Map(owing.unclear());
  for (const [key, owed] of debts) {
    const found = owed.map((debt) => debtRow(debt, holdingsOf.get(key) ?? []));
    if (found.some(isForgotten)) suspects.set(key, owed[0]!.payment);
    else rows.push(...found);
  }
  if (suspects.size > 0) {
    yield* progress(
      `looked at one by one, since only that tells whether they owe something, or what holds it: ${suspects.size}`,
    );
  }

  const inVain = new Map<string, number>();
  const lookAt = Effect.fnUntraced(function* (key: string, payment: PaymentRef) {
    const look = yield* sources.look(payment);
    if (look._tag === "Moved") return void inVain.delete(key);
    if (look._tag === "Owes") {
      const found = look.debts.map((debt) => debtRow(debt, look.holdings));
      const count = (inVain.get(key) ?? 0) + 1;
      inVain.set(key, count);
      if (found.some(isForgotten) && count < patience.looks) return;
      rows.push(...found);
    }
    suspects.delete(key);
  });
  for (let round = 0; suspects.size > 0 && round < patience.looksMax; round++) {
    if (round > 0) yield* Effect.sleep(patience.pauseMillis);
    yield* Effect.forEach([...suspects], ([key, payment]) => lookAt(key, payment), { concurrency, discard: true });
  }
  return inOrder(rows);
});
