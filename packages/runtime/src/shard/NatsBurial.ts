/** What a primary does for a worker that it has seen die: its shards are free at once, not only when its leases expire. */
import { makeAddressBook } from "@aegispay/core/addresses/AddressBook";
import { Kvm } from "@nats-io/kv";
import { Effect } from "effect";
import { hostname } from "node:os";
import { Nats, natsRequest } from "../nats/NatsConnection.ts";
import type { LeaseHolder } from "./Leases.ts";

/** Deletes the leases and the member entry of a process that is known to be dead. */
export const buryWorker = Effect.fnUntraced(function* (root: string, node: string, pid: number) {
  const { connection } = yield* Nats;
  const { buckets } = makeAddressBook(root);
  const isItsOwn = (holder: LeaseHolder) => holder.node === node && holder.pid === pid && holder.host === hostname();
  yield* natsRequest("freeing the leases of a dead worker", async () => {
    for (const name of Object.values(buckets)) {
      const bucket = await new Kvm(connection).open(name);
      for await (const key of await bucket.keys()) {
        const entry = await bucket.get(key);
        if (entry?.operation !== "PUT" || !isItsOwn(entry.json<LeaseHolder>())) continue;
        await bucket.delete(key, { previousSeq: entry.revision });
      }
    }
  });
});
