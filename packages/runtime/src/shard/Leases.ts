/**
 * The port of shard leases: who tries (never who may, law 2). Won, renewed and released only on condition of the revision
 * that was last seen.
 */
import { Context, Data, type Effect } from "effect";

export interface LeaseHolder {
  readonly node: string;
  readonly pid: number;
  readonly host: string;
  /** Fresh for each process: a respawned worker of the same name is another holder. */
  readonly incarnation: string;
}

export interface Lease {
  readonly shard: number;
  readonly revision: number;
}

export class LeasesUnavailable extends Data.TaggedError("LeasesUnavailable")<{ readonly cause: unknown }> {}

export class Leases extends Context.Service<
  Leases,
  {
    /** Wins a free lease; undefined where another holds it. One that is already mine is adopted. */
    readonly acquire: (shard: number) => Effect.Effect<Lease | undefined, LeasesUnavailable>;
    /** Undefined: another holds it, or it has expired. */
    readonly renew: (lease: Lease) => Effect.Effect<Lease | undefined, LeasesUnavailable>;
    readonly release: (lease: Lease) => Effect.Effect<void, LeasesUnavailable>;
    /** Whether the leader says that the lease is mine. */
    readonly isMine: (shard: number) => Effect.Effect<boolean, LeasesUnavailable>;
    /** Calls back when a lease is seen to be given up, so that nobody waits longer for it; returns how to stop that. */
    readonly onReleased: (listener: (shard: number) => void) => () => void;
    readonly me: LeaseHolder;
  }
>()("@aegispay/runtime/Leases") {}
