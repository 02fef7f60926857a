/**
 * Holds the shards that the live members assign to this node: wins their leases, takes them over under a new epoch,
 * renews, hands over, lets go.
 *
 * Invariants:
 * 1. A shard is consumed only under a lease that was won first; the epoch is the revision at which it was won, or of a
 *    fresh renewal after a reconnect.
 * 2. A lease that is another's, or was too old to be used even for a moment, ends everything of that shard here; it is
 *    begun again only under a new epoch, so that what was let go by is delivered again.
 * 3. A shard that belongs to another member now, or of a node that ends, is handed over: no more taking, what is under way
 *    finishes (bounded), its consumers are deleted, then its lease. So its successor finds nothing to suspect.
 */
import { Context, Deferred, Effect, Exit, Layer, Scope } from "effect";
import { PaymentActors } from "../actor/PaymentActors.ts";
import { Settings } from "../config/RuntimeSettings.ts";
import { CommandQueue, type Delivery } from "../ingress/CommandQueue.ts";
import { count, metric, observe, set } from "../metrics/Metrics.ts";
import { Nats, type NatsConnectionLost } from "../nats/NatsConnection.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { assign } from "./assignment.ts";
import { Leases, type Lease } from "./Leases.ts";
import { Members } from "./Members.ts";
import { Ownership } from "./Ownership.ts";
import { Trials } from "./Trials.ts";

/** Between two looks at a lease that another holds, in milliseconds; one that is seen to be released is tried at once. */
const waitForLeaseMillis = 200;
/** Of a shard, as many of this process's own epochs are remembered: an older one's consumers are long gone. */
const ownEpochsMax = 64;
/** Between two rounds of a take-over, in milliseconds. */
const takeOverPauseMillis = 200;
/** Between two looks at a shard's lease and at who it belongs to, in milliseconds. */
const tickMillis = 50;
/** How long a node that ends waits for its departure to be known, in milliseconds: the others find out anyway. */
const leaveMillis = 500;
/** How long an owner that lets go waits for its consumers to be deleted, in milliseconds: a courtesy to its successor. */
const retireMillis = 1_000;

export interface ShardStatus {
  readonly connected: boolean;
  /** Of the whole deployment. */
  readonly shards: number;
  /** Which the live members assign to this node. */
  readonly wanted: number;
  /** Whose deliveries are taken here. */
  readonly served: number;
  /** Which belong here and are not served yet. */
  readonly missing: number;
}

export class ShardOwner extends Context.Service<
  ShardOwner,
  {
    readonly status: () => ShardStatus;
    /** Fails when this node can own nothing any more. */
    readonly connectionLost: Effect.Effect<never, NatsConnectionLost>;
  }
>()("@aegispay/runtime/ShardOwner") {}

/** How one life of a shard ended: `again` under a fresh epoch of the same lease, handed over, or lost. */
type Ending =
  | { readonly _tag: "Again"; readonly lease: Lease }
  | { readonly _tag: "HandedOver" }
  | { readonly _tag: "Lost" };

const make = Effect.gen(function* () {
  const settings = yield* Settings;
  const { shards } = yield* Deployment;
  const nats = yield* Nats;
  const queue = yield* CommandQueue;
  const actors = yield* PaymentActors;
  const leases = yield* Leases;
  const members = yield* Members;
  const ownership = yield* Ownership;
  const trials = yield* Trials;
  const serving = new Set<number>();
  /** Leases that stand in this process's name. */
  const held = new Map<number, Lease>();
  /** Epochs under which this process has consumed a shard: their consumers are no sign of anybody's end. */
  const ownEpochs = new Map<number, Set<number>>();
  /** Where nobody else could go on: all the time there is, less what giving up the leases takes. */
  const lastDrainMillis = Math.max(settings.handOverMillis, settings.drainMillis - 2 * retireMillis);
  let stopping = false;

  let known: { readonly members: string; readonly owners: ReadonlyArray<string> } = { members: "", owners: [] };
  const ownerOf = (shard: number): string | undefined => {
    const live = [...members.live()].toSorted();
    const name = live.join(" ");
    if (name !== known.members) known = { members: name, owners: assign(shards, live) };
    return known.owners[shard];
  };
  const isWanted = (shard: number): boolean => !stopping && ownerOf(shard) === leases.me.node;

  const releases = new Map<number, Deferred.Deferred<void>>();
  const stopHearing = leases.onReleased((shard) => {
    const waiting = releases.get(shard);
    if (waiting !== undefined) Deferred.doneUnsafe(waiting, Effect.void);
  });
  yield* Effect.addFinalizer(() => Effect.sync(stopHearing));

  const win = Effect.fnUntraced(function* (shard: number) {
    for (;;) {
      const released = yield* Deferred.make<void>();
      releases.set(shard, released);
      if (isWanted(shard)) {
        const sentAt = ownership.now();
        const lease = yield* leases.acquire(shard).pipe(Effect.orElseSucceed(() => undefined));
        if (lease !== undefined) {
          held.set(shard, lease);
          ownership.hold(shard, sentAt);
          return lease;
        }
      }
      yield* Effect.ignore(Effect.timeout(Deferred.await(released), waitForLeaseMillis));
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

  /** Rounds until the shard is consumed under this epoch; undefined: the lease is not mine. */
  const takeOver = Effect.fnUntraced(function* (
    lease: Lease,
    onDelivery: (delivery: Delivery) => void,
    onLost: () => void,
  ) {
    const { shard, revision: epoch } = lease;
    const own = ownEpochs.get(shard) ?? new Set<number>();
    ownEpochs.set(shard, own);
    own.add(epoch);
    if (own.size > ownEpochsMax) own.delete(own.values().next().value!);
    while (ownership.holds(shard)) {
      const mine = yield* leases
        .isMine(shard)
        .pipe(Effect.catchTag("LeasesUnavailable", () => Effect.succeed(undefined)));
      if (mine === false) return undefined;
      if (mine === true) {
        const round = yield* Effect.exit(queue.takeOver({ shard, epoch, ownEpochs: own, onLost, onDelivery }));
        if (Exit.isSuccess(round)) return round.value;
      }
      yield* Effect.sleep(takeOverPauseMillis);
    }
    return undefined;
  });

  /** Lets what is under way finish, on a lease that is renewed meanwhile, then goes in good order. */
  const handOver = Effect.fnUntraced(function* (served: Lease, epoch: number, lastWords: Effect.Effect<void>) {
    const { shard } = served;
    let lease = served;
    const keep = Effect.gen(function* () {
      yield* Effect.sleep(settings.leaseRenewMillis);
      lease = (yield* renew(lease))?.lease ?? lease;
    });
    const others = [...members.live()].some((node) => node !== leases.me.node);
    const idle = actors.idle(shard, others ? settings.handOverMillis : lastDrainMillis);
    yield* Effect.raceFirst(idle, Effect.forever(keep));
    actors.dropShard(shard);
    yield* lastWords;
    ownership.drop(shard);
    yield* Effect.ignore(Effect.timeout(queue.retire(shard, epoch), retireMillis));
    yield* Effect.ignore(leases.release(lease));
    held.delete(shard);
  });

  /** One life of a shard under one epoch. `repeated`: this process served it just before, so it suspects nothing. */
  const serve = Effect.fnUntraced(function* (won: Lease, wonAtMillis: number, repeated: boolean) {
    const { shard, revision: epoch } = won;
    let again = false;
    const lost = () => void (again = true);
    const stopListening = nats.onReconnect(lost);
    yield* Effect.addFinalizer(() => Effect.sync(stopListening));
    const consuming = yield* Scope.fork(yield* Effect.scope);
    // What is delivered before it is known what was left behind waits for that.
    const early: Array<Delivery> = [];
    let take = (delivery: Delivery): void => void early.push(delivery);
    const onDelivery = (delivery: Delivery): void => {
      if (ownership.holds(shard)) take(delivery);
    };
    const left = yield* Scope.provide(takeOver(won, onDelivery, lost), consuming);
    if (left === undefined) return { _tag: "Lost" } as Ending;
    const leftBehind = repeated ? undefined : left;
    const takeOverMillis = ownership.now().wallMillis - wonAtMillis;
    count(metric.takeOvers);
    observe(metric.takeOverSeconds, takeOverMillis / 1_000);
    const trial = yield* trials.begin({ shard, epoch, node: leases.me.node, leftBehind, takeOverMillis });
    take = trial.take;
    for (const delivery of early) onDelivery(delivery);
    serving.add(shard);
    yield* Effect.addFinalizer(() => Effect.sync(() => void serving.delete(shard)));
    let lease = won;
    let renewAt = ownership.now().wallMillis + settings.leaseRenewMillis;
    for (;;) {
      yield* Effect.sleep(tickMillis);
      if (!isWanted(shard) && ownership.holds(shard)) {
        const stoppedAtMillis = ownership.now().wallMillis;
        take = () => undefined;
        yield* Scope.close(consuming, Exit.void);
        yield* handOver(lease, epoch, trial.flush);
        observe(metric.handOverSeconds, (ownership.now().wallMillis - stoppedAtMillis) / 1_000);
        return { _tag: "HandedOver" } as Ending;
      }
      // A lease that got too old to be used, if only for a moment, has let deliveries and calls go by: they come again
      // only under another epoch, which is the revision of a fresh renewal.
      if (!ownership.holds(shard)) again = true;
      if (!again && ownership.now().wallMillis < renewAt) continue;
      const renewed = yield* renew(lease);
      if (renewed === undefined) return { _tag: "Lost" } as Ending;
      if (renewed.lapsed) {
        actors.dropShard(shard);
        again = true;
      }
      lease = renewed.lease;
      if (again && renewed.fresh) return { _tag: "Again", lease } as Ending;
      // One that got no answer is sent again at once, while the lease is still young enough to be used.
      renewAt = ownership.now().wallMillis + (renewed.fresh ? settings.leaseRenewMillis : 0);
    }
  });

  const own = Effect.fnUntraced(function* (shard: number) {
    for (;;) {
      let lease = yield* win(shard);
      const wonAtMillis = ownership.now().wallMillis;
      let ending = yield* Effect.scoped(serve(lease, wonAtMillis, false));
      while (ending._tag === "Again") {
        lease = ending.lease;
        ending = yield* Effect.scoped(serve(lease, ownership.now().wallMillis, true));
      }
      ownership.drop(shard);
      held.delete(shard);
      actors.dropShard(shard);
      trials.forget(shard);
      if (ending._tag === "HandedOver") continue;
      count(metric.leasesLost);
      yield* Effect.logWarning(`shard ${shard}: the lease is lost, what was under way here is left to its new owner`);
    }
  });

  const loops = yield* Scope.make();
  yield* Effect.addFinalizer(
    Effect.fnUntraced(function* () {
      // The others hear at once that this node takes no shards any more; each shard then goes by itself.
      const until = ownership.now().wallMillis + settings.drainMillis;
      yield* Effect.ignore(Effect.timeout(members.leave, leaveMillis));
      stopping = true;
      while (serving.size > 0 && ownership.now().wallMillis < until) yield* Effect.sleep(20);
      yield* Scope.close(loops, Exit.void);
      // Shards that were still being taken over, or did not get done in time.
      const release = (lease: Lease) => Effect.ignore(Effect.timeout(leases.release(lease), retireMillis));
      yield* Effect.forEach([...held.values()], release, { concurrency: "unbounded", discard: true });
    }),
  );
  for (let shard = 0; shard < shards; shard++) yield* Effect.forkIn(own(shard), loops);
  return ShardOwner.of({
    connectionLost: nats.lost,
    status: () => {
      // A lease that has lapsed serves nobody, whatever its consumers still do.
      const served = new Set([...serving].filter(ownership.holds));
      const wanted = Array.from({ length: shards }, (_, shard) => shard).filter(isWanted);
      const missing = wanted.filter((shard) => !served.has(shard)).length;
      set(metric.actorsLive, actors.liveCount());
      return { connected: nats.isConnected(), shards, wanted: wanted.length, served: served.size, missing };
    },
  });
});

export const layerShardOwner = Layer.effect(ShardOwner, make);
