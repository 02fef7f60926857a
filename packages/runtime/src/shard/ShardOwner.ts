/**
 * Holds this node's shards: wins their leases, takes them over under a new epoch, renews, and lets go.
 *
 * Invariants:
 * 1. A shard is consumed only under a lease that was won first; the epoch is the revision at which it was won, or of a
 *    fresh renewal after a reconnect.
 * 2. A lease that is another's, or was too old to be used even for a moment, ends everything of that shard here; it is
 *    begun again only under a new epoch, so that what was let go by is delivered again.
 * 3. At the end: no more taking, what is under way finishes (bounded), then the leases are released.
 */
import { Context, Effect, Exit, Layer, Scope } from "effect";
import { PaymentActors } from "../actor/PaymentActors.ts";
import { Settings } from "../config/RuntimeSettings.ts";
import { CommandQueue } from "../ingress/CommandQueue.ts";
import { Ingress } from "../ingress/Ingress.ts";
import { Nats, type NatsConnectionLost } from "../nats/NatsConnection.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { Leases, type Lease } from "./Leases.ts";
import { Ownership } from "./Ownership.ts";

/** Between two looks at a lease that another holds, in milliseconds. */
const waitForLeaseMillis = 500;
/** Between two rounds of a take-over, in milliseconds. */
const takeOverPauseMillis = 200;

export interface ShardStatus {
  readonly connected: boolean;
  /** Of the whole deployment. */
  readonly shards: number;
  /** Whose commands are taken here. */
  readonly served: number;
  /** Which another node holds, so that this one stands by for them. */
  readonly standby: number;
}

export class ShardOwner extends Context.Service<
  ShardOwner,
  {
    readonly status: () => ShardStatus;
    /** Fails when this node can own nothing any more. */
    readonly connectionLost: Effect.Effect<never, NatsConnectionLost>;
  }
>()("@aegispay/runtime/ShardOwner") {}

const make = Effect.gen(function* () {
  const settings = yield* Settings;
  const { shards } = yield* Deployment;
  const nats = yield* Nats;
  const queue = yield* CommandQueue;
  const ingress = yield* Ingress;
  const actors = yield* PaymentActors;
  const leases = yield* Leases;
  const ownership = yield* Ownership;
  const held = new Map<number, Lease>();
  const serving = new Set<number>();
  /** Shards that another node was seen to hold: this one stands by for them. */
  const elsewhere = new Set<number>();
  let stopping = false;

  const win = Effect.fnUntraced(function* (shard: number) {
    for (;;) {
      const sentAt = ownership.now();
      const lease = yield* leases
        .acquire(shard)
        .pipe(Effect.catchTag("LeasesUnavailable", () => Effect.succeed("no answer" as const)));
      // Only an answer says that another holds it; without one this node does not stand by, it is cut off.
      if (lease === undefined) elsewhere.add(shard);
      else elsewhere.delete(shard);
      if (lease !== undefined && lease !== "no answer") {
        held.set(shard, lease);
        ownership.hold(shard, sentAt);
        return lease;
      }
      yield* Effect.sleep(waitForLeaseMillis);
    }
  });

  /** Undefined: the lease is lost. A renewal that got no answer leaves the lease as old as it is. */
  const renew = Effect.fnUntraced(function* (lease: Lease) {
    const sentAt = ownership.now();
    const renewed = yield* leases
      .renew(lease)
      .pipe(Effect.catchTag("LeasesUnavailable", () => Effect.succeed("no answer" as const)));
    const lapsed = !ownership.holds(lease.shard);
    if (renewed === "no answer") return lapsed ? undefined : { lease, lapsed, fresh: false };
    if (renewed === undefined) return undefined;
    held.set(lease.shard, renewed);
    ownership.hold(lease.shard, sentAt);
    return { lease: renewed, lapsed, fresh: true };
  });

  /** Rounds until the shard is consumed under this epoch, or the lease is not mine. */
  const takeOver = Effect.fnUntraced(function* (shard: number, epoch: number, onLost: () => void) {
    while (ownership.holds(shard)) {
      const mine = yield* leases
        .isMine(shard)
        .pipe(Effect.catchTag("LeasesUnavailable", () => Effect.succeed(undefined)));
      if (mine === false) return false;
      if (mine === true) {
        const round = yield* Effect.exit(
          queue.takeOver({
            shard,
            epoch,
            onLost,
            onDelivery: (delivery) => {
              if (!stopping && ownership.holds(shard)) ingress.take(delivery);
            },
          }),
        );
        if (Exit.isSuccess(round)) return true;
      }
      yield* Effect.sleep(takeOverPauseMillis);
    }
    return false;
  });

  /** One life of a shard under one epoch: ends when the consumer or the connection was lost, or the lease is gone. */
  const serve = Effect.fnUntraced(function* (won: Lease) {
    const { shard, revision: epoch } = won;
    let again = false;
    const stopListening = nats.onReconnect(() => void (again = true));
    yield* Effect.addFinalizer(() => Effect.sync(stopListening));
    const consuming = yield* takeOver(shard, epoch, () => void (again = true));
    if (!consuming) return undefined;
    serving.add(shard);
    yield* Effect.addFinalizer(() => Effect.sync(() => void serving.delete(shard)));
    let lease = won;
    let renewAt = ownership.now().wallMillis + settings.leaseRenewMillis;
    for (;;) {
      yield* Effect.sleep(Math.min(100, settings.leaseRenewMillis));
      // A lease that got too old to be used, if only for a moment, has let deliveries and calls go by: they come again
      // only under another epoch, which is the revision of a fresh renewal.
      if (!ownership.holds(shard)) again = true;
      if (!again && ownership.now().wallMillis < renewAt) continue;
      const renewed = yield* renew(lease);
      if (renewed === undefined) return undefined;
      if (renewed.lapsed) {
        actors.dropShard(shard);
        again = true;
      }
      lease = renewed.lease;
      if (again && renewed.fresh) return lease;
      renewAt = ownership.now().wallMillis + settings.leaseRenewMillis;
    }
  });

  const own = Effect.fnUntraced(function* (shard: number) {
    let lease: Lease | undefined;
    for (;;) {
      lease ??= yield* win(shard);
      lease = yield* Effect.scoped(serve(lease));
      if (lease !== undefined) continue;
      held.delete(shard);
      ownership.drop(shard);
      actors.dropShard(shard);
      yield* Effect.logWarning(`shard ${shard}: the lease is lost, what was under way here is left to its new owner`);
    }
  });

  const loops = yield* Scope.make();
  yield* Effect.addFinalizer(
    Effect.fnUntraced(function* () {
      // Renewals go on while what is under way finishes; what is still delivered stays in the queue.
      stopping = true;
      yield* actors.drain(settings.drainMillis);
      yield* Scope.close(loops, Exit.void);
      const release = (lease: Lease) => Effect.ignore(leases.release(lease));
      yield* Effect.forEach([...held.values()], release, { concurrency: "unbounded", discard: true });
    }),
  );
  for (let shard = 0; shard < shards; shard++) yield* Effect.forkIn(own(shard), loops);
  return ShardOwner.of({
    connectionLost: nats.lost,
    status: () => ({ connected: nats.isConnected(), shards, served: serving.size, standby: elsewhere.size }),
  });
});

export const layerShardOwner = Layer.effect(ShardOwner, make);
