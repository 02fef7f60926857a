import { defaultLimits } from "@aegispay/gateways/configuration/Limits";
import { ShardShares, type Visit } from "@aegispay/runtime/resilience/ShardShares";
import { describe, expect, it } from "@effect/vitest";
import { Clock, Effect, Fiber } from "effect";
import { TestClock } from "effect/testing";

const window = 128;
const visit = (changes: Partial<Visit> = {}): Visit => ({
  shard: 0,
  gateway: "north",
  merchant: "shop",
  isLookUp: false,
  ...changes,
});

const make = Effect.map(
  Clock.Clock,
  (clock) =>
    new ShardShares(
      window,
      () => defaultLimits,
      () => clock.currentTimeMillisUnsafe(),
    ),
);

/** Enters until it is held back; answers how many entered, and why the next one did not. */
const fill = Effect.fnUntraced(function* (shares: ShardShares, visits: (index: number) => Visit) {
  yield* shares.enter(visits(0));
  // Nothing comes free any more.
  yield* TestClock.adjust(1_000);
  for (let entered = 1; ; entered++) {
    const full = yield* shares.enter(visits(entered));
    if (full !== undefined) return { entered, full };
  }
});

describe("the shares of a shard", () => {
  it.effect("keep one gateway below half of the window, and a quarter of that for look-ups", () =>
    Effect.gen(function* () {
      const shares = yield* make;
      const each = (index: number) => visit({ merchant: `m${index}` });
      const money = yield* fill(shares, each);
      expect(money).toEqual({ entered: 47, full: "gatewayShare" });
      const lookUps = yield* fill(shares, (index) => ({ ...each(1_000 + index), isLookUp: true }));
      expect(money.entered + lookUps.entered).toBe(62);
      expect(62).toBeLessThan(window / 2);
    }),
  );

  it.effect("keep one merchant to a quarter, so that others have places at its gateway", () =>
    Effect.gen(function* () {
      const shares = yield* make;
      expect(yield* fill(shares, () => visit())).toEqual({ entered: 24, full: "merchantShare" });
      expect(yield* shares.enter(visit({ merchant: "another" }))).toBeUndefined();
      expect(shares.isCrowded(visit())).toBe(true);
      expect(shares.isCrowded(visit({ merchant: "another" }))).toBe(false);
    }),
  );

  it.effect("of one gateway and of one shard are nothing to another", () =>
    Effect.gen(function* () {
      const shares = yield* make;
      yield* fill(shares, (index) => visit({ merchant: `m${index}` }));
      expect(yield* shares.enter(visit({ gateway: "south" }))).toBeUndefined();
      expect(yield* shares.enter(visit({ shard: 1 }))).toBeUndefined();
    }),
  );

  it.effect("are waited for where places come free, first come first served", () =>
    Effect.gen(function* () {
      const shares = yield* make;
      yield* fill(shares, () => visit());
      shares.leave(visit());
      expect(yield* shares.enter(visit())).toBeUndefined();
      const first = yield* Effect.forkChild(shares.enter(visit()));
      const second = yield* Effect.forkChild(shares.enter(visit()));
      yield* Effect.yieldNow;
      shares.leave(visit());
      expect(yield* Fiber.join(first)).toBeUndefined();
      yield* TestClock.adjust(1_000);
      expect(yield* Fiber.join(second)).toBe("merchantShare");
    }),
  );

  it.effect("give a look-up its place as soon as it comes free, however many charges wait before it", () =>
    Effect.gen(function* () {
      const shares = yield* make;
      const asking = (index: number) => visit({ merchant: `m${index}`, isLookUp: true });
      expect(yield* fill(shares, asking)).toEqual({ entered: 62, full: "gatewayShare" });
      shares.leave(asking(0));
      yield* shares.enter(asking(0));
      const charges = yield* Effect.forEach(Array.from({ length: 60 }), (_, index) =>
        Effect.forkChild(shares.enter(visit({ merchant: `m${index}` }))),
      );
      const lookUp = yield* Effect.forkChild(shares.enter(asking(100)));
      yield* Effect.yieldNow;
      shares.leave(asking(0));
      yield* TestClock.adjust(1_000);
      expect(yield* Fiber.join(lookUp)).toBeUndefined();
      for (const charge of charges) expect(yield* Fiber.join(charge)).toBe("gatewayShare");
    }),
  );

  it.effect("count right when the only place is given on, left and taken again all at once", () =>
    Effect.gen(function* () {
      const clock = yield* Clock.Clock;
      const limits = { ...defaultLimits, gatewayShare: 0.01 };
      const shares = new ShardShares(
        window,
        () => limits,
        () => clock.currentTimeMillisUnsafe(),
      );
      yield* shares.enter(visit());
      const hasty = yield* Effect.forkChild(
        Effect.gen(function* () {
          yield* shares.enter(visit({ merchant: "hasty" }));
          shares.leave(visit({ merchant: "hasty" }));
          yield* shares.enter(visit({ merchant: "hasty" }));
        }),
      );
      yield* Effect.yieldNow;
      shares.leave(visit());
      yield* Fiber.join(hasty);
      expect(shares.isCrowded(visit())).toBe(true);
    }),
  );

  it.effect("have nobody wait for what does not move, nor forget who left while waiting", () =>
    Effect.gen(function* () {
      const shares = yield* make;
      yield* fill(shares, () => visit());
      shares.leave(visit());
      yield* shares.enter(visit());
      const waiting = yield* Effect.forkChild(shares.enter(visit()));
      yield* Effect.yieldNow;
      yield* Fiber.interrupt(waiting);
      yield* TestClock.adjust(251);
      expect(yield* shares.enter(visit())).toBe("merchantShare");
      // The place goes to nobody who is gone.
      shares.leave(visit());
      expect(shares.isCrowded(visit())).toBe(false);
    }),
  );
});
