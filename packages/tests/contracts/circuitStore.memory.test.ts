import { MemoryCircuitBucket } from "@aegispay/runtime/resilience/MemorySharedCircuits";
import { describe, expect, it } from "@effect/vitest";
import { Duration, Effect, Fiber, Layer } from "effect";
import { CircuitBreaker } from "effect/persistence";
import { TestClock } from "effect/testing";
import { circuitStoreContract } from "./circuitStore.contract.ts";
import { CircuitStoreHarness, openStore, probeForMillis, rules } from "./circuitStoreHarness.ts";
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

describe("a clock that is set back by an hour", () => {
  const key = "north.default.money";
  const hourMillis = 3_600_000;
  const opened = Effect.gen(function* () {
    yield* TestClock.adjust(hourMillis);
    const bucket = new MemoryCircuitBucket();
    const store = yield* openStore("node-0", bucket.layerOf("node-0"));
    const openFor = Duration.millis(rules.openForMillis);
    yield* store.record({
      key,
      generation: 0,
      outcome: "Failure",
      tripPolicy: CircuitBreaker.consecutive(1),
      openFor,
    });
    yield* TestClock.adjust(100);
    return { store, bucket };
  });

  it.effect("keeps an open circuit open for no longer than it may be", () =>
    Effect.gen(function* () {
      const { store, bucket } = yield* opened;
      expect(bucket.get(key)).toMatchObject({ state: "OPEN", untilMillis: hourMillis + rules.openForMillis });
      yield* TestClock.setTime(0);
      expect(yield* store.state(key)).toMatchObject({ retryAfter: Duration.millis(rules.openForMillis) });
      bucket.reachable("node-0");
      yield* TestClock.setTime(rules.openForMillis - 1);
      expect(yield* Effect.result(store.admit(key))).toMatchObject({ _tag: "Failure" });
      yield* TestClock.setTime(rules.openForMillis);
      expect(yield* store.admit(key)).toMatchObject({ probe: true });
      expect(bucket.get(key)).toMatchObject({ state: "HALF_OPEN" });
    }).pipe(Effect.scoped),
  );

  it.effect("keeps the slot of a probe for no longer than it may be kept", () =>
    Effect.gen(function* () {
      const { store } = yield* opened;
      yield* TestClock.adjust(rules.openForMillis);
      expect(yield* store.admit(key)).toMatchObject({ probe: true });
      yield* TestClock.setTime(0);
      expect(yield* Effect.result(store.admit(key))).toMatchObject({ _tag: "Failure" });
      yield* TestClock.setTime(probeForMillis);
      const next = yield* Effect.forkChild(store.admit(key), { startImmediately: true });
      yield* TestClock.adjust(100);
      expect(yield* Fiber.join(next)).toMatchObject({ probe: true });
    }).pipe(Effect.scoped),
  );
});
