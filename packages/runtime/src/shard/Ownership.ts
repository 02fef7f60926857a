/**
 * Which shards this process believes to hold. A hint that saves work and calls, never the fence: the conditional append
 * decides (law 2). A lease ages by the larger of monotonic and wall time since its renewal was sent, so that a frozen
 * process or a set-back clock makes it older, never younger.
 */
import { Clock, Context, Effect, Layer } from "effect";
import { Settings } from "../config/RuntimeSettings.ts";

interface Belief {
  readonly wallMillis: number;
  readonly monotonicNanos: bigint;
}

/** A moment on both clocks. */
export type Moment = Belief;

export class Ownership extends Context.Service<
  Ownership,
  {
    readonly now: () => Moment;
    /** Notes a lease won or renewed by a request that was sent at the given moment. */
    readonly hold: (shard: number, sentAt: Moment) => void;
    readonly drop: (shard: number) => void;
    /** Whether the lease may still be used: it has lived less than two thirds of its life. */
    readonly holds: (shard: number) => boolean;
    readonly held: () => ReadonlyArray<number>;
  }
>()("@aegispay/runtime/Ownership") {}

const make = Effect.gen(function* () {
  const clock = yield* Clock.Clock;
  const { leaseTtlMillis } = yield* Settings;
  const beliefs = new Map<number, Belief>();
  const now = (): Moment => ({
    wallMillis: clock.currentTimeMillisUnsafe(),
    monotonicNanos: clock.monotonicTimeNanosUnsafe(),
  });
  const usableMillis = (leaseTtlMillis * 2) / 3;
  const holds = (shard: number): boolean => {
    const belief = beliefs.get(shard);
    if (belief === undefined) return false;
    const moment = now();
    const wallAge = moment.wallMillis - belief.wallMillis;
    const monotonicAge = Number(moment.monotonicNanos - belief.monotonicNanos) / 1e6;
    return Math.max(wallAge, monotonicAge) < usableMillis;
  };
  return Ownership.of({
    now,
    hold: (shard, sentAt) => void beliefs.set(shard, sentAt),
    drop: (shard) => void beliefs.delete(shard),
    holds,
    held: () => [...beliefs.keys()].filter(holds).toSorted((left, right) => left - right),
  });
});

export const layerOwnership = Layer.effect(Ownership, make);
