/** The circuits that all nodes share: read, written under condition, and heard of when anybody may have written one. */
import { Context, Data, type Effect } from "effect";
import type { Circuit } from "./Breakers.ts";

/** The shared circuits cannot be reached, or did not answer in time; a write may have been taken all the same. */
export class SharedCircuitsUnavailable extends Data.TaggedError("SharedCircuitsUnavailable")<{
  readonly cause: unknown;
}> {}

/** `revision` 0 and no circuit: nothing was ever written under the key. */
export interface SharedCircuit {
  readonly circuit: Circuit | undefined;
  readonly revision: number;
}

export class SharedCircuits extends Context.Service<
  SharedCircuits,
  {
    readonly read: (key: string) => Effect.Effect<SharedCircuit, SharedCircuitsUnavailable>;
    /** The revision of what was written; undefined where it is not at the given one any more. */
    readonly write: (
      key: string,
      circuit: Circuit,
      revision: number,
    ) => Effect.Effect<number | undefined, SharedCircuitsUnavailable>;
    readonly keys: Effect.Effect<ReadonlyArray<string>, SharedCircuitsUnavailable>;
    /** Calls back for each key that may have changed, and without one after it could not be heard for a while. */
    readonly onChange: (listener: (key?: string) => void) => () => void;
  }
>()("@aegispay/runtime/SharedCircuits") {}
