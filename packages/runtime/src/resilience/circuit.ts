/**
 * How a circuit comes from one state to the next. Pure: time and who acts are data.
 *
 *     CLOSED ──failureThreshold failures in a row──▶ OPEN ──openForMillis──▶ HALF_OPEN ──successThreshold successes──▶ CLOSED
 *                                                      ▲                        │
 *                                                      └────────one failure─────┘
 *
 * 1. In HALF_OPEN one call is under way at a time over all nodes, the probe; its slot is free again when it has ended, and
 *    when the time it may take is over.
 * 2. Each change of state, and each probe, has a generation of its own: an outcome counts only in the one it was admitted in.
 */
import type { Circuit } from "./Breakers.ts";

export const closedCircuit: Circuit = {
  state: "CLOSED",
  failures: 0,
  successes: 0,
  sinceMillis: 0,
  generation: 0,
  by: "",
};

/** Who changes it, and when, in milliseconds since the epoch. */
export interface Act {
  readonly atMillis: number;
  readonly by: string;
}

export interface CircuitRules {
  readonly failureThreshold: number;
  readonly successThreshold: number;
  readonly openForMillis: number;
}

const moved = ({ generation }: Circuit, state: Circuit["state"], { atMillis, by }: Act): Circuit => ({
  state,
  failures: 0,
  successes: 0,
  sinceMillis: atMillis,
  generation: generation + 1,
  by,
});

const opened = (circuit: Circuit, { openForMillis }: CircuitRules, act: Act): Circuit => ({
  ...moved(circuit, "OPEN", act),
  failures: circuit.failures,
  untilMillis: act.atMillis + openForMillis,
});

const withoutProbe = ({ untilMillis: _untilMillis, ...circuit }: Circuit): Circuit => circuit;

/** Whether the next call may find out how the gateway is: the open time is over, or no probe is under way. */
export const mayProbe = ({ state, untilMillis = 0 }: Circuit, atMillis: number): boolean =>
  state !== "CLOSED" && atMillis >= untilMillis;

/** Whether a call that is brought at that moment is let through. */
export const admits = (circuit: Circuit, atMillis: number): boolean =>
  circuit.state === "CLOSED" || mayProbe(circuit, atMillis);

/** A call is let through to probe; the same circuit where none may. */
export const probing = (circuit: Circuit, probeForMillis: number, act: Act): Circuit =>
  mayProbe(circuit, act.atMillis)
    ? {
        ...moved(circuit, "HALF_OPEN", act),
        ...(circuit.state === "HALF_OPEN"
          ? { successes: circuit.successes, sinceMillis: circuit.sinceMillis }
          : undefined),
        untilMillis: act.atMillis + probeForMillis,
      }
    : circuit;

/** What came of a call that was admitted in the generation; the same circuit where that changes nothing. */
export const recorded = (
  circuit: Circuit,
  { generation, outcome }: { readonly generation: number; readonly outcome: "Success" | "Failure" | "Ignored" },
  rules: CircuitRules,
  act: Act,
): Circuit => {
  if (circuit.generation !== generation || circuit.state === "OPEN") return circuit;
  const { state, failures, successes } = circuit;
  if (state === "CLOSED") {
    if (outcome === "Ignored" || (outcome === "Success" && failures === 0)) return circuit;
    if (outcome === "Success") return { ...circuit, failures: 0, by: act.by };
    const counted = { ...circuit, failures: failures + 1, by: act.by };
    return counted.failures >= rules.failureThreshold ? opened(counted, rules, act) : counted;
  }
  switch (outcome) {
    case "Ignored":
      return withoutProbe(circuit);
    case "Failure":
      return opened({ ...circuit, failures: 1 }, rules, act);
    case "Success":
      return successes + 1 >= rules.successThreshold
        ? moved(circuit, "CLOSED", act)
        : { ...withoutProbe(circuit), successes: successes + 1, by: act.by };
  }
};

/** As heard from another node, whose clock may be ahead of ours: nothing lasts longer from now on than it may at most. */
export const heard = (circuit: Circuit, lastsMillis: number, atMillis: number): Circuit =>
  circuit.untilMillis === undefined || circuit.untilMillis <= atMillis + lastsMillis
    ? circuit
    : { ...circuit, untilMillis: atMillis + lastsMillis };
