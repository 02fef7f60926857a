import { resilienceOf, type ResilienceConfig } from "@aegispay/gateways/configuration/Resilience";
import { GatewayLane } from "@aegispay/runtime/resilience/GatewayLane";
import { describe, expect, it } from "@effect/vitest";
import { Clock, Effect, Fiber } from "effect";
import { RateLimiter } from "effect/persistence";
import { TestClock } from "effect/testing";

const make = Effect.fnUntraced(function* (config: ResilienceConfig, concurrentCalls = 2, nodes = 1) {
  const limiter = yield* RateLimiter.make.pipe(Effect.provide(RateLimiter.layerStoreMemory));
  const resilience = resilienceOf(config);
  return new GatewayLane({ key: "north.default", resilience, concurrentCalls, limiter, liveNodes: () => nodes });
});

/** A call that takes a while; answers when it began, or what held it back. */
const call = (lane: GatewayLane, merchant: string, millis: number, waitMillis = 4_000) =>
  Effect.gen(function* () {
    const run = Effect.flatMap(Clock.currentTimeMillis, (began) => Effect.as(Effect.sleep(millis), began));
    return yield* lane.pass<number, string>({ merchant, waitMillis, run, heldBack: (by) => by });
  });

const forkCall = (...args: Parameters<typeof call>) => Effect.forkChild(call(...args), { startImmediately: true });

describe("the way to a gateway", () => {
  it.effect("has so many calls under way at once, and the next wait for a place", () =>
    Effect.gen(function* () {
      const lane = yield* make({});
      const calls = yield* Effect.forEach([1, 2, 3, 4], () => forkCall(lane, "shop", 1_000));
      yield* TestClock.adjust(2_000);
      expect(yield* Effect.forEach(calls, (fiber) => Fiber.join(fiber))).toEqual([0, 0, 1_000, 1_000]);
    }),
  );

  it.effect("holds back what gets no place in time", () =>
    Effect.gen(function* () {
      const lane = yield* make({}, 1);
      const first = yield* forkCall(lane, "shop", 10_000);
      const second = yield* forkCall(lane, "shop", 10, 4_000);
      yield* TestClock.adjust(4_000);
      expect(yield* Fiber.join(second)).toBe("concurrency");
      yield* TestClock.adjust(6_000);
      expect(yield* Fiber.join(first)).toBe(0);
      expect(yield* Effect.andThen(forkCall(lane, "shop", 0), Fiber.join)).toBe(10_000);
    }),
  );

  it.effect("serves merchants in turn, however many calls one of them has", () =>
    Effect.gen(function* () {
      const lane = yield* make({}, 1);
      const flood = yield* Effect.forEach(Array.from({ length: 30 }), () => forkCall(lane, "flood", 100));
      const few = yield* forkCall(lane, "shop", 100);
      yield* TestClock.adjust(300);
      const began = yield* Fiber.join(few);
      expect(began).toBeLessThanOrEqual(200);
      yield* Effect.forEach(flood, (fiber) => Fiber.interrupt(fiber));
    }),
  );

  it.effect("lets no more calls leave in a second than the gateway is to have, this node's share of it", () =>
    Effect.gen(function* () {
      const lane = yield* make({ callsPerSecond: 10, burst: 2 }, 100, 2);
      const calls = yield* Effect.forEach(Array.from({ length: 6 }), () => forkCall(lane, "shop", 0));
      yield* TestClock.adjust(1_000);
      const began = yield* Effect.forEach(calls, (fiber) => Fiber.join(fiber));
      expect(began).toEqual([0, 200, 400, 600, 800, 1_000]);
    }),
  );

  it.effect("holds back what gets no turn in time", () =>
    Effect.gen(function* () {
      const lane = yield* make({ callsPerSecond: 1 }, 100);
      const calls = yield* Effect.forEach(Array.from({ length: 4 }), () => forkCall(lane, "shop", 0, 1_500));
      yield* TestClock.adjust(10_000);
      const ends = yield* Effect.forEach(calls, (fiber) => Fiber.join(fiber));
      expect(ends.filter((end) => end === "rate").length).toBeGreaterThan(0);
      expect(ends.filter((end) => typeof end === "number").length).toBeGreaterThan(1);
    }),
  );

  it.effect("holds back at once what could have no turn in time, since many nodes share the rate", () =>
    Effect.gen(function* () {
      const lane = yield* make({ callsPerSecond: 1 }, 100, 16);
      const calls = yield* Effect.forEach([1, 2], () => forkCall(lane, "shop", 0));
      yield* TestClock.adjust(0);
      expect(yield* Effect.forEach(calls, (fiber) => Fiber.join(fiber))).toEqual([0, "rate"]);
      yield* TestClock.adjust(16_000);
      expect(yield* call(lane, "shop", 0)).toBe(16_000);
    }),
  );

  it.effect("has as many turns as before when the clock was set back", () =>
    Effect.gen(function* () {
      const clock = yield* Clock.Clock;
      let aheadMillis = 0;
      const settable = Object.assign(Object.create(clock), {
        currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + aheadMillis,
      });
      const lane = yield* make({ callsPerSecond: 10, burst: 1 }, 100);
      const made = Effect.fnUntraced(
        function* (count: number) {
          const calls = yield* Effect.forEach(Array.from({ length: count }), () => forkCall(lane, "shop", 0));
          yield* TestClock.adjust(4_000);
          const ends = yield* Effect.forEach(calls, (fiber) => Fiber.join(fiber));
          return ends.filter((end) => end !== "rate").length;
        },
        Effect.provideService(Clock.Clock, settable),
      );
      const before = yield* made(30);
      aheadMillis = -3_600_000;
      expect(yield* made(30)).toBe(before);
    }),
  );
});
