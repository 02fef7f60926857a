/** The breakers of this node: what they say to routing, to people (log) and to machines (metrics). */
import { Gateways } from "@aegispay/gateways/Gateway";
import { defaultResilience, type Resilience } from "@aegispay/gateways/configuration/Resilience";
import { Clock, Effect, Layer } from "effect";
import { Settings } from "../config/RuntimeSettings.ts";
import { count, metric, set } from "../metrics/Metrics.ts";
import { Breakers, circuitKey, type Circuit } from "./Breakers.ts";
import { admits } from "./circuit.ts";
import { Circuits, layerCircuitStore } from "./CircuitStore.ts";

/** Longer than the longest call: a connection may take 10 s, an answer another 10 s, and 25 s end it in any case. */
const probeForMillis = 30_000;

const stateNumber = { CLOSED: 0, HALF_OPEN: 1, OPEN: 2 } as const;

/** The three names in the key of a circuit. */
const namesIn = (key: string): readonly [gateway: string, account: string, circuit: string] => {
  const [gateway = "", account = "", circuit = ""] = key.split(".");
  return [gateway, account, circuit];
};

const inWords = (key: string, { state, by, failures, untilMillis = 0 }: Circuit, atMillis: number): string => {
  const [gateway, account, kind] = namesIn(key);
  const circuit = `breaker ${kind} of ${gateway} (account ${account})`;
  switch (state) {
    case "OPEN":
      return `${circuit} is open for ${untilMillis - atMillis} ms after ${failures} failure(s) in a row, says ${by}`;
    case "HALF_OPEN":
      return `${circuit} is half open: ${by} finds out how the gateway is`;
    case "CLOSED":
      return `${circuit} is closed again, says ${by}`;
  }
};

const layerStore = Layer.unwrap(
  Effect.gen(function* () {
    const { nodeId } = yield* Settings;
    const gateways = yield* Gateways;
    const clock = yield* Clock.Clock;
    const fork = Effect.runForkWith(yield* Effect.context());
    let isReached = true;
    const rulesOf = (key: string): Resilience => {
      const [gateway, account] = namesIn(key);
      return gateways.resilience?.(gateway, account) ?? defaultResilience;
    };
    const onMoved = (key: string, before: Circuit, after: Circuit): void => {
      if (before.state === after.state) return;
      const names = namesIn(key);
      set(metric.breakerState(...names), stateNumber[after.state]);
      if (after.by === nodeId) count(metric.breakerTransitions(...names, after.state));
      const line = inWords(key, after, clock.currentTimeMillisUnsafe());
      fork(after.state === "OPEN" ? Effect.logWarning(line) : Effect.logInfo(line));
    };
    const onReached = (reached: boolean): void => {
      if (reached === isReached) return;
      isReached = reached;
      fork(
        reached
          ? Effect.logInfo("the shared circuit breakers are reached again")
          : Effect.logWarning("the shared circuit breakers are not reached: this node goes by its own"),
      );
    };
    return layerCircuitStore({ node: nodeId, rulesOf, probeForMillis, onMoved, onReached });
  }),
);

const layerService = Layer.effect(
  Breakers,
  Effect.gen(function* () {
    const circuits = yield* Circuits;
    const clock = yield* Clock.Clock;
    return Breakers.of({
      isOpen: (gateway, account) => {
        const circuit = circuits.find(circuitKey(gateway, account, "money"));
        return circuit !== undefined && !admits(circuit, clock.currentTimeMillisUnsafe());
      },
      circuits: circuits.all,
    });
  }),
);

export const layerBreakers = layerService.pipe(Layer.provideMerge(layerStore));
