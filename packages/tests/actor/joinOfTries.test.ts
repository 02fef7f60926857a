/**
 * Law 4 without an actor: an attempt's outcome is the join of all its tries, by whoever made them. A round is called by one
 * owner or by two at once, and what came of it arrives in any order, before anything of the next round.
 */
import { gatewayIdempotencyKey } from "@aegispay/core/identity/Identity";
import { decide } from "@aegispay/core/payment/decide";
import { evolveAll } from "@aegispay/core/payment/evolve";
import { defaultPolicy, isoTime } from "@aegispay/core/payment/Given";
import { intents, type ChargeIntent } from "@aegispay/core/payment/intents";
import type { PaymentCommand } from "@aegispay/core/payment/PaymentCommand";
import { placeEvents } from "@aegispay/core/payment/PaymentEvent";
import { absent, type PaymentState } from "@aegispay/core/payment/PaymentState";
import { Result } from "effect";
import { describe, expect, it } from "vitest";
import {
  approved,
  create,
  givenAt,
  lookedUp,
  mayMoveOn,
  notFound,
  notSent,
  tried,
  unknown,
} from "../core/paymentExamples.ts";
import { Choices } from "./Choices.ts";

const stepsMax = 40;
const given = (step: number) => givenAt(step * 1_000);

/** Answers how often the customer was charged, and the state at the end. */
const play = (choices: Choices) => {
  const charged = new Set<string>();
  let state: PaymentState = absent;
  const tell = (command: PaymentCommand): void => {
    const decision = decide(state, command);
    if (Result.isFailure(decision)) throw new Error(decision.failure.message);
    state = evolveAll(state, placeEvents(decision.success, state.version, isoTime(command.given.at)))!;
  };
  const declines = new Set<string>();
  const answerOf = (key: string) => (charged.has(key) ? approved() : declines.has(key) ? mayMoveOn : undefined);
  const charge = (key: string) => {
    if (answerOf(key) === undefined) (choices.chance(0.6) ? charged : declines).add(key);
    return answerOf(key)!;
  };
  const call = ({ attempt, round }: ChargeIntent, step: number): PaymentCommand => {
    const key = gatewayIdempotencyKey("D", create().payment, attempt.number, "charge", 1);
    if (round.action === "lookUp") {
      const found = choices.chance(0.3) ? unknown : (answerOf(key) ?? notFound);
      return lookedUp(found, round.round, given(step), attempt.number);
    }
    if (choices.chance(0.4)) return tried(notSent, round.round, given(step), attempt.number);
    const acts = choices.chance(0.7) ? charge(key) : undefined;
    const outcome = acts === undefined || choices.chance(0.5) ? unknown : acts;
    return tried(outcome, round.round, given(step), attempt.number);
  };

  tell(create({}, given(0)));
  for (let step = 1; step < stepsMax; step++) {
    const [open] = intents(state);
    if (open?.kind !== "charge") break;
    const first = call(open, step);
    // Never for the last try: what is heard of it when the attempt has ended comes too late for everybody.
    const isLast = open.attempt.tries > defaultPolicy.maxRetries;
    const second = !isLast && choices.chance(0.5) ? call(open, step) : undefined;
    tell(first);
    // What the other owner heard comes when this one has committed its next round already.
    if (second !== undefined) tell(second);
  }
  return { charges: charged.size, state };
};

describe("an attempt that two owners try at once", () => {
  it("charges the customer once over all gateways, whatever each of them hears", () => {
    for (let seed = 1; seed <= 2_000; seed++) {
      const { charges, state } = play(new Choices(seed));
      expect(charges, `seed ${seed}`).toBeLessThanOrEqual(1);
      if (state.name === "FAILURE") expect(charges, `seed ${seed}`).toBe(0);
      if (state.name === "SUCCESS") expect(charges, `seed ${seed}`).toBe(1);
    }
  });
});
