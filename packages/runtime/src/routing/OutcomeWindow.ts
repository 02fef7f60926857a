/**
 * The latest outcomes of one gateway, as one node has seen them. Owned by that node's `GatewayHealth`.
 *
 * 1. At most `outcomesMax` calls, and as many charges: a gateway that turns bad is seen to be bad after some tens of
 *    payments, however long it was good before.
 * 2. None older than `windowMillis`: a gateway that nobody dared to call is known for nothing again after a while.
 * 3. The sums are kept up as outcomes come and go: to read them costs nothing.
 */
import { Schema } from "effect";
import type { Verdict } from "./verdict.ts";

export const outcomesMax = 100;
export const windowMillis = 300_000;

/** One node's: more than it can have seen is none. */
const Count = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: outcomesMax }));

/** What can be added up over nodes: what a node says that counts wrong, or nobody, must not decide where payments go. */
export const Sums = Schema.Struct({
  calls: Count,
  answered: Count,
  attempts: Count,
  successes: Count,
  /** Charges that were timed, and their time together in milliseconds. */
  timed: Count,
  millis: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
}).check(
  Schema.makeFilter(({ calls, answered, attempts, successes, timed }) =>
    answered <= calls && successes <= attempts && timed <= attempts ? undefined : "sums that cannot be",
  ),
);
export type Sums = typeof Sums.Type;

export const noSums: Sums = { calls: 0, answered: 0, attempts: 0, successes: 0, timed: 0, millis: 0 };

export const addSums = (left: Sums, right: Sums, sign: 1 | -1 = 1): Sums => ({
  calls: left.calls + sign * right.calls,
  answered: left.answered + sign * right.answered,
  attempts: left.attempts + sign * right.attempts,
  successes: left.successes + sign * right.successes,
  timed: left.timed + sign * right.timed,
  millis: left.millis + sign * right.millis,
});

interface Outcome {
  readonly atMillis: number;
  readonly sums: Sums;
}

export class OutcomeWindow {
  private readonly calls: Array<Outcome> = [];
  private readonly charges: Array<Outcome> = [];
  private total = noSums;

  /**
   * `millis`: how long the call took; kept of a charge only, a look-up is another kind of work. Whole, so that what is taken out of
   * the sums again leaves nothing behind.
   */
  add(atMillis: number, { isAnswered, isSuccess }: Verdict, millis: number): void {
    this.keep(this.calls, { atMillis, sums: { ...noSums, calls: 1, answered: Number(isAnswered) } });
    if (isSuccess === undefined) return;
    const sums = { ...noSums, attempts: 1, successes: Number(isSuccess), timed: 1, millis: Math.round(millis) };
    this.keep(this.charges, { atMillis, sums });
  }

  sums(nowMillis: number): Sums {
    for (const outcomes of [this.calls, this.charges]) {
      while (outcomes.length > 0 && outcomes[0]!.atMillis <= nowMillis - windowMillis) this.forget(outcomes);
    }
    return this.total;
  }

  private keep(outcomes: Array<Outcome>, outcome: Outcome): void {
    if (outcomes.length >= outcomesMax) this.forget(outcomes);
    outcomes.push(outcome);
    this.total = addSums(this.total, outcome.sums);
  }

  private forget(outcomes: Array<Outcome>): void {
    const oldest = outcomes.shift();
    if (oldest !== undefined) this.total = addSums(this.total, oldest.sums, -1);
  }
}
