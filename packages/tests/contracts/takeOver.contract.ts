/** What every command queue holds when a shard changes hands (CommandQueue.ts, invariants 2 and 4). */
import { sources } from "@aegispay/core/addresses/AddressBook";
import { nothingLeftBehind } from "@aegispay/runtime/ingress/CommandQueue";
import { expect, layer } from "@effect/vitest";
import { Effect, Result, type Layer } from "effect";
import { CommandQueueHarness, emptied, nextEpoch, own, publishTo, type Owner } from "./commandQueueHarness.ts";
import { until } from "./eventLogHarness.ts";

const shard = 1;

const concurrently = { concurrency: "unbounded" } as const;

const sorted = (numbers: ReadonlyArray<number>) => numbers.toSorted((left, right) => left - right);

const isTold = (owner: Owner) =>
  until(
    "an owner is told that it has lost a consumer",
    Effect.sync(() => owner.lost() > 0),
  );

/** The error of a take-over that is done while something is wrong. */
const failedRound = Effect.fnUntraced(function* (
  epoch: number,
  disturbed: CommandQueueHarness["Service"]["whileAway"],
) {
  const context = yield* Effect.context<CommandQueueHarness>();
  return yield* disturbed(Effect.provide(Effect.flip(Effect.scoped(own(shard, epoch))), context));
});

/** An owner that was given three commands, two internal commands and a due timer, and has acked the first command. */
const leaveBehind = Effect.gen(function* () {
  const { holds } = yield* CommandQueueHarness;
  const command = yield* publishTo(shard, 3, "command");
  const internal = yield* publishTo(shard, 2, "internal");
  const due = yield* publishTo(shard, 1, "due");
  const epoch = nextEpoch();
  const owner = yield* own(shard, epoch);
  yield* owner.given(6);
  owner.ack(owner.deliveries.find(({ sequence, source }) => source === "command" && sequence === command[0])!);
  yield* until(
    "its ack counts",
    Effect.map(holds(command[0]!), (held) => !held),
  );
  const upTo = { command: command[2]!, internal: internal[1]!, due: due[0]! };
  const cleanUp = Effect.all([
    emptied(shard, command),
    emptied(shard, internal, "internal"),
    emptied(shard, due, "due"),
  ]);
  return { owner, epoch, leftBehind: { ended: true, count: 5, upTo }, cleanUp };
});

export const takeOverContract = <E>(name: string, harness: Layer.Layer<CommandQueueHarness, E>) => {
  layer(harness, { excludeTestServices: true, timeout: "30 seconds" })(`${name} as a shard changes hands`, (it) => {
    for (const source of sources) {
      it.effect(`takes no ack of ${source} from an owner of an older epoch, gives it none, and tells it so`, () =>
        Effect.gen(function* () {
          const { holds } = yield* CommandQueueHarness;
          const older = yield* own(shard);
          const sequences = yield* publishTo(shard, 4, source);
          yield* older.given(4);
          const newer = yield* own(shard);
          yield* newer.given(4);
          yield* isTold(older);
          for (const delivery of older.deliveries) delivery.ack();
          older.deliveries[0]!.returnLater(0);
          const late = yield* publishTo(shard, 4, source);
          yield* newer.given(8);
          // Whatever the older owner's acks did, they did it before the newer one's ack, which is seen to work.
          newer.ack(newer.deliveries[7]!);
          yield* until(
            "the newer owner's ack counts",
            Effect.map(holds(late[3]!, source), (held) => !held),
          );
          const held = yield* Effect.forEach(sequences, (sequence) => holds(sequence, source));
          expect(held).toEqual([true, true, true, true]);
          const next = yield* own(shard);
          yield* next.given(7);
          expect(sorted(next.sequences())).toEqual([...sequences, ...late.slice(0, 3)]);
          expect(older.deliveries.length).toBe(4);
          yield* emptied(shard, [...sequences, ...late], source);
        }),
      );
    }

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
        for (const loser of losers) yield* isTold(loser);
        expect(losers.flatMap(({ deliveries }) => deliveries)).toEqual([]);
      }),
    );

    for (const source of sources) {
      it.effect(`tells an owner whose consumer of ${source} was deleted, who then takes the shard over anew`, () =>
        Effect.gen(function* () {
          const { deleteConsumer } = yield* CommandQueueHarness;
          const owner = yield* own(shard);
          const sequences = yield* publishTo(shard, 2, source);
          yield* owner.given(2);
          yield* deleteConsumer(shard, source);
          yield* isTold(owner);
          const again = yield* own(shard);
          yield* again.given(2);
          expect(sorted(again.sequences())).toEqual(sequences);
          yield* emptied(shard, sequences, source);
        }),
      );
    }

    it.effect("fails a take-over that gets no answer, and grants it when it is asked again", () =>
      Effect.gen(function* () {
        const { whileAway } = yield* CommandQueueHarness;
        const sequences = yield* publishTo(shard, 2);
        const error = yield* failedRound(nextEpoch(), whileAway);
        expect(error).toMatchObject({ _tag: "TakeOverFailed", shard });
        const owner = yield* Effect.retry(own(shard), { times: 20 });
        yield* owner.given(2);
        yield* emptied(shard, sequences);
      }),
    );

    it.effect("says how much of each source an owner had been given and not acked, and up to where", () =>
      Effect.gen(function* () {
        const { owner, leftBehind, cleanUp } = yield* leaveBehind;
        yield* owner.stop;
        const next = yield* own(shard);
        expect(next.leftBehind).toEqual(leftBehind);
        yield* next.given(5);
        // What it was given counts as left behind in its turn.
        expect((yield* own(shard)).leftBehind).toEqual(leftBehind);
        yield* cleanUp;
      }),
    );

    it.effect("says that nothing is left behind where everything was acked, or nobody was before", () =>
      Effect.gen(function* () {
        const { holds } = yield* CommandQueueHarness;
        const first = yield* own(shard);
        expect(first.leftBehind).toMatchObject({ count: 0, upTo: nothingLeftBehind.upTo });
        const [sequence] = yield* publishTo(shard, 1);
        yield* first.given(1);
        first.ack(first.deliveries[0]!);
        yield* until(
          "it is acked",
          Effect.map(holds(sequence!), (held) => !held),
        );
        const second = yield* own(shard);
        expect(second.leftBehind).toMatchObject({ count: 0, upTo: nothingLeftBehind.upTo });
        yield* emptied(shard, []);
      }),
    );

    it.effect("says that nothing is left behind by an owner that retired, and delivers what it held", () =>
      Effect.gen(function* () {
        const { queue } = yield* CommandQueueHarness;
        const { owner, epoch, cleanUp } = yield* leaveBehind;
        yield* owner.stop;
        yield* queue.retire(shard, epoch);
        const next = yield* own(shard);
        expect(next.leftBehind).toMatchObject({ count: 0, upTo: nothingLeftBehind.upTo });
        yield* next.given(5);
        yield* cleanUp;
      }),
    );

    it.effect("lets an owner of an older epoch retire without harm to the latest", () =>
      Effect.gen(function* () {
        const { queue } = yield* CommandQueueHarness;
        const older = nextEpoch();
        yield* own(shard, older);
        const latest = yield* own(shard);
        yield* queue.retire(shard, older);
        const sequences = yield* publishTo(shard, 2);
        yield* latest.given(2);
        expect(latest.lost()).toBe(0);
        yield* emptied(shard, sequences);
      }),
    );

    it.effect("does not forget what was left behind when a first round deleted its consumers and then failed", () =>
      Effect.gen(function* () {
        const { failingHalfWay } = yield* CommandQueueHarness;
        const { owner, leftBehind, cleanUp } = yield* leaveBehind;
        yield* owner.stop;
        const epoch = nextEpoch();
        const error = yield* failedRound(epoch, failingHalfWay);
        expect(error).toMatchObject({ _tag: "TakeOverFailed", shard });
        const next = yield* Effect.retry(own(shard, epoch), { times: 20 });
        expect(next.leftBehind).toEqual(leftBehind);
        yield* next.given(5);
        yield* cleanUp;
      }),
    );

    it.effect("counts what was left behind once when a first round failed before its consumers were deleted", () =>
      Effect.gen(function* () {
        const { failingToDelete } = yield* CommandQueueHarness;
        const { owner, leftBehind, cleanUp } = yield* leaveBehind;
        yield* owner.stop;
        const epoch = nextEpoch();
        const error = yield* failedRound(epoch, failingToDelete);
        expect(error).toMatchObject({ _tag: "TakeOverFailed", shard });
        const next = yield* Effect.retry(own(shard, epoch), { times: 20 });
        expect(next.leftBehind).toEqual(leftBehind);
        yield* next.given(5);
        yield* cleanUp;
      }),
    );
  });
};
