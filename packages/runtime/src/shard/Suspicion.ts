/** What a process suspects of a shard it has taken over, and what convicts a payment of having ended its processes. */
import type { LeftBehind } from "../ingress/CommandQueue.ts";
import type { RecoveryCount } from "./Recovery.ts";

/** The mark that parks, where the payment was being tried whenever an owner of its shard ended. */
export const marksMax = 3;
/** Marks that convict whatever else ended owners: with them its process has ended three times while it was tried alone. */
const marksThatProve = 4;
/** Stands for: parked. */
export const parkedMark = 1_000;
/** Ends longer ago than this, in milliseconds, say nothing about those of now. */
const endsWithinMillis = 60_000;

/** What this process suspects of a shard, over all its lives here. */
export interface Suspicion {
  readonly leftBehind: LeftBehind;
  readonly count: RecoveryCount;
  /** Of what was left behind, what has been dealt with: a redelivery is not counted again. */
  readonly resolved: Set<string>;
  /** Whether the stored marks have been read. */
  isRead: boolean;
  /** As they are stored, less what has survived since, as far as this process knows. */
  marks: Map<string, number>;
  /** When owners of the shard ended. */
  ends: ReadonlyArray<number>;
  /** What is to be stored; undefined: forgotten. */
  readonly changes: Map<string, number | undefined>;
  /** Payments that have survived here: no longer suspect. */
  readonly cleared: Set<string>;
}

/**
 * A payment was in flight at one end unmarked, and at one more for each mark. Where owners ended oftener than that, something
 * else ends them too: a person with `kill -9`, an upgrade, a machine without memory. Then it takes more to convict it.
 */
export const isGuilty = (marks: number, ends: ReadonlyArray<number>, nowMillis: number): boolean => {
  const lately = ends.filter((at) => at > nowMillis - endsWithinMillis).length;
  return marks >= marksThatProve || (marks + 1 >= marksMax && marks + 1 >= lately);
};
