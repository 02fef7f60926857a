/**
 * Given a history, when a command comes, then these events follow. The given is written as events, not as commands, so
 * that a mistake in `decide` cannot prepare its own excuse.
 */
import { decide } from "@aegispay/core/payment/decide";
import { evolveAll } from "@aegispay/core/payment/evolve";
import { isoTime } from "@aegispay/core/payment/Given";
import { intents } from "@aegispay/core/payment/intents";
import type { PaymentCommand } from "@aegispay/core/payment/PaymentCommand";
import { placeEvents, type NewEvent } from "@aegispay/core/payment/PaymentEvent";
import { absent, type PaymentState } from "@aegispay/core/payment/PaymentState";
import type { RejectionCode } from "@aegispay/core/payment/Rejection";
import { Result } from "effect";
import { expect } from "vitest";
import { beginning } from "./paymentExamples.ts";

/** The state a history leads to; an illegal one fails the test that gives it. */
export const stateAfter = (events: ReadonlyArray<NewEvent>): PaymentState => {
  const state = evolveAll(absent, placeEvents(events, 0, isoTime(beginning)));
  if (state === undefined) throw new Error(`no legal history: ${events.map(({ type }) => type).join(", ")}`);
  return state;
};

/** The state that was reached, for a closer look. */
interface Then {
  readonly state: PaymentState;
  /** What is owed now, as `owedBy` says it; "nothing" when it is at rest. */
  readonly owes: (...rounds: ReadonlyArray<string>) => Then;
  readonly is: (name: PaymentState["name"]) => Then;
}

/** What is owed, as "1/0 start" (attempt, round, action), "refund 2/0 start" (operation), "expiry". */
export const owedBy = (state: PaymentState): ReadonlyArray<string> =>
  intents(state).map((intent) => {
    if (intent.kind === "expiry") return "expiry";
    const { round, action } = intent.round;
    return intent.kind === "charge"
      ? `${intent.attempt.number}/${round} ${action}`
      : `${intent.operation.kind} ${intent.operation.number}/${round} ${action}`;
  });

const then = (state: PaymentState): Then => ({
  state,
  owes: (...rounds) => {
    expect(owedBy(state)).toEqual(rounds[0] === "nothing" ? [] : rounds);
    return then(state);
  },
  is: (name) => {
    expect(state.name).toBe(name);
    return then(state);
  },
});

const when = (state: PaymentState, command: PaymentCommand) => {
  const decision = decide(state, command);
  return {
    then: (...events: ReadonlyArray<NewEvent>): Then => {
      expect(Result.isSuccess(decision) ? decision.success : decision.failure).toEqual(events);
      const after = evolveAll(state, placeEvents(events, state.version, isoTime(command.given.at)));
      if (after === undefined) throw new Error("what was decided is not legal");
      return then(after);
    },
    thenNothing: (): void => {
      expect(decision).toEqual(Result.succeed([]));
    },
    /** Refused by an event, so that a repeat gets the same answer. */
    thenRefused: (code: RejectionCode): Then => {
      const events = Result.isSuccess(decision) ? decision.success : [];
      expect(events).toMatchObject([{ type: "CommandRefused", data: { code } }]);
      const after = evolveAll(state, placeEvents(events, state.version, isoTime(command.given.at)));
      if (after === undefined) throw new Error("what was decided is not legal");
      return then(after);
    },
    thenRejected: (code: RejectionCode): void => {
      expect(Result.isFailure(decision) ? decision.failure : decision.success).toMatchObject({
        code,
        retryable: code === "Overloaded",
      });
    },
  };
};

export const given = (...history: ReadonlyArray<NewEvent>) => {
  const state = stateAfter(history);
  return { when: (command: PaymentCommand) => when(state, command) };
};
