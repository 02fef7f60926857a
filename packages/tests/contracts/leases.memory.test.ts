import { defaultSettings, Settings } from "@aegispay/runtime/config/RuntimeSettings";
import type { LeaseHolder } from "@aegispay/runtime/shard/Leases";
import { Leases } from "@aegispay/runtime/shard/Leases";
import { layerMemoryLeaseBucket, layerMemoryLeases, MemoryLeaseBucket } from "@aegispay/runtime/shard/MemoryLeases";
import { expect, layer } from "@effect/vitest";
import { Effect, Layer } from "effect";
import { leaseExpiryContract, leasesContract } from "./leases.contract.ts";
import { LeasesHarness } from "./leasesHarness.ts";

const holder = (node: string, incarnation: string): LeaseHolder => ({ node, pid: 1, host: "here", incarnation });

const harness = Effect.gen(function* () {
  const bucket = yield* MemoryLeaseBucket;
  const { leaseTtlMillis } = yield* Settings;
  return LeasesHarness.of({
    nodes: [
      bucket.open(holder("node-0", "a")),
      bucket.open(holder("node-1", "b")),
      bucket.open(holder("node-2", "c")),
      bucket.open(holder("node-2", "d")),
    ],
    ttlMillis: leaseTtlMillis,
    losingAnswer: (_shard, run) =>
      Effect.suspend(() => {
        bucket.loseAnswers = 1;
        return Effect.orDie(Effect.asVoid(Effect.flip(run)));
      }),
    whileAway: (run) =>
      Effect.suspend(() => {
        bucket.failRequests = 1;
        return run;
      }),
  });
});

const layerHarness = (leaseTtlMillis: number) =>
  Layer.effect(LeasesHarness, harness).pipe(
    Layer.provideMerge(layerMemoryLeaseBucket),
    Layer.provide(Layer.succeed(Settings, { ...defaultSettings, leaseTtlMillis })),
  );

leasesContract("memory", layerHarness(60_000));
leaseExpiryContract("memory", layerHarness(200));

layer(layerHarness(60_000), { excludeTestServices: true })("the memory bucket's faults", (it) => {
  it.effect("let a lease expire on order, so that another wins it", () =>
    Effect.gen(function* () {
      const bucket = yield* MemoryLeaseBucket;
      const mine = yield* Effect.provide(Leases, layerMemoryLeases(holder("node-3", "e")));
      const lease = yield* mine.acquire(0);
      expect(bucket.holderOf(0)).toEqual(mine.me);
      bucket.expire(0);
      const rival = bucket.open(holder("node-4", "f"));
      expect(yield* rival.acquire(0)).toMatchObject({ shard: 0 });
      expect(yield* mine.renew(lease!)).toBeUndefined();
      expect(bucket.holderOf(0)).toEqual(rival.me);
    }),
  );
});
