/** What the contract of leases needs of an implementation besides itself. */
import type { Leases } from "@aegispay/runtime/shard/Leases";
import { Context, type Effect } from "effect";

export class LeasesHarness extends Context.Service<
  LeasesHarness,
  {
    /** Four processes; the last two have the same name. */
    readonly nodes: readonly [Leases["Service"], Leases["Service"], Leases["Service"], Leases["Service"]];
    readonly ttlMillis: number;
    /** Runs a write of the first node for a shard in a way that it is done and the node never hears of it. */
    readonly losingAnswer: (shard: number, run: Effect.Effect<unknown, unknown>) => Effect.Effect<void>;
    /** Runs a request of the first node while no answer comes. */
    readonly whileAway: <A, E>(run: Effect.Effect<A, E>) => Effect.Effect<A, E>;
  }
>()("@aegispay/tests/LeasesHarness") {}
