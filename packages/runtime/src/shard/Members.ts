/**
 * The port of who lives: each node announces itself and hears the others. A hint like everything about ownership: leases
 * decide who tries, the log who may.
 */
import { Context, type Effect } from "effect";
import type { LeaseHolder } from "./Leases.ts";

export interface Member extends LeaseHolder {
  /** ISO 8601. */
  readonly since: string;
}

export class Members extends Context.Service<
  Members,
  {
    /** Ids of the nodes that have been heard of within the life of a lease, this one's among them until it leaves. */
    readonly live: () => ReadonlySet<string>;
    /** Says that this node takes no shards any more. */
    readonly leave: Effect.Effect<void>;
  }
>()("@aegispay/runtime/Members") {}
