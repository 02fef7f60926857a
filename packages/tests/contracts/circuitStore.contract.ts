/** What a store of circuits holds that all nodes share (CircuitStore.ts), whatever they are kept in. */
import { expect, layer } from "@effect/vitest";
import { Cause, Duration, Effect, Exit, Option, type Layer } from "effect";
import { CircuitBreaker } from "effect/persistence";
import { CircuitStoreHarness, probeForMillis, rules, type Store } from "./circuitStoreHarness.ts";
import { until } from "./eventLogHarness.ts";

const { failureThreshold, openForMillis } = rules;

let circuits = 0;
/** A circuit that no other test knows. */
const newKey = (): string => `north${++circuits}.default.money`;

/** A call that comes to the outcome: answers how it was admitted, or why not. */
const call = (store: Store, key: string, outcome: "Success" | "Failure" | "Ignored") =>
  Effect.scoped(
    Effect.gen(function* () {
      const admitted = yield* Effect.exit(store.admit(key));
      if (Exit.isFailure(admitted)) {
        return Option.getOrThrow(Cause.findErrorOption(admitted.cause)).reason._tag;
      }
      const { generation, probe } = admitted.value;
      yield* store.record({
        key,
        generation,
        outcome,
        tripPolicy: CircuitBreaker.consecutive(failureThreshold),
        openFor: Duration.millis(openForMillis),
      });
      return probe ? "probe" : "call";
    }),
  ).pipe(Effect.orDie);

const times = (count: number, run: Effect.Effect<unknown>) => Effect.repeat(run, { times: count - 1 });

const stateOf = (store: Store, key: string) => Effect.map(Effect.orDie(store.state(key)), ({ _tag }) => _tag);

const becomes = (store: Store, key: string, state: CircuitBreaker.State["_tag"]) =>
  until(
    `it is ${state}`,
    Effect.map(stateOf(store, key), (found) => found === state),
  );

/** Opened by the first node, and its open time over. */
const opened = Effect.fnUntraced(function* (key: string) {
  const { nodes } = yield* CircuitStoreHarness;
  yield* times(failureThreshold, call(nodes[0], key, "Failure"));
  for (const node of nodes) yield* becomes(node, key, "Open");
  yield* Effect.sleep(openForMillis + 10);
});

export const circuitStoreContract = <E>(name: string, harness: Layer.Layer<CircuitStoreHarness, E>) => {
  layer(harness, { excludeTestServices: true, timeout: "60 seconds" })(`${name} as a store of circuits`, (it) => {
    it.effect("writes nothing while calls succeed, whoever makes them", () =>
      Effect.gen(function* () {
        const { nodes, shared, writes } = yield* CircuitStoreHarness;
        const key = newKey();
        const before = yield* writes;
        for (const node of nodes) yield* times(100, call(node, key, "Success"));
        expect(yield* call(nodes[0], key, "Ignored")).toBe("call");
        expect(yield* shared(key)).toBeUndefined();
        expect(yield* writes).toBe(before);
      }),
    );

    it.effect("opens after so many failures in a row, for every node", () =>
      Effect.gen(function* () {
        const { nodes, shared } = yield* CircuitStoreHarness;
        const key = newKey();
        yield* times(failureThreshold - 1, call(nodes[0], key, "Failure"));
        expect(yield* stateOf(nodes[0], key)).toBe("Closed");
        expect(yield* call(nodes[0], key, "Failure")).toBe("call");
        expect(yield* call(nodes[0], key, "Success")).toBe("CircuitOpen");
        yield* becomes(nodes[1], key, "Open");
        expect(yield* call(nodes[1], key, "Success")).toBe("CircuitOpen");
        expect(yield* shared(key)).toMatchObject({ state: "OPEN", failures: failureThreshold, by: "node-0" });
      }),
    );

    it.effect("counts the failures of all nodes together", () =>
      Effect.gen(function* () {
        const { nodes, shared } = yield* CircuitStoreHarness;
        const key = newKey();
        for (let count = 1; count < failureThreshold; count++) {
          yield* call(nodes[count % 2]!, key, "Failure");
          yield* until(
            `${count} are counted`,
            Effect.map(shared(key), (circuit) => circuit?.failures === count),
          );
        }
        yield* call(nodes[failureThreshold % 2]!, key, "Failure");
        for (const node of nodes) yield* becomes(node, key, "Open");
      }),
    );

    it.effect("loses no failure of nodes that count at the same moment", () =>
      Effect.gen(function* () {
        const { nodes } = yield* CircuitStoreHarness;
        const key = newKey();
        const half = Math.ceil(failureThreshold / 2);
        yield* Effect.forEach(nodes, (node) => times(half, call(node, key, "Failure")), { concurrency: "unbounded" });
        for (const node of nodes) yield* becomes(node, key, "Open");
      }),
    );

    it.effect("begins to count anew after a success, and after a call that says nothing it does not", () =>
      Effect.gen(function* () {
        const { nodes, shared } = yield* CircuitStoreHarness;
        const key = newKey();
        yield* times(failureThreshold - 1, call(nodes[0], key, "Failure"));
        yield* call(nodes[0], key, "Success");
        yield* times(failureThreshold - 1, call(nodes[0], key, "Failure"));
        expect(yield* stateOf(nodes[0], key)).toBe("Closed");
        yield* call(nodes[0], key, "Ignored");
        yield* until(
          "it is counted",
          Effect.map(shared(key), (circuit) => circuit?.failures === failureThreshold - 1),
        );
        yield* call(nodes[0], key, "Failure");
        expect(yield* stateOf(nodes[0], key)).toBe("Open");
      }),
    );

    it.effect("lets one call probe when the open time is over, over all nodes", () =>
      Effect.gen(function* () {
        const { nodes } = yield* CircuitStoreHarness;
        const key = newKey();
        yield* opened(key);
        const admissions = yield* Effect.forEach(
          [nodes[0], nodes[1], nodes[0], nodes[1], nodes[0], nodes[1]],
          (node) => Effect.result(node.admit(key)),
          { concurrency: "unbounded" },
        );
        expect(admissions.filter(({ _tag }) => _tag === "Success")).toHaveLength(1);
      }).pipe(Effect.scoped),
    );

    it.effect("closes after so many successes in a row, and no sooner", () =>
      Effect.gen(function* () {
        const { nodes, shared } = yield* CircuitStoreHarness;
        const key = newKey();
        yield* opened(key);
        expect(yield* call(nodes[0], key, "Success")).toBe("probe");
        expect(yield* stateOf(nodes[0], key)).toBe("HalfOpen");
        yield* until(
          "the first is counted",
          Effect.map(shared(key), (circuit) => circuit?.successes === 1),
        );
        yield* becomes(nodes[1], key, "HalfOpen");
        yield* until(
          "the slot is free",
          Effect.map(call(nodes[1], key, "Success"), (how) => how === "probe"),
        );
        for (const node of nodes) yield* becomes(node, key, "Closed");
        expect(yield* call(nodes[0], key, "Success")).toBe("call");
      }),
    );

    it.effect("opens again after one failure while it is half open", () =>
      Effect.gen(function* () {
        const { nodes } = yield* CircuitStoreHarness;
        const key = newKey();
        yield* opened(key);
        expect(yield* call(nodes[1], key, "Failure")).toBe("probe");
        expect(yield* call(nodes[1], key, "Success")).toBe("CircuitOpen");
        yield* until(
          "the other hears of it",
          Effect.map(call(nodes[0], key, "Success"), (how) => how === "CircuitOpen"),
        );
      }),
    );

    it.effect("gives the slot of a probe that never ended to another", () =>
      Effect.gen(function* () {
        const { nodes } = yield* CircuitStoreHarness;
        const key = newKey();
        yield* opened(key);
        yield* nodes[0].admit(key);
        yield* becomes(nodes[1], key, "HalfOpen");
        expect(yield* call(nodes[1], key, "Success")).toBe("CircuitHalfOpen");
        yield* Effect.sleep(probeForMillis + 10);
        expect(yield* call(nodes[1], key, "Success")).toBe("probe");
      }).pipe(Effect.scoped),
    );

    it.effect("frees the slot of a probe that says nothing", () =>
      Effect.gen(function* () {
        const { nodes } = yield* CircuitStoreHarness;
        const key = newKey();
        yield* opened(key);
        expect(yield* call(nodes[0], key, "Ignored")).toBe("probe");
        expect(yield* call(nodes[0], key, "Success")).toBe("probe");
      }),
    );

    it.effect("takes no account of a call that was admitted before it opened", () =>
      Effect.gen(function* () {
        const { nodes } = yield* CircuitStoreHarness;
        const key = newKey();
        const { generation } = yield* Effect.scoped(nodes[0].admit(key));
        yield* opened(key);
        const late = { key, generation, tripPolicy: CircuitBreaker.consecutive(1), openFor: Duration.millis(60_000) };
        yield* nodes[0].record({ ...late, outcome: "Failure" });
        expect(yield* call(nodes[0], key, "Success")).toBe("probe");
        yield* nodes[0].record({ ...late, outcome: "Success" });
        expect(yield* stateOf(nodes[0], key)).toBe("HalfOpen");
      }),
    );

    it.effect("of a node that is cut off goes by its own circuit, and is everybody's again when it is back", () =>
      Effect.gen(function* () {
        const { nodes, shared, cutOff, reconnect } = yield* CircuitStoreHarness;
        const key = newKey();
        yield* cutOff;
        yield* times(failureThreshold, call(nodes[0], key, "Failure"));
        expect(yield* call(nodes[0], key, "Success")).toBe("CircuitOpen");
        expect(yield* call(nodes[1], key, "Success")).toBe("call");
        yield* Effect.sleep(openForMillis + 10);
        expect(yield* call(nodes[0], key, "Failure")).toBe("probe");
        expect(yield* call(nodes[0], key, "Success")).toBe("CircuitOpen");
        yield* reconnect;
        yield* until(
          "the others hear of it",
          Effect.map(shared(key), (circuit) => circuit?.state === "OPEN"),
        );
        yield* becomes(nodes[1], key, "Open");
      }),
    );

    it.effect("of a node that was cut off is what others have made of it meanwhile", () =>
      Effect.gen(function* () {
        const { nodes, shared, cutOff, reconnect } = yield* CircuitStoreHarness;
        const key = newKey();
        yield* cutOff;
        yield* times(failureThreshold, call(nodes[0], key, "Failure"));
        yield* call(nodes[1], key, "Failure");
        yield* until(
          "the other has counted",
          Effect.map(shared(key), (circuit) => circuit?.failures === 1),
        );
        yield* reconnect;
        yield* becomes(nodes[0], key, "Closed");
        expect(yield* shared(key)).toMatchObject({ state: "CLOSED", failures: 1, by: "node-1" });
      }),
    );
  });
};
