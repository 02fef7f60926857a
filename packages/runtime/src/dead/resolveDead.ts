/**
 * What an operator decides about a parked entry: back to work, or gone. Each answers why it was refused, or undefined when
 * it is done; done means that the entry has been removed.
 */
import { isToken, paymentKey } from "@aegispay/core/identity/Identity";
import { Effect } from "effect";
import { readOwed } from "../debts/NatsOwed.ts";
import { mayHoldDebt, whyNotRetried, type DeadEntry } from "./DeadEntry.ts";
import { publishAgain, removeDead } from "./NatsDeadStore.ts";
import { forgive } from "./NatsForgiveness.ts";

/** A payment that was parked for what it did to its processes is tried again only without its mark. */
const forgiveIfMarked = ({ letter }: DeadEntry) => (letter.code === "Parked" ? forgive(letter.payment) : Effect.void);

/**
 * In this order: the mark, or what is published would be parked at once; the publish, until it is durable; then the entry.
 * Whatever ends this in between leaves the entry, and doing it again repeats a command with its own identity.
 */
export const retryDead = Effect.fnUntraced(function* (entry: DeadEntry) {
  const why = whyNotRetried(entry);
  if (why !== undefined) return why;
  yield* forgiveIfMarked(entry);
  yield* publishAgain(entry);
  yield* removeDead(entry.id);
  return undefined;
});

/** Why removing the entry would forget a debt (law 5); undefined where it would not. */
const whyKept = Effect.fnUntraced(function* (entry: DeadEntry) {
  const { id, letter } = entry;
  const { payment } = letter;
  // An address that was not kept, or never was one, has no log.
  if (!mayHoldDebt(entry) || !isToken(payment.merchant) || !isToken(payment.paymentId)) return undefined;
  const { debts } = yield* readOwed(payment);
  const [debt] = debts;
  if (debt === undefined) return undefined;
  const owed = debts.map(({ owes, due }) => `${owes}${due === null ? "" : `, due ${due}`}`).join("; ");
  return (
    `entry ${id} is kept: payment ${paymentKey(payment)} is ${debt.state} and owes ${owed}. With the entry that would be forgotten: nobody would find out ` +
    `whether its customer was charged. \`aegispay dead retry ${id}\` goes on with it; --even-if-owed discards it all the same`
  );
});

export const discardDead = Effect.fnUntraced(function* (entry: DeadEntry, evenIfOwed: boolean) {
  const why = evenIfOwed ? undefined : yield* whyKept(entry);
  if (why !== undefined) return why;
  yield* forgiveIfMarked(entry);
  yield* removeDead(entry.id);
  return undefined;
});
