/**
 * Shard leases in memory, for unit tests and simulation. One bucket is shared by all nodes of a simulation, each of which
 * opens it under its own name; it refuses as the real one does, and can be ordered to fail.
 */
import { Clock, Context, Effect, FiberSet, Layer } from "effect";
import { Settings } from "../config/RuntimeSettings.ts";
import { Leases, LeasesUnavailable, type Lease, type LeaseHolder } from "./Leases.ts";

/** What stands in the bucket about one shard; `holder` undefined: it was released. */
interface Entry {
  readonly revision: number;
  readonly holder: LeaseHolder | undefined;
  readonly atMillis: number;
}

/** The bucket of all nodes, and orders to it. */
export class MemoryLeaseBucket extends Context.Service<
  MemoryLeaseBucket,
  {
    /** The leases as one node sees them. */
    readonly open: (me: LeaseHolder) => Leases["Service"];
    readonly holderOf: (shard: number) => LeaseHolder | undefined;
    /** Ends the life of a lease now. As always, nobody is told. */
    readonly expire: (shard: number) => void;
    /** As many of the next requests reach nothing. */
    failRequests: number;
    /** As many of the next writes are done although nobody is told. */
    loseAnswers: number;
  }
>()("@aegispay/runtime/MemoryLeaseBucket") {}

const make = Effect.gen(function* () {
  const { leaseTtlMillis } = yield* Settings;
  const clock = yield* Clock.Clock;
  const run = yield* FiberSet.makeRuntime();
  const entries = new Map<number, Entry>();
  const listeners = new Set<(shard: number) => void>();
  let lastRevision = 0;

  const entryOf = (shard: number): Entry | undefined => {
    const entry = entries.get(shard);
    if (entry === undefined || clock.currentTimeMillisUnsafe() - entry.atMillis < leaseTtlMillis) return entry;
    entries.delete(shard);
    return undefined;
  };

  const request = <A>(act: () => A): Effect.Effect<A, LeasesUnavailable> =>
    Effect.gen(function* () {
      yield* Effect.yieldNow;
      if (bucket.failRequests > 0) {
        bucket.failRequests--;
        return yield* new LeasesUnavailable({ cause: "ordered to fail" });
      }
      return act();
    });

  const heard = <A>(answer: A): Effect.Effect<A, LeasesUnavailable> => {
    if (bucket.loseAnswers === 0) return Effect.succeed(answer);
    bucket.loseAnswers--;
    return Effect.fail(new LeasesUnavailable({ cause: "ordered to lose the answer" }));
  };

  /** Undefined: refused, since another revision stands there than was expected. */
  const write = (shard: number, holder: LeaseHolder | undefined, isExpected: (entry: Entry | undefined) => boolean) =>
    request(() => {
      if (!isExpected(entryOf(shard))) return undefined;
      entries.set(shard, { revision: ++lastRevision, holder, atMillis: clock.currentTimeMillisUnsafe() });
      return { shard, revision: lastRevision };
    }).pipe(Effect.flatMap((written) => (written === undefined ? Effect.succeed(undefined) : heard(written))));

  const open = (me: LeaseHolder): Leases["Service"] => {
    const isMine = (entry: Entry | undefined): boolean => entry?.holder?.incarnation === me.incarnation;
    const at = (revision: number) => (entry: Entry | undefined) => entry?.revision === revision;

    /** A refused write may be the echo of one of mine: it is renewed under what stands there. */
    const orAdopt = (shard: number, written: Effect.Effect<Lease | undefined, LeasesUnavailable>) =>
      Effect.flatMap(written, (lease) => (lease === undefined ? write(shard, me, isMine) : Effect.succeed(lease)));

    return Leases.of({
      me,
      acquire: (shard) =>
        orAdopt(
          shard,
          write(shard, me, (entry) => entry?.holder === undefined),
        ),
      renew: ({ shard, revision }) => orAdopt(shard, write(shard, me, at(revision))),
      release: Effect.fnUntraced(function* ({ shard, revision }: Lease) {
        const released = yield* write(shard, undefined, at(revision));
        if (released === undefined) return yield* new LeasesUnavailable({ cause: "another revision stands there" });
        for (const listener of listeners) void run(Effect.sync(() => listener(shard)));
      }),
      isMine: (shard) => request(() => isMine(entryOf(shard))),
      onReleased: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    });
  };

  const bucket = MemoryLeaseBucket.of({
    open,
    holderOf: (shard) => entryOf(shard)?.holder,
    expire: (shard) => void entries.delete(shard),
    failRequests: 0,
    loseAnswers: 0,
  });
  return bucket;
});

export const layerMemoryLeaseBucket: Layer.Layer<MemoryLeaseBucket, never, Settings> = Layer.effect(
  MemoryLeaseBucket,
  make,
);

/** One node's view of the bucket. */
export const layerMemoryLeases = (me: LeaseHolder): Layer.Layer<Leases, never, MemoryLeaseBucket> =>
  Layer.effect(
    Leases,
    Effect.map(MemoryLeaseBucket, ({ open }) => open(me)),
  );
