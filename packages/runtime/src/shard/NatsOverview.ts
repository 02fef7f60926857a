/** Who lives and who owns what, as the buckets say: for people and scripts, never for a decision. */
import { Kvm } from "@nats-io/kv";
import { Effect } from "effect";
import { Nats, natsRequest } from "../nats/NatsConnection.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import type { LeaseHolder } from "./Leases.ts";
import { leaseKey } from "./NatsLeases.ts";
import type { Member } from "./Members.ts";

const readBucket = <Entry>(bucket: string) =>
  Effect.gen(function* () {
    const { connection } = yield* Nats;
    return yield* natsRequest(`reading bucket ${bucket}`, async () => {
      const store = await new Kvm(connection).open(bucket);
      const entries = new Map<string, { readonly value: Entry; readonly revision: number }>();
      for await (const key of await store.keys()) {
        const entry = await store.get(key);
        if (entry?.operation === "PUT") entries.set(key, { value: entry.json<Entry>(), revision: entry.revision });
      }
      return entries;
    });
  });

export const readOverview = Effect.gen(function* () {
  const { addresses, shards: count } = yield* Deployment;
  const members = yield* readBucket<Member>(addresses.buckets.members);
  const leases = yield* readBucket<LeaseHolder>(addresses.buckets.leases);
  const owners = Array.from({ length: count }, (_, shard) => ({ shard, lease: leases.get(leaseKey(shard)) }));
  return { members: [...members.values()].map(({ value }) => value), owners };
});
