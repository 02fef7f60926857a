/** The order of trials within one process: what is marked first, what waits for what, and what waits for nothing. */
import { describe, expect, it } from "@effect/vitest";
import { Effect } from "effect";
import { keyOf, ProcessLives } from "./processLives.ts";

const second = 1_000;

type Marks = Readonly<Record<string, number>>;

/** A process that has ended with these in flight, and the next one, which has just taken over and found these marks. */
const afterAnEnd = Effect.fnUntraced(function* (
  marks: Marks,
  prepare: (lives: ProcessLives) => void,
  { shards = 1 } = {},
) {
  const lives = new ProcessLives(shards);
  prepare(lives);
  lives.frozen = true;
  yield* lives.start;
  yield* lives.run(() => lives.begun.length === lives.queued.length);
  yield* lives.kill;
  lives.frozen = false;
  lives.begun.length = 0;
  lives.reports.length = 0;
  lives.reports.length = 0;
  lives.marks.set(0, new Map(Object.entries(marks).map(([payment, mark]) => [keyOf(payment), mark])));
  yield* lives.start;
  return lives;
});

const beginningOf = (lives: ProcessLives, payment: string) =>
  lives.begun.find((beginning) => beginning.payment === payment)!;

describe("a suspect payment", () => {
  it.effect("is begun only when its mark is durable", () =>
    Effect.gen(function* () {
      const lives = yield* afterAnEnd({}, (before) => {
        for (const payment of ["one", "two", "three"]) before.publish(payment);
      });
      lives.failWrites = 5;
      expect(yield* lives.run(() => lives.begun.length > 0, 900)).toBe(false);
      yield* lives.runToEnd();
      expect(lives.begun.map(({ payment, mark }) => [payment, mark])).toEqual([
        ["one", 1],
        ["two", 1],
        ["three", 1],
      ]);
    }),
  );

  it.effect("is not begun before it is known how often it was marked", () =>
    Effect.gen(function* () {
      const lives = new ProcessLives();
      lives.publish("killer", { killsAfterMillis: 0 });
      lives.marks.set(0, new Map([[keyOf("killer"), 1_000]]));
      lives.failReads = 4;
      yield* lives.start;
      yield* lives.runToEnd();
      expect([lives.begun, lives.parked]).toEqual([[], ["killer"]]);
    }),
  );

  it.effect("is not begun where the lease is lost before its mark is durable", () =>
    Effect.gen(function* () {
      const lives = yield* afterAnEnd({}, (before) => before.publish("one"));
      lives.failWrites = 1_000;
      lives.mine = false;
      expect(yield* lives.run(() => lives.begun.length > 0, 5 * second)).toBe(false);
      expect(lives.queued).toEqual(["one"]);
      yield* lives.kill;
    }),
  );

  it.effect("does not wait for the one before to come to something: all have begun within a second or so", () =>
    Effect.gen(function* () {
      for (const count of [10, 300]) {
        const lives = yield* afterAnEnd({}, (before) => {
          for (let index = 0; index < count; index++) before.publish(`slow-${index}`, { takesMillis: 60 * second });
        });
        expect(yield* lives.run(() => lives.begun.length === count, 10 * second)).toBe(true);
        expect(lives.begun.at(-1)!.atMillis - lives.begun[0]!.atMillis).toBeLessThan(2 * second);
        yield* lives.kill;
      }
    }),
  );
});

describe("a payment that was marked before", () => {
  it.effect("is tried alone: others of its shard begin when it has come to something", () =>
    Effect.gen(function* () {
      const lives = yield* afterAnEnd({ marked: 1 }, (before) => {
        before.publish("marked", { takesMillis: second });
        before.publish("one", { takesMillis: 100 });
        before.publish("two", { takesMillis: 100 });
      });
      yield* lives.run(() => lives.queued.length === 0);
      const { atMillis } = beginningOf(lives, "marked");
      for (const other of ["one", "two"])
        expect(beginningOf(lives, other).atMillis).toBeGreaterThanOrEqual(atMillis + second);
    }),
  );

  it.effect("begins when those that were begun before it have come to something, in whatever shard", () =>
    Effect.gen(function* () {
      const lives = yield* afterAnEnd(
        { marked: 1 },
        (before) => {
          before.publish("one", { takesMillis: second }, 0);
          before.publish("elsewhere", { takesMillis: second }, 1);
          before.publish("marked", { takesMillis: 100 }, 0);
        },
        { shards: 2 },
      );
      yield* lives.run(() => lives.queued.length === 0);
      for (const other of ["one", "elsewhere"])
        expect(beginningOf(lives, "marked").atMillis).toBeGreaterThanOrEqual(
          beginningOf(lives, other).atMillis + second,
        );
    }),
  );

  it.effect("is tried alone over all shards of the process", () =>
    Effect.gen(function* () {
      const lives = yield* afterAnEnd(
        { marked: 1 },
        (before) => {
          before.publish("marked", { takesMillis: second }, 0);
          for (const shard of [0, 1, 2]) {
            before.publish(`first-${shard}`, { takesMillis: 50 }, shard);
            before.publish(`second-${shard}`, { takesMillis: 50 }, shard);
          }
        },
        { shards: 3 },
      );
      yield* lives.run(() => lives.queued.length === 0);
      const { atMillis } = beginningOf(lives, "marked");
      const during = lives.begun.filter((other) => other.atMillis > atMillis && other.atMillis < atMillis + second);
      expect(during).toEqual([]);
    }),
  );

  it.effect("holds up other suspects for a bounded time only, when it comes to nothing", () =>
    Effect.gen(function* () {
      const lives = yield* afterAnEnd({ marked: 1 }, (before) => {
        before.publish("marked", { takesMillis: 600 * second });
        before.publish("one");
        before.publish("two");
      });
      expect(yield* lives.run(() => lives.queued.length === 1, 45 * second)).toBe(true);
      expect(lives.queued).toEqual(["marked"]);
      yield* lives.kill;
    }),
  );
});

describe("what is not suspect", () => {
  it.effect("is never held up by what is, not for a moment", () =>
    Effect.gen(function* () {
      const lives = yield* afterAnEnd({ marked: 1 }, (before) => {
        before.publish("marked", { takesMillis: 600 * second });
        for (let index = 0; index < 20; index++) before.publish(`slow-${index}`, { takesMillis: 600 * second });
      });
      for (let index = 0; index < 20; index++) {
        lives.publish(`new-${index}`);
        expect(lives.hasBegun(`new-${index}`)).toBe(true);
        yield* lives.run(() => false, 200);
      }
      yield* lives.kill;
    }),
  );

  it.effect("is not marked", () =>
    Effect.gen(function* () {
      const lives = new ProcessLives();
      yield* lives.start;
      lives.publish("one", { takesMillis: 600 * second });
      yield* lives.run(() => false, second);
      expect([lives.begun.length, lives.allMarks]).toEqual([1, []]);
      yield* lives.kill;
    }),
  );
});

describe("the mark of a payment that has come to something", () => {
  const prepare = (lives: ProcessLives): void => {
    for (const payment of ["one", "two", "three"]) lives.publish(payment, { takesMillis: 100 });
  };

  it.effect("is forgotten durably soon after", () =>
    Effect.gen(function* () {
      const lives = yield* afterAnEnd({ one: 1, two: 1 }, prepare);
      yield* lives.runToEnd();
      yield* lives.run(() => lives.allMarks.length === 0, second);
      expect(lives.allMarks).toEqual([]);
      yield* lives.kill;
    }),
  );

  it.effect("is forgotten durably also where the process stops right then", () =>
    Effect.gen(function* () {
      const lives = yield* afterAnEnd({ one: 1, two: 1 }, prepare);
      yield* lives.runToEnd();
      // The stop waits for the write, which takes a moment of the test's clock.
      const stopping = yield* Effect.forkChild(lives.stop);
      yield* lives.run(() => stopping.pollUnsafe() !== undefined, second);
      expect(lives.allMarks).toEqual([]);
    }),
  );

  it.effect("is forgotten although writes fail for a while", () =>
    Effect.gen(function* () {
      const lives = yield* afterAnEnd({ one: 1, two: 1 }, prepare);
      yield* lives.run(() => lives.queued.length === 0);
      lives.failWrites = 4;
      expect(yield* lives.run(() => lives.allMarks.length === 0, 10 * second)).toBe(true);
      yield* lives.kill;
    }),
  );

  it.effect("is forgotten also where a parked payment's command comes next", () =>
    Effect.gen(function* () {
      const lives = yield* afterAnEnd({ parked: 1_000 }, (before) => {
        before.publish("one", { takesMillis: 0 });
        before.publish("parked");
      });
      yield* lives.runToEnd();
      yield* lives.run(() => lives.allMarks.length === 1, 5 * second);
      expect(lives.parked).toContain("parked");
      expect(lives.allMarks).toEqual([keyOf("parked")]);
      yield* lives.kill;
    }),
  );
});

describe("the report of a recovery", () => {
  it.effect("is made once, when all that was left behind has come to something, and counts it", () =>
    Effect.gen(function* () {
      const lives = yield* afterAnEnd({ killer: 2 }, (before) => {
        before.publish("one", { takesMillis: 500 });
        before.publish("two", { takesMillis: 500 });
        before.publish("killer", { killsAfterMillis: 0 });
      });
      yield* lives.run(() => lives.reports.length > 0);
      yield* lives.run(() => false, 40 * second);
      expect(lives.reports).toMatchObject([
        {
          shard: 0,
          node: "node",
          takeOverMillis: 1,
          totalPayments: 3,
          inFlightPayments: 3,
          recoveredPayments: 2,
          failedRecoveries: 1,
          complete: true,
        },
      ]);
      expect(lives.reports[0]!.recoveryMillis).toBeGreaterThanOrEqual(500);
      expect(lives.reports[0]!.payments.toSorted()).toEqual(["shop/killer", "shop/one", "shop/two"]);
      yield* lives.kill;
    }),
  );

  it.effect("is made as it stands when something takes very long", () =>
    Effect.gen(function* () {
      const lives = yield* afterAnEnd({}, (before) => {
        before.publish("one");
        before.publish("slow", { takesMillis: 600 * second });
      });
      expect(yield* lives.run(() => lives.reports.length > 0, 60 * second)).toBe(true);
      expect(lives.reports[0]).toMatchObject({ totalPayments: 2, recoveredPayments: 1, complete: false });
      yield* lives.kill;
    }),
  );

  it.effect("counts a payment as recovered only by what was left behind, not by what came later", () =>
    Effect.gen(function* () {
      const lives = yield* afterAnEnd({ again: 1 }, (before) => {
        before.publish("slow", { takesMillis: 20 * second });
        before.publish("slower", { takesMillis: 25 * second });
      });
      // Marked by an earlier end, so it is tried too, but nobody has left it behind now.
      for (let round = 0; round < 2; round++) {
        lives.publish("again");
        yield* lives.run(() => !lives.queued.includes("again"), 10 * second);
      }
      yield* lives.run(() => lives.reports.length > 0);
      expect(lives.reports[0]).toMatchObject({ complete: true, recoveredPayments: 2, totalPayments: 2 });
      yield* lives.kill;
    }),
  );
});
