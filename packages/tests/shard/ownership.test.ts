import { defaultSettings, Settings } from "@aegispay/runtime/config/RuntimeSettings";
import { layerOwnership, Ownership } from "@aegispay/runtime/shard/Ownership";
import { Clock, Effect, Layer } from "effect";
import { describe, expect, it } from "vitest";

const leaseTtlMillis = 9_000;
const usableMillis = 6_000;

/** Two clocks that a test moves by hand, each for itself: a wall clock can be set, a monotonic one cannot. */
const handClock = () => {
  const at = { wallMillis: 1_767_323_045_000, monotonicMillis: 500 };
  const clock: Clock.Clock = {
    currentTimeMillisUnsafe: () => at.wallMillis,
    currentTimeMillis: Effect.sync(() => at.wallMillis),
    currentTimeNanosUnsafe: () => BigInt(at.wallMillis) * 1_000_000n,
    currentTimeNanos: Effect.sync(() => BigInt(at.wallMillis) * 1_000_000n),
    monotonicTimeNanosUnsafe: () => BigInt(at.monotonicMillis) * 1_000_000n,
    monotonicTimeNanos: Effect.sync(() => BigInt(at.monotonicMillis) * 1_000_000n),
    sleep: () => Effect.never,
  };
  return {
    clock,
    pass: (millis: number) => {
      at.wallMillis += millis;
      at.monotonicMillis += millis;
    },
    setWall: (byMillis: number) => void (at.wallMillis += byMillis),
    /** A suspended machine: only the wall clock sees how long. */
    suspend: (millis: number) => void (at.wallMillis += millis),
  };
};

const begin = () => {
  const hand = handClock();
  const ownership = Effect.runSync(
    Ownership.pipe(
      Effect.provide(
        layerOwnership.pipe(Layer.provide(Layer.succeed(Settings, { ...defaultSettings, leaseTtlMillis }))),
      ),
      Effect.provideService(Clock.Clock, hand.clock),
    ),
  );
  return { ...hand, ownership };
};

describe("a process's belief that it holds a shard", () => {
  it("begins with a lease that was won, and is for that shard alone", () => {
    const { ownership } = begin();
    expect(ownership.holds(3)).toBe(false);
    ownership.hold(3, ownership.now());
    expect([ownership.holds(3), ownership.holds(4)]).toEqual([true, false]);
    expect(ownership.held()).toEqual([3]);
  });

  it("ends at two thirds of a lease's life, a third before anyone else can win it", () => {
    const { ownership, pass } = begin();
    ownership.hold(3, ownership.now());
    pass(usableMillis - 1);
    expect(ownership.holds(3)).toBe(true);
    pass(1);
    expect(ownership.holds(3)).toBe(false);
    expect(ownership.held()).toEqual([]);
  });

  it("ages from when the request was sent, not from when its answer came", () => {
    const { ownership, pass } = begin();
    const sentAt = ownership.now();
    pass(4_000);
    ownership.hold(3, sentAt);
    pass(1_999);
    expect(ownership.holds(3)).toBe(true);
    pass(1);
    expect(ownership.holds(3)).toBe(false);
  });

  it("never begins where the answer came too late to be used", () => {
    const { ownership, pass } = begin();
    const sentAt = ownership.now();
    pass(usableMillis);
    ownership.hold(3, sentAt);
    expect(ownership.holds(3)).toBe(false);
  });

  it("begins anew with each renewal", () => {
    const { ownership, pass } = begin();
    for (let renewal = 0; renewal < 5; renewal++) {
      ownership.hold(3, ownership.now());
      pass(usableMillis - 1);
      expect(ownership.holds(3)).toBe(true);
    }
    pass(1);
    expect(ownership.holds(3)).toBe(false);
  });

  it("is not made younger by a wall clock that is set back", () => {
    const { ownership, pass, setWall } = begin();
    ownership.hold(3, ownership.now());
    setWall(-3_600_000);
    pass(usableMillis - 1);
    expect(ownership.holds(3)).toBe(true);
    pass(1);
    expect(ownership.holds(3)).toBe(false);
  });

  it("is made older by a wall clock that is set forward: better to let go too early", () => {
    const { ownership, setWall } = begin();
    ownership.hold(3, ownership.now());
    setWall(usableMillis);
    expect(ownership.holds(3)).toBe(false);
  });

  it("has ended when a frozen process wakes, whichever clock went on meanwhile", () => {
    const stopped = begin();
    stopped.ownership.hold(3, stopped.ownership.now());
    stopped.pass(30_000);
    expect(stopped.ownership.holds(3)).toBe(false);
    const suspended = begin();
    suspended.ownership.hold(3, suspended.ownership.now());
    suspended.suspend(30_000);
    expect(suspended.ownership.holds(3)).toBe(false);
  });

  it("ends at once where the shard is dropped", () => {
    const { ownership } = begin();
    for (const shard of [7, 1, 3]) ownership.hold(shard, ownership.now());
    expect(ownership.held()).toEqual([1, 3, 7]);
    ownership.drop(3);
    expect([ownership.holds(3), ownership.held()]).toEqual([false, [1, 7]]);
  });
});
