/** What every command queue holds (CommandQueue.ts, invariants 1 and 3), whatever it is made of. */
import { sources, type Source } from "@aegispay/core/addresses/AddressBook";
import { expect, layer } from "@effect/vitest";
import { Effect, type Layer } from "effect";
import {
  CommandQueueHarness,
  emptied,
  nextEpoch,
  own,
  paymentsOf,
  publishTo,
  type Owner,
} from "./commandQueueHarness.ts";
import { until } from "./eventLogHarness.ts";

/** Deliveries of one shard and source that may be un-acked at once, in every harness. */
export const window = 8;

const shard = 1;
const otherShard = 0;

const sorted = (numbers: ReadonlyArray<number>) => numbers.toSorted((left, right) => left - right);

const emptyOf = Effect.fnUntraced(function* (owner: Owner, source: Source, sequences: ReadonlyArray<number>) {
  const { holds } = yield* CommandQueueHarness;
  for (const delivery of owner.deliveries) if (delivery.source === source) owner.ack(delivery);
  for (const sequence of sequences) {
    yield* until(
      `${source} ${sequence} is acked`,
      Effect.map(holds(sequence, source), (held) => !held),
    );
  }
});

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

    it.effect("delivers what nodes and operators published, and a due timer with its kind and version", () =>
      Effect.gen(function* () {
        const { publish } = yield* CommandQueueHarness;
        const [payment] = yield* paymentsOf(shard, 1);
        const resume = yield* publish({ source: "internal", payment: payment!, verb: "resume" });
        const due = yield* publish({ source: "due", payment: payment!, verb: "round", version: 7 });
        const epoch = nextEpoch();
        const owner = yield* own(shard, epoch);
        yield* owner.given(2);
        const [first, second] = owner.deliveries.toSorted((left, right) => (left.verb < right.verb ? -1 : 1));
        expect(first).toMatchObject({ source: "internal", shard, epoch, payment, verb: "resume", sequence: resume });
        expect(first!.version).toBeUndefined();
        expect(second).toMatchObject({
          source: "due",
          shard,
          epoch,
          payment,
          verb: "round",
          version: 7,
          sequence: due,
        });
        yield* emptied(shard, [resume], "internal");
        yield* emptied(shard, [due], "due");
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
          Effect.map(
            Effect.forEach(sequences, (sequence) => holds(sequence)),
            (held) => held.filter(Boolean).length === window - 3,
          ),
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

    for (const flooding of sources) {
      it.effect(`delivers what is not ${flooding} while a flood of ${flooding} fills its window`, () =>
        Effect.gen(function* () {
          const flood = yield* publishTo(shard, 3 * window, flooding);
          const owner = yield* own(shard);
          yield* owner.given(window, flooding);
          for (const other of sources.filter((source) => source !== flooding)) {
            const sequences = yield* publishTo(shard, window, other);
            yield* owner.given(window, other);
            expect(owner.sequences(other)).toEqual(sequences);
            yield* emptyOf(owner, other, sequences);
          }
          expect(owner.sequences(flooding)).toEqual(flood.slice(0, window));
          yield* emptied(shard, flood, flooding);
        }),
      );
    }

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
