/**
 * What a state still owes to a gateway. Data only: the payment's owner executes it, and only after the commit that
 * announced it is durable (law 1).
 */
import type { Attempt, PaymentState, Round } from "./PaymentState.ts";

export interface Intent {
  readonly attempt: Attempt;
  readonly round: Round;
}

/** The round that is owed, if any. At most one is open at a time. */
export const intents = (state: PaymentState): ReadonlyArray<Intent> =>
  "round" in state && state.round !== undefined ? [{ attempt: state.attempt, round: state.round }] : [];
