/**
 * Suspects in the bucket `payments_suspects`, without a TTL: one entry a shard. The shard's owner and an operator may both
 * change it, so every write is under condition of what was read.
 */
import { Kvm } from "@nats-io/kv";
import { Effect, Layer } from "effect";
import { Nats, natsRequest } from "../nats/NatsConnection.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { leaseKey } from "./NatsLeases.ts";
import { changedSuspects, Suspects, SuspectsUnavailable, type MarkChanges, type ShardSuspects } from "./Suspects.ts";

/** The server's code for a write under a condition that does not hold. */
const wrongRevision = 10071;

interface Entry {
  readonly revision: number;
  readonly suspects: ShardSuspects;
}

interface StoredSuspects {
  readonly marks: Readonly<Record<string, number>>;
  readonly ends: ReadonlyArray<number>;
}

/** Reads and writes the entries of a bucket that is there. */
export const openSuspects = Effect.gen(function* () {
  const { connection } = yield* Nats;
  const { addresses } = yield* Deployment;
  const bucket = yield* natsRequest("opening the suspects bucket", () =>
    new Kvm(connection).open(addresses.buckets.suspects),
  );
  /** As last read or written here: most writes need no read before. */
  const lastSeen = new Map<number, Entry>();

  const read = async (shard: number): Promise<Entry> => {
    const found = await bucket.get(leaseKey(shard));
    const stored = found?.operation === "PUT" ? found.json<StoredSuspects>() : { marks: {}, ends: [] };
    const suspects = { marks: new Map(Object.entries(stored.marks)), ends: stored.ends };
    const entry = { revision: found?.revision ?? 0, suspects };
    lastSeen.set(shard, entry);
    return entry;
  };

  const update = async (shard: number, changes: MarkChanges, endedAt?: number): Promise<ShardSuspects> => {
    if (changes.size === 0 && endedAt === undefined) return (await read(shard)).suspects;
    for (;;) {
      const before = lastSeen.get(shard) ?? (await read(shard));
      const suspects = changedSuspects(before.suspects, changes, endedAt);
      const stored: StoredSuspects = { marks: Object.fromEntries(suspects.marks), ends: suspects.ends };
      try {
        const revision = await bucket.put(leaseKey(shard), JSON.stringify(stored), { previousSeq: before.revision });
        lastSeen.set(shard, { revision, suspects });
        return suspects;
      } catch (cause) {
        lastSeen.delete(shard);
        if (!(cause instanceof Error && "code" in cause && cause.code === wrongRevision)) throw cause;
      }
    }
  };

  const attempt = <A>(run: () => Promise<A>) =>
    Effect.tryPromise({ try: run, catch: (cause) => new SuspectsUnavailable({ cause }) });
  return Suspects.of({
    read: (shard) => attempt(async () => (await read(shard)).suspects),
    update: (shard, changes, endedAt) => attempt(() => update(shard, changes, endedAt)),
  });
});

export const layerNatsSuspects = Layer.effect(Suspects, openSuspects);
