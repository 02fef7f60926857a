import type { CrashPoint } from "@aegispay/runtime/seam/CrashPoints";
import { describe, expect, it } from "vitest";
import { complaintOf, simulate, type Simulated } from "./actorSimulation.ts";
import { Choices } from "./Choices.ts";
import type { Fate } from "./SeededGateways.ts";

const expectLawful = async (options: Simulated) => {
  const simulation = await simulate(options);
  expect(complaintOf(simulation, options)).toBeUndefined();
  return simulation;
};

const seedsFrom = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index);

/** A defect wherever the point is reached. */
const crashAt = (point: CrashPoint) => (reached: CrashPoint) => {
  if (reached === point) throw new Error(`crashed at ${point}`);
};

describe("a process's payment actors", () => {
  it("keep all laws while clients repeat and contradict themselves", async () => {
    for (const seed of seedsFrom(1, 300)) await expectLawful({ seed });
  });

  it("keep all laws when the process is killed at any moment", async () => {
    let kills = 0;
    for (const seed of seedsFrom(10_001, 300)) kills += (await expectLawful({ seed, kills: true })).kills;
    expect(kills).toBeGreaterThan(200);
  });

  it("keep all laws when they crash now and then, and processes are killed besides", async () => {
    for (const seed of seedsFrom(20_001, 200)) {
      const choices = new Choices(seed);
      const reach = () => {
        if (choices.chance(0.05)) throw new Error("crashed");
      };
      await expectLawful({ seed, kills: seed % 2 === 0, reach });
    }
  });

  it("keep all laws while calls are held back, what waits is crowded out, and processes are killed besides", async () => {
    for (const seed of seedsFrom(50_001, 300)) await expectLawful({ seed, holdsBack: true, kills: seed % 2 === 0 });
  });

  it("keep all laws while gateways are taken out and put in again, calls are held back, and processes are killed besides", async () => {
    for (const seed of seedsFrom(70_001, 200)) {
      await expectLawful({ seed, takesOut: true, holdsBack: seed % 3 === 0, kills: seed % 2 === 0 });
    }
  });

  it("never take for unknown what they held back themselves, also of payments that memory had no place for", async () => {
    let heldBack = 0;
    for (const seed of seedsFrom(60_001, 100)) {
      const options = { seed, payments: 4, holdsBack: true, repeats: false, fate: (): Fate => "approved" };
      const { trace } = (await expectLawful(options)).laws;
      heldBack += trace.filter((line) => line.includes("AttemptNotSent")).length;
      expect(trace.filter((line) => line.includes("OutcomeUnknown"))).toEqual([]);
    }
    expect(heldBack).toBeGreaterThan(100);
  });

  for (const point of ["beforeCall", "afterCall", "afterCommit", "beforeFirstAppend"] as const) {
    it(`park a payment that crashes each time at ${point}, and end it when an operator resumes it`, async () => {
      for (const seed of seedsFrom(30_001, 20)) {
        const { world } = await expectLawful({
          seed,
          payments: 1,
          repeats: false,
          parksAtOnce: true,
          reach: crashAt(point),
        });
        expect(world.givenUp, `seed ${seed}`).toBe(1);
      }
    });
  }

  for (const fate of ["throwsAtOnce", "diesAfterAnswer", "late", "requestLost", "answerLost"] as const) {
    it(`never take a call for a failure where each one's fate is ${fate}`, async () => {
      for (const seed of seedsFrom(40_001, 20)) await expectLawful({ seed, fate: (): Fate => fate });
    });
  }
});
