/** What every implementation of shard leases holds (Leases.ts), whatever it is made of. */
import type { Lease, Leases } from "@aegispay/runtime/shard/Leases";
import { expect, layer } from "@effect/vitest";
import { Effect, type Layer } from "effect";
import { until } from "./eventLogHarness.ts";
import { LeasesHarness } from "./leasesHarness.ts";

type Node = Leases["Service"];

const concurrently = { concurrency: "unbounded" } as const;

let shards = 0;
/** A shard that no other test knows. */
const newShard = (): number => ++shards;

/** Asks until it wins. */
const win = Effect.fnUntraced(function* (node: Node, shard: number) {
  for (;;) {
    const lease = yield* node.acquire(shard);
    if (lease !== undefined) return lease;
  }
});

/** Asks again for as long as no answer comes. */
const answered = <A, E>(request: Effect.Effect<A, E>) => Effect.retry(request, { times: 20 });

const holdersOf = Effect.fnUntraced(function* (shard: number) {
  const { nodes } = yield* LeasesHarness;
  return yield* Effect.forEach(nodes, (node) => node.isMine(shard));
});

/** With leases that outlive the test. */
export const leasesContract = <E>(name: string, harness: Layer.Layer<LeasesHarness, E>) => {
  layer(harness, { excludeTestServices: true, timeout: "30 seconds" })(`${name} as leases`, (it) => {
    it.effect("are won by the first who asks, and refused to others", () =>
      Effect.gen(function* () {
        const { nodes } = yield* LeasesHarness;
        const shard = newShard();
        expect(yield* holdersOf(shard)).toEqual([false, false, false, false]);
        const lease = yield* nodes[0].acquire(shard);
        expect(lease).toMatchObject({ shard });
        expect(yield* Effect.forEach(nodes.slice(1), (node) => node.acquire(shard))).toEqual([
          undefined,
          undefined,
          undefined,
        ]);
        expect(yield* holdersOf(shard)).toEqual([true, false, false, false]);
      }),
    );

    it.effect("are for each shard alone", () =>
      Effect.gen(function* () {
        const { nodes } = yield* LeasesHarness;
        const [one, other] = [newShard(), newShard()];
        yield* nodes[0].acquire(one);
        expect(yield* nodes[1].acquire(other)).toMatchObject({ shard: other });
      }),
    );

    it.effect("have a revision that rises with every win and renewal, also from one holder to the next", () =>
      Effect.gen(function* () {
        const { nodes } = yield* LeasesHarness;
        const shard = newShard();
        const revisions: Array<number> = [];
        for (const node of nodes) {
          const won = yield* win(node, shard);
          const renewed = yield* node.renew(won);
          const again = yield* node.renew(renewed!);
          revisions.push(won.revision, renewed!.revision, again!.revision);
          yield* node.release(again!);
        }
        expect(revisions).toEqual([...new Set(revisions)].toSorted((left, right) => left - right));
      }),
    );

    it.effect("are refused to a process of the same name: it is another holder", () =>
      Effect.gen(function* () {
        const { nodes } = yield* LeasesHarness;
        const [, , before, respawned] = nodes;
        expect(respawned.me.node).toBe(before.me.node);
        const shard = newShard();
        yield* before.acquire(shard);
        expect(yield* respawned.acquire(shard)).toBeUndefined();
        expect(yield* holdersOf(shard)).toEqual([false, false, true, false]);
      }),
    );

    it.effect("are adopted by their holder who asks for them again, under a fresh revision", () =>
      Effect.gen(function* () {
        const { nodes } = yield* LeasesHarness;
        const shard = newShard();
        const lease = yield* nodes[0].acquire(shard);
        const again = yield* nodes[0].acquire(shard);
        expect(again!.revision).toBeGreaterThan(lease!.revision);
        const renewed = yield* nodes[0].renew(lease!);
        expect(renewed!.revision).toBeGreaterThan(again!.revision);
        yield* nodes[0].release(renewed!);
      }),
    );

    it.effect("are free for others at once when they are released, and everybody is told", () =>
      Effect.gen(function* () {
        const { nodes } = yield* LeasesHarness;
        const shard = newShard();
        const told: Array<string> = [];
        const stops = nodes.map((node, index) =>
          node.onReleased((released) => void (released === shard && told.push(String(index)))),
        );
        const lease = yield* nodes[0].acquire(shard);
        yield* nodes[0].release(lease!);
        yield* until(
          "all are told",
          Effect.sync(() => new Set(told).size === nodes.length),
        );
        expect(yield* nodes[1].acquire(shard)).toMatchObject({ shard });
        for (const stop of stops) stop();
      }),
    );

    it.effect("tell nobody of their release who has stopped listening", () =>
      Effect.gen(function* () {
        const { nodes } = yield* LeasesHarness;
        const shard = newShard();
        const told: Array<string> = [];
        const stop = nodes[1].onReleased(() => void told.push("stopped"));
        nodes[1].onReleased(() => void told.push("listening"));
        stop();
        yield* nodes[0].release((yield* nodes[0].acquire(shard))!);
        yield* until(
          "the other is told",
          Effect.sync(() => told.includes("listening")),
        );
        expect(told).not.toContain("stopped");
      }),
    );

    it.effect("stay with their holder when another revision than theirs is released", () =>
      Effect.gen(function* () {
        const { nodes } = yield* LeasesHarness;
        const shard = newShard();
        const lease = yield* nodes[0].acquire(shard);
        const renewed = yield* nodes[0].renew(lease!);
        yield* Effect.flip(nodes[0].release(lease!));
        yield* Effect.flip(nodes[1].release(lease!));
        expect(yield* holdersOf(shard)).toEqual([true, false, false, false]);
        expect(yield* nodes[0].renew(renewed!)).toMatchObject({ shard });
      }),
    );

    it.effect("stay with the next holder when the one before renews or releases late", () =>
      Effect.gen(function* () {
        const { nodes } = yield* LeasesHarness;
        const shard = newShard();
        const lease = yield* nodes[0].acquire(shard);
        yield* nodes[0].release(lease!);
        const next = yield* nodes[1].acquire(shard);
        expect(yield* nodes[0].renew(lease!)).toBeUndefined();
        yield* Effect.flip(nodes[0].release(lease!));
        expect(yield* holdersOf(shard)).toEqual([false, true, false, false]);
        expect(yield* nodes[1].renew(next!)).toMatchObject({ shard });
      }),
    );

    it.effect("are adopted when they were won and the answer was lost", () =>
      Effect.gen(function* () {
        const { nodes, losingAnswer } = yield* LeasesHarness;
        const shard = newShard();
        yield* losingAnswer(shard, nodes[0].acquire(shard));
        const lease = yield* answered(nodes[0].acquire(shard));
        expect(lease).toMatchObject({ shard });
        expect(yield* nodes[1].acquire(shard)).toBeUndefined();
        expect(yield* nodes[0].renew(lease!)).toMatchObject({ shard });
      }),
    );

    it.effect("are adopted when they were renewed and the answer was lost", () =>
      Effect.gen(function* () {
        const { nodes, losingAnswer } = yield* LeasesHarness;
        const shard = newShard();
        const lease = yield* answered(nodes[0].acquire(shard));
        yield* losingAnswer(shard, nodes[0].renew(lease!));
        const renewed = yield* answered(nodes[0].renew(lease!));
        expect(renewed!.revision).toBeGreaterThan(lease!.revision + 1);
        expect(yield* nodes[0].renew(renewed!)).toMatchObject({ shard });
      }),
    );

    it.effect("are nobody's to answer for while no answer comes", () =>
      Effect.gen(function* () {
        const { nodes, whileAway } = yield* LeasesHarness;
        const shard = newShard();
        expect((yield* whileAway(Effect.flip(nodes[0].isMine(shard))))._tag).toBe("LeasesUnavailable");
        expect(yield* answered(nodes[0].isMine(shard))).toBe(false);
        expect(yield* answered(nodes[0].acquire(shard))).toMatchObject({ shard });
      }),
    );

    it.effect("are won by exactly one of many who ask at once, whether nobody had them or somebody let go", () =>
      Effect.gen(function* () {
        const { nodes } = yield* LeasesHarness;
        const shard = newShard();
        for (let round = 0; round < 50; round++) {
          const answers = yield* Effect.forEach(nodes, (node) => node.acquire(shard), concurrently);
          const winners = answers.flatMap((lease, index) => (lease === undefined ? [] : [{ lease, index }]));
          expect(winners.length).toBe(1);
          const [{ lease, index }] = winners as [{ lease: Lease; index: number }];
          expect(yield* holdersOf(shard)).toEqual(nodes.map((_, node) => node === index));
          yield* nodes[index]!.release(lease);
        }
      }),
    );

    it.effect("have one holder at a time, however nodes ask, renew and let go at once", () =>
      Effect.gen(function* () {
        const { nodes } = yield* LeasesHarness;
        const shard = newShard();
        let holders = 0;
        const epochs: Array<number> = [];
        const holdOnce = Effect.fnUntraced(function* (node: Node) {
          const won = yield* win(node, shard);
          expect(++holders).toBe(1);
          epochs.push(won.revision);
          const renewed = yield* node.renew(won);
          expect(renewed).toBeDefined();
          expect(yield* node.isMine(shard)).toBe(true);
          holders--;
          yield* node.release(renewed!);
        });
        yield* Effect.forEach(nodes, (node) => Effect.repeat(holdOnce(node), { times: 24 }), concurrently);
        expect(epochs.length).toBe(100);
        expect(epochs).toEqual(epochs.toSorted((left, right) => left - right));
      }),
    );
  });
};

/** With leases that expire soon. */
export const leaseExpiryContract = <E>(name: string, harness: Layer.Layer<LeasesHarness, E>) => {
  layer(harness, { excludeTestServices: true, timeout: "30 seconds" })(`${name} as leases that expire`, (it) => {
    it.effect("cannot be won by another before their life is over, and can be soon after", () =>
      Effect.gen(function* () {
        const { nodes, ttlMillis } = yield* LeasesHarness;
        const shard = newShard();
        const sentAt = Date.now();
        yield* nodes[0].acquire(shard);
        yield* win(nodes[1], shard);
        expect(Date.now() - sentAt).toBeGreaterThanOrEqual(ttlMillis - 1);
        expect(yield* holdersOf(shard)).toEqual([false, true, false, false]);
      }),
    );

    it.effect("cannot be renewed or released once another has won them", () =>
      Effect.gen(function* () {
        const { nodes } = yield* LeasesHarness;
        const shard = newShard();
        const lease = yield* nodes[0].acquire(shard);
        yield* win(nodes[1], shard);
        expect(yield* nodes[0].renew(lease!)).toBeUndefined();
        yield* Effect.flip(nodes[0].release(lease!));
        expect(yield* nodes[1].isMine(shard)).toBe(true);
      }),
    );

    it.effect("cannot be renewed once they have expired, also where nobody else has won them", () =>
      Effect.gen(function* () {
        const { nodes } = yield* LeasesHarness;
        const shard = newShard();
        const lease = yield* nodes[0].acquire(shard);
        yield* until(
          "it has expired",
          Effect.map(Effect.orDie(nodes[0].isMine(shard)), (mine) => !mine),
        );
        expect(yield* nodes[0].renew(lease!)).toBeUndefined();
        const again = yield* nodes[0].acquire(shard);
        expect(again!.revision).toBeGreaterThan(lease!.revision);
      }),
    );

    it.effect("live on for as long as they are renewed, whoever else asks", () =>
      Effect.gen(function* () {
        const { nodes, ttlMillis } = yield* LeasesHarness;
        const shard = newShard();
        let lease = (yield* nodes[0].acquire(shard))!;
        const from = Date.now();
        while (Date.now() - from < 2.5 * ttlMillis) {
          lease = (yield* nodes[0].renew(lease))!;
          expect(yield* nodes[1].acquire(shard)).toBeUndefined();
          yield* Effect.sleep(ttlMillis / 20);
        }
      }),
    );
  });
};
