/** What surrounds the calls to a gateway, as one process has it; its circuits are tested by themselves. */
import { Gateways } from "@aegispay/gateways/Gateway";
import { resilienceOf, type ResilienceConfig } from "@aegispay/gateways/configuration/Resilience";
import { defaultSettings, Settings } from "@aegispay/runtime/config/RuntimeSettings";
import {
  GatewayProtection,
  HeldBack,
  layerGatewayProtection,
  type CallSite,
} from "@aegispay/runtime/resilience/GatewayProtection";
import { layerBreakers } from "@aegispay/runtime/resilience/layerBreakers";
import { MemoryCircuitBucket } from "@aegispay/runtime/resilience/MemorySharedCircuits";
import { Members } from "@aegispay/runtime/shard/Members";
import { describe, expect, it } from "@effect/vitest";
import { Clock, Context, Effect, Fiber, Layer } from "effect";
import { TestClock } from "effect/testing";

const site: CallSite = { gateway: "north", account: "default", circuit: "money", merchant: "shop", shard: 0 };
const charge = site;
const lookUp: CallSite = { ...site, circuit: "lookUp" };

/** Its clock may be set: timers and what is monotonic do not follow. */
const settable = (clock: Clock.Clock) => {
  let aheadMillis = 0;
  return {
    set: (millis: number) => void (aheadMillis = millis),
    clock: { ...clock, currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + aheadMillis },
  };
};

const make = Effect.fnUntraced(function* (config: ResilienceConfig = {}) {
  const resilience = resilienceOf(config);
  const { clock, set } = settable(yield* Clock.Clock);
  const fakes = Layer.mergeAll(
    Layer.succeed(Gateways, { candidates: [], find: () => undefined, resilience: () => resilience }),
    Layer.succeed(Settings, defaultSettings),
    Layer.succeed(Members, { live: () => new Set(["node-1"]), leave: Effect.void }),
    new MemoryCircuitBucket().layerOf("node-1"),
  );
  const layer = layerGatewayProtection.pipe(Layer.provide(layerBreakers), Layer.provide(fakes));
  const services = yield* Layer.build(layer).pipe(Effect.provideService(Clock.Clock, clock));
  const { around } = Context.get(services, GatewayProtection);
  let made = 0;
  /** A call that takes so long; answers how many were made before it, or what held it back. */
  const call = (at: CallSite, takesMillis = 0, leaveAloneMillis?: number) => {
    const answered = Effect.suspend(() => {
      const value = made++;
      const asked = leaveAloneMillis === undefined ? {} : { leaveAloneMillis };
      return Effect.as(Effect.sleep(takesMillis), { value, health: "Success" as const, ...asked });
    });
    return Effect.map(around(at, 0, answered), (done) =>
      done instanceof HeldBack ? { by: done.by, retryAfterMillis: done.retryAfterMillis } : done,
    );
  };
  const begin = (...args: Parameters<typeof call>) => Effect.forkChild(call(...args), { startImmediately: true });
  return { call, begin, setClock: set };
});

describe("a gateway that asks to be left alone", () => {
  it.effect("is called no sooner, and no later because the clock was set back", () =>
    Effect.gen(function* () {
      const { call, setClock } = yield* make();
      expect(yield* call(charge, 0, 60_000)).toBe(0);
      setClock(-3_600_000);
      yield* TestClock.adjust(50_000);
      expect(yield* call(charge)).toEqual({ by: "leftAlone", retryAfterMillis: 10_000 });
      yield* TestClock.adjust(10_000);
      expect(yield* call(charge)).toBe(1);
    }).pipe(Effect.scoped),
  );

  it.effect("is obeyed for the longest that it asks for, whichever answer comes last", () =>
    Effect.gen(function* () {
      const { call, begin } = yield* make();
      const asksForLess = yield* begin(charge, 100, 1_000);
      expect(yield* call(charge, 0, 60_000)).toBe(1);
      yield* TestClock.adjust(100);
      expect(yield* Fiber.join(asksForLess)).toBe(0);
      yield* TestClock.adjust(1_900);
      expect(yield* call(charge)).toEqual({ by: "leftAlone", retryAfterMillis: 58_000 });
    }).pipe(Effect.scoped),
  );

  it.effect(
    "is not called by what waited for its place meanwhile: that would be tried in vain, and count as tried",
    () =>
      Effect.gen(function* () {
        const { begin } = yield* make({ concurrentCalls: 1 });
        const turnedAway = yield* begin(charge, 1_000, 60_000);
        const waiting = yield* begin(charge);
        yield* TestClock.adjust(1_000);
        expect(yield* Fiber.join(turnedAway)).toBe(0);
        expect(yield* Fiber.join(waiting)).toEqual({ by: "leftAlone", retryAfterMillis: 60_000 });
      }).pipe(Effect.scoped),
  );
});

it.effect("a look-up does not wait behind all that its merchant has begun", () =>
  Effect.gen(function* () {
    const { begin } = yield* make({ callsPerSecond: 1, burst: 1 });
    const flood = yield* Effect.forEach(Array.from({ length: 20 }), () => begin(charge));
    const asked = yield* begin(lookUp);
    yield* TestClock.adjust(4_000);
    expect(yield* Fiber.join(asked)).toBeLessThanOrEqual(3);
    yield* Effect.forEach(flood, (fiber) => Fiber.interrupt(fiber));
  }).pipe(Effect.scoped),
);
