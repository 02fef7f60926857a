/** Shard leases in the bucket `payments_leases`: its TTL is the life of a lease, a key's revision its epoch. */
import { jetstream } from "@nats-io/jetstream";
import { Kvm, type KvEntry } from "@nats-io/kv";
import { nuid } from "@nats-io/nats-core";
import { Effect, Layer } from "effect";
import { hostname } from "node:os";
import { Settings } from "../config/RuntimeSettings.ts";
import { Nats, natsRequest } from "../nats/NatsConnection.ts";
import { Deployment, TopologyMismatch } from "../nats/NatsTopology.ts";
import { Leases, LeasesUnavailable, type Lease, type LeaseHolder } from "./Leases.ts";

export const leaseKey = (shard: number): string => `shard-${shard}`;
const shardOfKey = (key: string): number => Number(key.slice("shard-".length));

const holderOf = (entry: KvEntry | null): LeaseHolder | undefined =>
  entry === null || entry.operation !== "PUT" ? undefined : entry.json<LeaseHolder>();

const make = Effect.gen(function* () {
  const { connection } = yield* Nats;
  const { addresses } = yield* Deployment;
  const settings = yield* Settings;
  // A renewal that gets no answer is sent again at once: three of them fit between the first and two thirds of the lease.
  const impatient = jetstream(connection, { timeout: Math.ceil(settings.leaseRenewMillis / 3) });
  const bucket = yield* natsRequest("opening the lease bucket", () =>
    new Kvm(impatient).open(addresses.buckets.leases),
  );
  const { ttl } = yield* natsRequest("reading the lease bucket", () => bucket.status());
  if (ttl !== settings.leaseTtlMillis) {
    return yield* new TopologyMismatch({
      message:
        `bucket ${addresses.buckets.leases} keeps a lease for ${ttl} ms, this node's settings say ` +
        `${settings.leaseTtlMillis} ms: set leaseTtlMillis to what the deployment was set up with`,
    });
  }
  const me: LeaseHolder = { node: settings.nodeId, pid: process.pid, host: hostname(), incarnation: nuid.next() };
  const value = JSON.stringify(me);

  const attempt = <A>(run: () => Promise<A>) =>
    Effect.tryPromise({ try: run, catch: (cause) => new LeasesUnavailable({ cause }) });

  const readBack = async (shard: number): Promise<Lease | undefined> => {
    const entry = await bucket.get(leaseKey(shard));
    return holderOf(entry)?.incarnation === me.incarnation ? { shard, revision: entry!.revision } : undefined;
  };

  /**
   * A refused write may be the echo of one of mine whose answer was lost: what stands there decides. It is renewed at
   * once, so that its age counts from a request of now and its revision is a fresh one.
   */
  const orAdopt = async (shard: number, write: () => Promise<number>): Promise<Lease | undefined> => {
    try {
      return { shard, revision: await write() };
    } catch (cause) {
      if (!(cause instanceof Error && "code" in cause && cause.code === 10071)) throw cause;
      const mine = await readBack(shard);
      if (mine === undefined) return undefined;
      return { shard, revision: await bucket.update(leaseKey(shard), value, mine.revision) };
    }
  };

  const listeners = new Set<(shard: number) => void>();
  const subjectPrefix = `$KV.${addresses.buckets.leases}.`;
  yield* Effect.acquireRelease(
    Effect.sync(() =>
      connection.subscribe(`${subjectPrefix}*`, {
        callback: (error, message) => {
          const operation = error === null ? message.headers?.get("KV-Operation") : undefined;
          if (operation !== "DEL" && operation !== "PURGE") return;
          const shard = shardOfKey(message.subject.slice(subjectPrefix.length));
          for (const listener of listeners) listener(shard);
        },
      }),
    ),
    (subscription) => Effect.sync(() => subscription.unsubscribe()),
  );

  return Leases.of({
    me,
    onReleased: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    acquire: (shard) => attempt(() => orAdopt(shard, () => bucket.create(leaseKey(shard), value))),
    renew: (lease) =>
      attempt(() => orAdopt(lease.shard, () => bucket.update(leaseKey(lease.shard), value, lease.revision))),
    release: (lease) => attempt(() => bucket.delete(leaseKey(lease.shard), { previousSeq: lease.revision })),
    isMine: (shard) => attempt(async () => (await readBack(shard)) !== undefined),
  });
});

export const layerNatsLeases = Layer.effect(Leases, make);
