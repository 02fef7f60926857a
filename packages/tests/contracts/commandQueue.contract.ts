/** What every command queue holds (CommandQueue.ts, invariants 1 to 3), whatever it is made of. */
import { expect, layer } from "@effect/vitest";
import { Effect, Result, type Layer } from "effect";
import { CommandQueueHarness, emptied, nextEpoch, own, paymentsOf, type Owner } from "./commandQueueHarness.ts";
import { until } from "./eventLogHarness.ts";

/** Commands of one shard that may be un-acked at once, in every harness. */
export const window = 8;

const shard = 1;
const otherShard = 0;

const concurrently = { concurrency: "unbounded" } as const;

const publishTo = Effect.fnUntraced(function* (to: number, count: number) {
  const { publish } = yield* CommandQueueHarness;
  const sequences: Array<number> = [];
  for (const payment of yield* paymentsOf(to, count)) sequences.push(yield* publish({ payment }));
  return sequences;
});

const sorted = (numbers: ReadonlyArray<number>) => numbers.toSorted((left, right) => left - right);

export const commandQueueContract = <E>(name: string, harness: Layer.Layer<CommandQueueHarness, E>) => {
  layer(harness, { excludeTestServices: true, timeout: "30 seconds" })(`${name} as a command queue`, (it) => {
    it.effect("delivers a command as it was published", () =>
      Effect.gen(function* () {
        const { publish } = yield* CommandQueueHarness;
        const [payment] = yield* paymentsOf(shard, 1);
        const epoch = nextEpoch();
        const owner = yield* own(shard, epoch);
        const body = Buffer.from([0x7b, 0x00, 0xff, 0x7d]);
        const headers = { "Aegis-Command-Id": "c-1", "Aegis-Reply-To": "a-token-of-16-chars" };
        const sequence = yield* publish({ payment: payment!, verb: "capture", body, headers });
        yield* owner.given(1);
        const [delivery] = owner.deliveries;
        expect(delivery).toMatchObject({ shard, epoch, payment, verb: "capture", sequence });
        expect(Buffer.from(delivery!.body)).toEqual(body);
        const named = ["Aegis-Command-Id", "Aegis-Reply-To", "Aegis-Reply-When"].map((header) =>
          delivery!.header(header),
        );
        expect(named).toEqual(["c-1", "a-token-of-16-chars", undefined]);
        for (const value of Object.values(headers)) expect(delivery!.headerText()).toContain(value);
        yield* emptied(shard, [sequence]);
      }),
    );

    it.effect("delivers what was published before anyone owned the shard, in order", () =>
      Effect.gen(function* () {
        const sequences = yield* publishTo(shard, 5);
        const owner = yield* own(shard);
        yield* owner.given(5);
        expect(owner.sequences()).toEqual(sequences);
        yield* emptied(shard, sequences);
      }),
    );

    it.effect("delivers a shard's commands to that shard's owner only", () =>
      Effect.gen(function* () {
        const [owner, other] = [yield* own(shard), yield* own(otherShard)];
        const [mine, theirs] = [yield* publishTo(shard, 4), yield* publishTo(otherShard, 4)];
        yield* owner.given(4);
        yield* other.given(4);
        expect([owner.sequences(), other.sequences()]).toEqual([mine, theirs]);
        yield* emptied(shard, mine);
        yield* emptied(otherShard, theirs);
      }),
    );

    it.effect("tells a redelivery from a repeat by its sequence", () =>
      Effect.gen(function* () {
        const { publish } = yield* CommandQueueHarness;
        const [payment] = yield* paymentsOf(shard, 1);
        const sequences = [yield* publish({ payment: payment! }), yield* publish({ payment: payment! })];
        expect(new Set(sequences).size).toBe(2);
        const first = yield* own(shard);
        yield* first.given(2);
        const second = yield* own(shard);
        yield* second.given(2);
        expect(second.sequences()).toEqual(first.sequences());
        yield* emptied(shard, sequences);
      }),
    );

    it.effect("keeps what was not acked for the next owner, all of it at once, and nothing that was", () =>
      Effect.gen(function* () {
        const { holds } = yield* CommandQueueHarness;
        const first = yield* own(shard);
        const sequences = yield* publishTo(shard, window);
        yield* first.given(window);
        for (const delivery of first.deliveries.slice(0, 3)) first.ack(delivery);
        yield* until(
          "three are gone",
          Effect.map(Effect.forEach(sequences, holds), (held) => held.filter(Boolean).length === window - 3),
        );
        const second = yield* own(shard);
        yield* second.given(window - 3);
        expect(sorted(second.sequences())).toEqual(sequences.slice(3));
        yield* emptied(shard, sequences);
      }),
    );

    it.effect("keeps what an owner that stopped was given", () =>
      Effect.gen(function* () {
        const first = yield* own(shard);
        const sequences = yield* publishTo(shard, 3);
        yield* first.given(3);
        yield* first.stop;
        const late = yield* publishTo(shard, 3);
        const second = yield* own(shard);
        yield* second.given(6);
        expect(sorted(second.sequences())).toEqual([...sequences, ...late]);
        expect(first.deliveries.length).toBe(3);
        yield* emptied(shard, [...sequences, ...late]);
      }),
    );

    it.effect("takes no ack and gives no command to an owner of an older epoch, and tells it so", () =>
      Effect.gen(function* () {
        const { holds } = yield* CommandQueueHarness;
        const older = yield* own(shard);
        const sequences = yield* publishTo(shard, 4);
        yield* older.given(4);
        const newer = yield* own(shard);
        yield* newer.given(4);
        yield* until(
          "the older owner is told",
          Effect.sync(() => older.lost() === 1),
        );
        for (const delivery of older.deliveries) delivery.ack();
        older.deliveries[0]!.returnLater(0);
        const late = yield* publishTo(shard, 4);
        yield* newer.given(8);
        // Whatever the older owner's acks did, they did it before the newer one's ack, which is seen to work.
        newer.ack(newer.deliveries[7]!);
        yield* until(
          "the newer owner's ack counts",
          Effect.map(holds(late[3]!), (held) => !held),
        );
        expect(yield* Effect.forEach(sequences, holds)).toEqual([true, true, true, true]);
        const next = yield* own(shard);
        yield* next.given(7);
        expect(sorted(next.sequences())).toEqual([...sequences, ...late.slice(0, 3)]);
        expect(older.deliveries.length).toBe(4);
        yield* emptied(shard, [...sequences, ...late]);
      }),
    );

    it.effect("refuses a take-over by an epoch that is not the latest, and leaves the latest alone", () =>
      Effect.gen(function* () {
        const stale = nextEpoch();
        const owner = yield* own(shard);
        const error = yield* Effect.flip(own(shard, stale));
        expect(error).toMatchObject({ _tag: "TakeOverFailed", shard });
        const sequences = yield* publishTo(shard, 2);
        yield* owner.given(2);
        expect(owner.lost()).toBe(0);
        yield* emptied(shard, sequences);
      }),
    );

    it.effect("ends with the later of two epochs that take a shard over at once, and tells the earlier one", () =>
      Effect.gen(function* () {
        const losers: Array<Owner> = [];
        for (let round = 0; round < 15; round++) {
          const [earlier, later] = [nextEpoch(), nextEpoch()];
          // Each in rounds, as owners do: a round may fail because the other one was just there.
          const take = (epoch: number) => Effect.retry(own(shard, epoch), { times: 5 });
          const [loser, winner] = yield* Effect.all([Effect.result(take(earlier)), take(later)], concurrently);
          if (Result.isSuccess(loser)) losers.push(loser.success);
          const sequences = yield* publishTo(shard, 2);
          yield* winner.given(2);
          expect(winner.sequences()).toEqual(sequences);
          expect(winner.lost()).toBe(0);
          yield* emptied(shard, sequences);
        }
        const areTold = Effect.sync(() => losers.every((loser) => loser.lost() === 1));
        yield* until("the earlier ones are told", areTold);
        expect(losers.flatMap(({ deliveries }) => deliveries)).toEqual([]);
      }),
    );

    it.effect("has no more than the window un-acked, and goes on as acks come", () =>
      Effect.gen(function* () {
        const sequences = yield* publishTo(shard, 3 * window);
        const owner = yield* own(shard);
        yield* owner.given(window);
        for (let acked = 0; acked < 3 * window; acked++) {
          yield* owner.given(acked + 1);
          owner.ack(owner.deliveries[acked]!);
        }
        expect(owner.mostHeld()).toBeLessThanOrEqual(window);
        expect(owner.sequences()).toEqual(sequences);
        yield* emptied(shard, sequences);
      }),
    );

    it.effect("forgets what is erased, for this owner and the next", () =>
      Effect.gen(function* () {
        const { holds } = yield* CommandQueueHarness;
        const first = yield* own(shard);
        const sequences = yield* publishTo(shard, 3);
        yield* first.given(3);
        yield* first.deliveries[1]!.erase;
        yield* until(
          "it is erased",
          Effect.map(holds(sequences[1]!), (held) => !held),
        );
        // Once more changes nothing: an owner before may have done it.
        yield* first.deliveries[1]!.erase;
        const second = yield* own(shard);
        yield* second.given(2);
        expect(sorted(second.sequences())).toEqual([sequences[0], sequences[2]]);
        yield* emptied(shard, sequences);
      }),
    );

    it.effect("makes room in the window for what is erased", () =>
      Effect.gen(function* () {
        const owner = yield* own(shard);
        const sequences = yield* publishTo(shard, window + 1);
        yield* owner.given(window);
        yield* owner.deliveries[0]!.erase;
        yield* owner.given(window + 1);
        expect(owner.sequences()).toEqual(sequences);
        yield* emptied(shard, sequences);
      }),
    );

    it.effect("delivers again what was given back, not before the time that was asked for", () =>
      Effect.gen(function* () {
        const owner = yield* own(shard);
        const sequences = yield* publishTo(shard, 2);
        yield* owner.given(2);
        const givenBackAt = performance.now();
        owner.deliveries[0]!.returnLater(120);
        yield* owner.given(3);
        expect(performance.now() - givenBackAt).toBeGreaterThan(100);
        expect(owner.sequences()).toEqual([...sequences, sequences[0]]);
        owner.deliveries[2]!.ack();
        yield* emptied(shard, sequences);
      }),
    );

    it.effect("tells an owner whose consumer was deleted, who then takes the shard over anew", () =>
      Effect.gen(function* () {
        const { deleteConsumer } = yield* CommandQueueHarness;
        const owner = yield* own(shard);
        const sequences = yield* publishTo(shard, 2);
        yield* owner.given(2);
        yield* deleteConsumer(shard);
        yield* until(
          "the owner is told",
          Effect.sync(() => owner.lost() === 1),
        );
        const again = yield* own(shard);
        yield* again.given(2);
        expect(sorted(again.sequences())).toEqual(sequences);
        yield* emptied(shard, sequences);
      }),
    );

    it.effect("fails a take-over that gets no answer, and grants it when it is asked again", () =>
      Effect.gen(function* () {
        const { whileAway } = yield* CommandQueueHarness;
        const sequences = yield* publishTo(shard, 2);
        const error = yield* whileAway(
          Effect.flip(Effect.scoped(own(shard))).pipe(Effect.provide(yield* Effect.context<CommandQueueHarness>())),
        );
        expect(error).toMatchObject({ _tag: "TakeOverFailed", shard });
        const owner = yield* Effect.retry(own(shard), { times: 20 });
        yield* owner.given(2);
        yield* emptied(shard, sequences);
      }),
    );
  });
};

/** With a wait for an ack that is over soon: what was delivered and never acked comes to the same owner again. */
export const lostDeliveryContract = <E>(name: string, harness: Layer.Layer<CommandQueueHarness, E>) => {
  layer(harness, { excludeTestServices: true, timeout: "30 seconds" })(
    `${name} as a command queue that waits for an ack`,
    (it) => {
      it.effect("delivers again what was not acked in time, until it is", () =>
        Effect.gen(function* () {
          const { holds } = yield* CommandQueueHarness;
          const owner = yield* own(shard);
          const [sequence] = yield* publishTo(shard, 1);
          yield* owner.given(3);
          expect(new Set(owner.sequences())).toEqual(new Set([sequence]));
          yield* until(
            "it is acked",
            Effect.gen(function* () {
              owner.deliveries.at(-1)!.ack();
              return !(yield* holds(sequence!));
            }),
          );
        }),
      );
    },
  );
};
