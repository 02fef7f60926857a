/** Actors with hooks that judge, fail, hang and are late, among kills and repeats: the laws hold, and what is refused is not charged. */
import type { FraudAnswer, Hooks } from "@aegispay/runtime/hooks/Hooks";
import { Effect } from "effect";
import { describe, expect, it } from "vitest";
import { complaintOf, simulate, type ActorSimulation, type Simulated } from "./actorSimulation.ts";

const allow: FraudAnswer = { verdict: "allow", score: 1 };

/** Once nothing goes wrong any more they allow: what was parked can be begun by an operator. */
const seededHooks = (simulation: ActorSimulation, isAlive: () => boolean): Hooks => {
  const { choices, laws } = simulation;
  const late = <Value>(value: Value) => Effect.delay(Effect.succeed(value), choices.between(0, 1_500));
  return {
    enrich: () => (choices.chance(0.8) ? late({ tier: "gold" }) : Effect.never),
    fraudCheck: ({ merchant, paymentId }) => {
      const { name } = laws.stateOf({ merchant, paymentId });
      laws.require(name === "ABSENT" || !isAlive(), `a hook is asked about a payment that is ${name}`);
      laws.note(`${paymentId} fraud check`);
      if (simulation.isCalm) return allow;
      switch (choices.between(0, 6)) {
        case 0:
          return { verdict: "refuse", reason: "velocity" };
        case 1:
          return { verdict: "review", reason: "new device" };
        case 2:
          throw new Error("down");
        case 3:
          return Effect.uninterruptible(Effect.never);
        case 4:
          return undefined as never;
        default:
          return late(allow);
      }
    },
    onEvent: () => Effect.never,
  };
};

const expectLawful = async (options: Simulated) => {
  const simulation = await simulate({ ...options, hooks: seededHooks });
  expect(complaintOf(simulation, options)).toBeUndefined();
  return simulation;
};

describe("payment actors with hooks", () => {
  it("keep all laws, ask about nothing that has begun, and bring every payment to an end", async () => {
    const ends = new Map<string, number>();
    let parked = 0;
    for (let seed = 50_001; seed <= 50_300; seed++) {
      const { laws, world } = await expectLawful({ seed, kills: seed % 2 === 0 });
      parked += world.givenUp;
      for (const { state } of laws.payments) {
        const failure = state.name === "FAILURE" ? state.failure.code : "";
        ends.set(failure, (ends.get(failure) ?? 0) + 1);
      }
    }
    expect(parked).toBeGreaterThan(20);
    expect(ends.get("fraud_refused") ?? 0).toBeGreaterThan(20);
    expect(ends.get("") ?? 0).toBeGreaterThan(50);
  });
});
