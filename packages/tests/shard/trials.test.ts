/** Trials over processes that end: what ends them is parked after three, and nothing else ever is. */
import { describe, expect, it } from "@effect/vitest";
import { Effect } from "effect";
import { keyOf, ProcessLives } from "./processLives.ts";

const names = (prefix: string, count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

describe("a payment that ends its process always", () => {
  for (const killsAfterMillis of [0, 20, 400]) {
    it.effect(`is begun three times and then parked, when it does so after ${killsAfterMillis} ms`, () =>
      Effect.gen(function* () {
        const lives = new ProcessLives();
        lives.publish("killer", { killsAfterMillis });
        yield* lives.runToEnd();
        expect(lives.livesOf("killer")).toEqual([1, 2, 3]);
        expect(lives.begun.map(({ mark }) => mark)).toEqual([0, 1, 2]);
        expect(lives.parked).toEqual(["killer"]);
        expect([lives.life, lives.markOf("killer")]).toEqual([4, 1_000]);
      }),
    );
  }

  it.effect("is parked with all of its commands that were left behind", () =>
    Effect.gen(function* () {
      const lives = new ProcessLives();
      lives.publish("killer", { killsAfterMillis: 20 });
      lives.publish("killer");
      yield* lives.runToEnd();
      expect(new Set(lives.livesOf("killer"))).toEqual(new Set([1, 2, 3]));
      expect(lives.parked).toEqual(["killer", "killer"]);
    }),
  );

  it.effect("is parked again, without being begun, whenever another command for it comes", () =>
    Effect.gen(function* () {
      const lives = new ProcessLives();
      lives.publish("killer", { killsAfterMillis: 0 });
      yield* lives.runToEnd();
      lives.publish("killer");
      yield* lives.runToEnd();
      yield* lives.stop;
      yield* lives.start;
      lives.publish("killer");
      yield* lives.runToEnd();
      expect(lives.parked).toEqual(["killer", "killer", "killer"]);
      expect(lives.livesOf("killer")).toEqual([1, 2, 3]);
    }),
  );

  it.effect("is begun again when an operator has removed its mark", () =>
    Effect.gen(function* () {
      const lives = new ProcessLives();
      lives.publish("killer", { killsAfterMillis: 0 });
      yield* lives.runToEnd();
      lives.marks.set(0, new Map());
      lives.publish("killer", { takesMillis: 30 });
      yield* lives.runToEnd();
      expect(lives.livesOf("killer")).toEqual([1, 2, 3, 4]);
      expect(lives.parked).toEqual(["killer"]);
      expect(lives.queued).toEqual([]);
    }),
  );

  it.effect("is begun again when an operator has removed its mark while others were being tried", () =>
    Effect.gen(function* () {
      const lives = new ProcessLives();
      lives.marks.set(0, new Map([[keyOf("killer"), 1_000]]));
      for (const payment of names("other", 5)) lives.publish(payment, { takesMillis: 300 });
      yield* lives.start;
      yield* lives.run(() => lives.hasBegun("other-0"));
      yield* lives.kill;
      yield* lives.start;
      lives.publish("killer", { takesMillis: 30 });
      yield* lives.run(() => lives.hasBegun("other-0"));
      // The operator removes this one mark, on condition of what stands there.
      lives.marks.set(0, new Map([...lives.marks.get(0)!].filter(([key]) => key !== keyOf("killer"))));
      yield* lives.runToEnd();
      lives.publish("killer");
      yield* lives.runToEnd();
      expect(lives.hasBegun("killer")).toBe(true);
    }),
  );

  it.effect("waits with its older command when a newer one comes meanwhile", () =>
    Effect.gen(function* () {
      const lives = new ProcessLives();
      lives.publish("slow", { takesMillis: 1_000 });
      lives.publish("killer", { killsAfterMillis: 5 });
      yield* lives.start;
      yield* lives.run(() => false);
      for (let life = 2; life < 10 && !lives.parked.includes("killer"); life++) {
        yield* lives.start;
        // A client that hears nothing publishes again.
        lives.publish("killer");
        yield* lives.run(() => lives.queued.length === 0);
      }
      expect(lives.livesOf("killer").length).toBeLessThanOrEqual(3);
    }),
  );
});

describe("a payment that was in flight beside one that ends its process", () => {
  const neighbours = names("innocent", 8);

  for (const [takesMillis, killsAfterMillis] of [
    [0, 0],
    [30, 0],
    [30, 200],
    [300, 0],
    [300, 20],
    [300, 1_000],
    [1_500, 0],
    [1_500, 50],
    [1_500, 1_000],
  ] as const) {
    it.effect(`is never parked: they take ${takesMillis} ms, it ends the process after ${killsAfterMillis} ms`, () =>
      Effect.gen(function* () {
        for (const position of [0, 1, 4, 8]) {
          const lives = new ProcessLives();
          for (const [index, payment] of neighbours.entries()) {
            if (index === position) lives.publish("killer", { killsAfterMillis });
            lives.publish(payment, { takesMillis });
          }
          if (position === neighbours.length) lives.publish("killer", { killsAfterMillis });
          yield* lives.runToEnd();
          expect(lives.parked).toEqual(["killer"]);
          expect(lives.livesOf("killer").length).toBe(3);
          for (const payment of neighbours) expect(lives.livesOf(payment).length).toBeGreaterThan(0);
        }
      }),
    );
  }

  it.effect("is never parked, whichever shard of the process it is in", () =>
    Effect.gen(function* () {
      for (const takesMillis of [30, 300, 1_500]) {
        for (const killerShard of [0, 2, 3]) {
          const lives = new ProcessLives(4);
          for (let shard = 0; shard < 4; shard++) {
            for (const index of [0, 1, 2]) lives.publish(`innocent-${shard}-${index}`, { takesMillis }, shard);
            if (shard === killerShard) lives.publish("killer", { killsAfterMillis: 5 }, shard);
          }
          yield* lives.runToEnd();
          expect(lives.parked).toEqual(["killer"]);
          // Twelve slow ones cannot all be tried alone in the time there is for that: the killer's turn may come a life later.
          expect(lives.livesOf("killer").length).toBeLessThanOrEqual(takesMillis < 1_000 ? 3 : 7);
        }
      }
    }),
  );

  it.effect("is never parked, however long its gateway takes", () =>
    Effect.gen(function* () {
      for (const position of ["before", "after"]) {
        const lives = new ProcessLives();
        if (position === "before") lives.publish("innocent", { takesMillis: 10_000 });
        lives.publish("killer", { killsAfterMillis: 20 });
        if (position === "after") lives.publish("innocent", { takesMillis: 10_000 });
        yield* lives.runToEnd();
        expect(lives.parked).toEqual(["killer"]);
      }
    }),
  );

  it.effect("is never parked, also where two of them end the process", () =>
    Effect.gen(function* () {
      const lives = new ProcessLives(2);
      for (const payment of names("left", 3)) lives.publish(payment, { takesMillis: 200 }, 0);
      lives.publish("killer-a", { killsAfterMillis: 20 }, 0);
      for (const payment of names("right", 3)) lives.publish(payment, { takesMillis: 200 }, 1);
      lives.publish("killer-b", { killsAfterMillis: 20 }, 1);
      yield* lives.runToEnd();
      expect(lives.parked.toSorted()).toEqual(["killer-a", "killer-b"]);
      // Each is there at ends that are the other's doing: so it takes more to convict it.
      for (const killer of ["killer-a", "killer-b"]) expect(lives.livesOf(killer).length).toBeLessThanOrEqual(6);
    }),
  );
});

describe("a process that is ended from outside", () => {
  it.effect("has nobody parked for it, where payments come to something between its ends", () =>
    Effect.gen(function* () {
      const lives = new ProcessLives();
      for (let round = 0; round < 8; round++) {
        for (const payment of names("payment", 5)) lives.publish(payment, { takesMillis: 100 });
        yield* lives.start;
        yield* lives.run(() => lives.queued.length <= 2);
        yield* lives.kill;
      }
      yield* lives.runToEnd();
      expect(lives.parked).toEqual([]);
    }),
  );

  it.effect("has nobody parked for it, however often and at whatever moments it is ended", () =>
    Effect.gen(function* () {
      // Payments come all the time and take up to a quarter of what lies between two ends.
      for (const seed of [1, 2, 3, 4, 5]) {
        const lives = new ProcessLives(2);
        let random = seed;
        let payment = 0;
        for (let round = 0; round < 60; round++) {
          yield* lives.start;
          random = (random * 48_271) % 2_147_483_647;
          const livesFor = 500 + (random % 3_000);
          for (let passed = 0; passed < livesFor; passed += 250) {
            for (const shard of [0, 1]) lives.publish(`p-${payment++}`, { takesMillis: 100 + (payment % 400) }, shard);
            yield* lives.run(() => false, 250);
          }
          yield* lives.kill;
        }
        yield* lives.runToEnd();
        expect(lives.parked).toEqual([]);
      }
    }),
  );

  it.effect("counts no end where the same process takes its shard over anew", () =>
    Effect.gen(function* () {
      const lives = new ProcessLives();
      lives.publish("slow", { takesMillis: 60_000 });
      yield* lives.start;
      yield* lives.kill;
      yield* lives.start;
      yield* lives.run(() => lives.hasBegun("slow"));
      for (let round = 0; round < 5; round++) {
        yield* lives.again(0);
        yield* lives.run(() => false, 3_000);
      }
      expect(lives.markOf("slow")).toBe(1);
      expect(lives.parked).toEqual([]);
      yield* lives.kill;
    }),
  );
});
