import { MemoryCircuitBucket } from "@aegispay/runtime/resilience/MemorySharedCircuits";
import { describe, expect, it } from "@effect/vitest";
import { Duration, Effect, Layer } from "effect";
import { CircuitBreaker } from "effect/persistence";
import { circuitStoreContract } from "./circuitStore.contract.ts";
import { CircuitStoreHarness, openStore, rules } from "./circuitStoreHarness.ts";
import { until } from "./eventLogHarness.ts";

const make = Effect.gen(function* () {
  const bucket = new MemoryCircuitBucket();
  return CircuitStoreHarness.of({
    nodes: [yield* openStore("node-0", bucket.layerOf("node-0")), yield* openStore("node-1", bucket.layerOf("node-1"))],
    shared: (key) => Effect.sync(() => bucket.get(key)),
    writes: Effect.sync(() => bucket.writes),
    cutOff: Effect.sync(() => void bucket.unreachableBy.add("node-0")),
    reconnect: Effect.sync(() => bucket.reachable("node-0")),
  });
});

circuitStoreContract("memory", Layer.effect(CircuitStoreHarness, make));

describe("the memory bucket's faults", () => {
  it.live("let an answer be lost: the write that was taken is found again, and counted once", () =>
    Effect.gen(function* () {
      const bucket = new MemoryCircuitBucket();
      const store = yield* openStore("node-0", bucket.layerOf("node-0"));
      const fail = (generation: number) =>
        store.record({
          key: "north.default.money",
          generation,
          outcome: "Failure",
          tripPolicy: CircuitBreaker.consecutive(rules.failureThreshold),
          openFor: Duration.millis(60_000),
        });
      bucket.losesAnswerOf.add("node-0");
      yield* fail(0);
      yield* until(
        "it is taken",
        Effect.sync(() => bucket.get("north.default.money")?.failures === 1),
      );
      bucket.reachable("node-0");
      yield* Effect.sleep(50);
      yield* fail(0);
      yield* until(
        "the next is counted on top of it",
        Effect.sync(() => bucket.get("north.default.money")?.failures === 2),
      );
      expect(yield* store.state("north.default.money")).toMatchObject({ _tag: "Closed" });
    }).pipe(Effect.scoped),
  );
});
