import { readCircuit, type Circuit } from "@aegispay/runtime/resilience/Breakers";
import { admits, closedCircuit, heard, mayProbe, probing, recorded } from "@aegispay/runtime/resilience/circuit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const rules = { failureThreshold: 5, successThreshold: 2, openForMillis: 60_000 };
const probeForMillis = 30_000;
const act = (atMillis: number) => ({ atMillis, by: "node-1" });

const after = (circuit: Circuit, outcomes: string, atMillis = 0): Circuit =>
  [...outcomes].reduce((before, letter) => {
    const outcome = letter === "s" ? "Success" : letter === "f" ? "Failure" : "Ignored";
    return recorded(before, { generation: before.generation, outcome }, rules, act(atMillis));
  }, circuit);

const opened = after(closedCircuit, "fffff");

describe("a circuit", () => {
  it.each(["ffff", "fffffs".slice(0, 4), "ffffsffff", "ffffiiiisffff", "ssss", "iiiiii"])(
    "stays closed after %s",
    (outcomes) => {
      expect(after(closedCircuit, outcomes).state).toBe("CLOSED");
    },
  );

  it("opens at its threshold and says until when", () => {
    expect(opened).toMatchObject({ state: "OPEN", failures: 5, untilMillis: 60_000, generation: 1 });
    expect(after(closedCircuit, "ffffiif").state).toBe("OPEN");
  });

  it("rejects everything until its time is over, then lets one probe", () => {
    expect(admits(opened, 59_999)).toBe(false);
    expect(probing(opened, probeForMillis, act(59_999))).toBe(opened);
    const half = probing(opened, probeForMillis, act(60_000));
    expect(half).toMatchObject({ state: "HALF_OPEN", successes: 0, untilMillis: 90_000 });
    expect(mayProbe(half, 60_001)).toBe(false);
    expect(mayProbe(half, 90_000)).toBe(true);
  });

  it("closes after as many successes as it needs, and opens again after one failure", () => {
    const half = probing(opened, probeForMillis, act(60_000));
    const once = after(half, "s");
    expect(once).toMatchObject({ state: "HALF_OPEN", successes: 1 });
    expect(mayProbe(once, 60_001)).toBe(true);
    const twice = after(probing(once, probeForMillis, act(60_001)), "s");
    expect(twice).toMatchObject({ state: "CLOSED", failures: 0, successes: 0 });
    expect(after(probing(once, probeForMillis, act(60_001)), "f", 60_002)).toMatchObject({
      state: "OPEN",
      untilMillis: 120_002,
    });
  });

  it("counts an outcome only in the generation it was admitted in", () => {
    const half = probing(opened, probeForMillis, act(60_000));
    for (const outcome of ["Success", "Failure", "Ignored"] as const) {
      expect(recorded(half, { generation: opened.generation, outcome }, rules, act(60_000))).toBe(half);
    }
  });

  it("heard of from a clock that is ahead lasts no longer than it may", () => {
    expect(heard(opened, rules.openForMillis, -500_000).untilMillis).toBe(-440_000);
    expect(heard(opened, rules.openForMillis, 10)).toBe(opened);
  });

  it("is not believed where it counts below nothing: it would not open", () => {
    expect(readCircuit(JSON.stringify(opened))).toEqual(opened);
    for (const counter of ["failures", "successes", "generation"]) {
      expect(readCircuit(JSON.stringify({ ...opened, [counter]: -1 }))).toBeUndefined();
    }
  });

  it("never skips a state, and its generation never falls, whatever comes", () => {
    const steps = fc.array(
      fc.record({
        what: fc.constantFrom("Success", "Failure", "Ignored", "probe"),
        laterMillis: fc.integer({ min: 0, max: 70_000 }),
        stale: fc.boolean(),
      }),
    );
    const legal = {
      CLOSED: ["CLOSED", "OPEN"],
      OPEN: ["OPEN", "HALF_OPEN"],
      HALF_OPEN: ["HALF_OPEN", "OPEN", "CLOSED"],
    };
    fc.assert(
      fc.property(steps, (list) => {
        let circuit = closedCircuit;
        let at = 0;
        for (const { what, laterMillis, stale } of list) {
          at += laterMillis;
          const before = circuit;
          const generation = circuit.generation - (stale ? 1 : 0);
          circuit =
            what === "probe"
              ? probing(circuit, probeForMillis, act(at))
              : recorded(circuit, { generation, outcome: what as "Success" }, rules, act(at));
          expect(legal[before.state]).toContain(circuit.state);
          expect(circuit.generation).toBeGreaterThanOrEqual(before.generation);
          if (stale && what !== "probe") expect(circuit).toBe(before);
          expect(circuit.failures).toBeLessThanOrEqual(rules.failureThreshold);
          expect(circuit.successes).toBeLessThan(rules.successThreshold);
        }
      }),
    );
  });
});
