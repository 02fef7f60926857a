/**
 * The port of what is known about payments that were being tried when a process ended: how often each was. Kept for ever,
 * in a place that outlives leases and consumers: delivery counts begin anew with each epoch (facts/nats.md).
 */
import { Context, Data, type Effect } from "effect";

/** By payment, `<merchant>/<payment>`: how often it was being tried when its process ended. */
export type Marks = ReadonlyMap<string, number>;

/** What is stored of a shard. */
export interface ShardSuspects {
  readonly marks: Marks;
  /** When owners of the shard ended without having let go, in milliseconds since the epoch; the latest. */
  readonly ends: ReadonlyArray<number>;
}

/** Marks to be set; undefined removes one. Those that are not named stay as they are, whoever set them. */
export type MarkChanges = ReadonlyMap<string, number | undefined>;

const changedMarks = (marks: Marks, changes: MarkChanges): Marks => {
  const changed = new Map(marks);
  for (const [payment, mark] of changes) {
    if (mark === undefined) changed.delete(payment);
    else changed.set(payment, mark);
  }
  return changed;
};

/** As many ends are kept of a shard. */
const endsMax = 32;

export const changedSuspects = (before: ShardSuspects, changes: MarkChanges, endedAt?: number): ShardSuspects => ({
  marks: changedMarks(before.marks, changes),
  ends: endedAt === undefined ? before.ends : [...before.ends, endedAt].slice(-endsMax),
});

export class SuspectsUnavailable extends Data.TaggedError("SuspectsUnavailable")<{ readonly cause: unknown }> {}

export class Suspects extends Context.Service<
  Suspects,
  {
    readonly read: (shard: number) => Effect.Effect<ShardSuspects, SuspectsUnavailable>;
    /**
     * Done when it is durable; answers what now stands. An operator may change other marks meanwhile. `endedAt`: an owner's
     * end that has just been found.
     */
    readonly update: (
      shard: number,
      changes: MarkChanges,
      endedAt?: number,
    ) => Effect.Effect<ShardSuspects, SuspectsUnavailable>;
  }
>()("@aegispay/runtime/Suspects") {}
