/** What a primary does for a worker that it has seen die: its shards are free at once, not only when its leases expire. */
import { makeAddressBook } from "@aegispay/core/addresses/AddressBook";
import { Kvm } from "@nats-io/kv";
import { Effect, Schedule } from "effect";
import { hostname } from "node:os";
import { Nats, natsRequest } from "../nats/NatsConnection.ts";
import type { LeaseHolder } from "./Leases.ts";

/** How long one try may take, in milliseconds: a request that was under way when NATS went away gets no answer. */
const tryMillis = 1_000;
/** Between two tries, in milliseconds. */
const tryAgainMillis = 200;

const deleteWhatItHeld = Effect.fnUntraced(function* (root: string, node: string, pid: number) {
  const { connection } = yield* Nats;
  const { buckets } = makeAddressBook(root);
  const isItsOwn = (holder: LeaseHolder) => holder.node === node && holder.pid === pid && holder.host === hostname();
  yield* natsRequest("freeing the leases of a dead worker", async () => {
    for (const name of [buckets.leases, buckets.members]) {
      const bucket = await new Kvm(connection).open(name);
      for await (const key of await bucket.keys()) {
        const entry = await bucket.get(key);
        if (entry?.operation !== "PUT" || !isItsOwn(entry.json<LeaseHolder>())) continue;
        // On condition of what was read: it may be its successor's by now.
        await bucket.delete(key, { previousSeq: entry.revision }).catch(() => undefined);
      }
    }
  });
});

/**
 * Deletes the leases and the member entry of a process that is known to be dead; again and again until NATS has answered,
 * or until they have expired by themselves.
 */
export const buryWorker = (root: string, node: string, pid: number, leaseTtlMillis: number) =>
  deleteWhatItHeld(root, node, pid).pipe(
    Effect.timeout(tryMillis),
    Effect.retry(Schedule.spaced(tryAgainMillis)),
    Effect.timeoutOption(leaseTtlMillis),
    Effect.asVoid,
  );
