import { describe, expect, it } from "@effect/vitest";
import { Effect, Fiber } from "effect";
import {
  type Answer,
  type Dropped,
  droppedConnection,
  eventually,
  type PlainClient,
  runningSimulator,
  scratchDirectory,
} from "./simulatorHarness.ts";

const hours = 3_600_000;
const statusOf = (answer: Answer | Dropped) => (answer === droppedConnection ? answer : answer.status);

/** A charge on which the kind of operation is possible. */
const chargeFor = (simulator: PlainClient, kind: string, token = "tok_visa") =>
  Effect.map(
    simulator.charge("key-1", { amount: 1000, token, capture: kind === "refund" ? "automatic" : "manual" }),
    ({ body }) => body.id as string,
  );

/** What one operation of 1000 has moved. */
const moved = {
  capture: { captured: 1000, refunded: 0, released: 0 },
  void: { captured: 0, refunded: 0, released: 1000 },
  refund: { captured: 1000, refunded: 1000, released: 0 },
};
const unmoved = {
  capture: { captured: 0 },
  void: { released: 0, status: "authorized" },
  refund: { refunded: 0 },
};

for (const kind of ["capture", "void", "refund"] as const) {
  describe(`the first request of a ${kind}`, () => {
    for (const [how, faults, token] of [
      ["ordered by kind", { firstRequests: { [kind]: "lose-answer" } }, "tok_visa"],
      ["ordered by the charge's token", {}, "tok_operations_lost_answer"],
    ] as const) {
      it.live(`loses its answer where ${how}: it is done, found by its key, and a repeat is answered`, () =>
        Effect.gen(function* () {
          const simulator = yield* runningSimulator();
          yield* simulator.faults(faults);
          const id = yield* chargeFor(simulator, kind, token);
          expect(yield* simulator.tryOperate(id, kind, "key-2")).toBe(droppedConnection);
          expect(yield* simulator.operationsByKey("key-2")).toMatchObject([
            { key: "key-2", charge: id, kind, amount: 1000, currency: "USD", status: "succeeded" },
          ]);
          const repeat = yield* simulator.operate(id, kind, "key-2");
          expect([repeat.status, repeat.headers.get("idempotent-replayed")]).toEqual([200, "true"]);
          expect((yield* simulator.ledger).charges).toMatchObject([
            { ...moved[kind], operations: [{ key: "key-2", requests: 2 }] },
          ]);
        }),
      );
    }

    for (const [how, faults, token] of [
      ["ordered by kind", { firstRequests: { [kind]: "reset" } }, "tok_visa"],
      ["ordered by the charge's token", {}, "tok_operations_reset"],
    ] as const) {
      it.live(`is reset where ${how}: nothing is done, and a repeat does it`, () =>
        Effect.gen(function* () {
          const simulator = yield* runningSimulator();
          yield* simulator.faults(faults);
          const id = yield* chargeFor(simulator, kind, token);
          expect(yield* simulator.tryOperate(id, kind, "key-2")).toBe(droppedConnection);
          expect(yield* simulator.operationsByKey("key-2")).toEqual([]);
          expect((yield* simulator.ledger).charges).toMatchObject([{ ...unmoved[kind], operations: [] }]);
          const repeat = yield* simulator.operate(id, kind, "key-2");
          expect([repeat.status, repeat.headers.get("idempotent-replayed")]).toEqual([200, null]);
        }),
      );
    }
  });

  describe(`a ${kind} under faults`, () => {
    it.live("is done when its answer is held back, and found meanwhile", () =>
      Effect.gen(function* () {
        const simulator = yield* runningSimulator();
        const id = yield* chargeFor(simulator, kind);
        yield* simulator.faults({ timeoutRate: 1, timeoutDelayMs: hours });
        const client = yield* Effect.forkScoped(simulator.operate(id, kind, "key-2"));
        yield* eventually(simulator.ledger, ({ charges }) => charges[0]!.operations.length === 1);
        expect(client.pollUnsafe()).toBe(undefined);
        yield* Fiber.interrupt(client);
        yield* simulator.faults({});
        expect(yield* simulator.operationsByKey("key-2")).toMatchObject([{ status: "succeeded" }]);
      }),
    );

    it.live("that is refused stays refused under its key and moves nothing; another key may do it", () =>
      Effect.gen(function* () {
        const simulator = yield* runningSimulator();
        const id = yield* chargeFor(simulator, kind);
        yield* simulator.faults({ refusalRate: 1 });
        const refused = yield* simulator.operate(id, kind, "key-2");
        expect(refused).toMatchObject({ status: 402, body: { error: { code: "operation_refused", charge: id } } });
        yield* simulator.faults({});
        const repeat = yield* simulator.operate(id, kind, "key-2");
        expect([repeat.status, repeat.body]).toEqual([402, refused.body]);
        expect(yield* simulator.operationsByKey("key-2")).toMatchObject([
          { status: "failed", error: { code: "operation_refused" } },
        ]);
        expect((yield* simulator.ledger).charges).toMatchObject([unmoved[kind]]);
        expect((yield* simulator.operate(id, kind, "key-3")).status).toBe(200);
      }),
    );
  });
}

describe("operations under http500Rate", () => {
  it.live("are done or not, which only a look-up by key says", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const id = yield* chargeFor(simulator, "refund");
      yield* simulator.faults({ http500Rate: 1 });
      const keys = Array.from({ length: 20 }, (_, n) => `refund-${n}`);
      const answers = yield* Effect.forEach(keys, (key) => simulator.tryOperate(id, "refund", key, { amount: 50 }));
      expect(new Set(answers.map(statusOf))).toEqual(new Set([500]));
      yield* simulator.faults({});
      const found = yield* Effect.forEach(keys, (key) => simulator.operationsByKey(key));
      const done = found.filter((operations) => operations.length === 1).length;
      expect(done).toBeGreaterThan(0);
      expect(done).toBeLessThan(20);
      expect((yield* simulator.ledger).charges).toMatchObject([{ refunded: done * 50 }]);
    }),
  );
});

describe("what the gateway books", () => {
  for (const [title, token, faults, booked] of [
    ["another amount, by token", "tok_other_amount", {}, { amount: 1998, currency: "USD", captured: 1998 }],
    ["another amount, by order", "tok_visa", { otherAmountRate: 1 }, { amount: 1998, currency: "USD", captured: 1998 }],
    ["another currency, by token", "tok_other_currency", {}, { amount: 1999, currency: "EUR", captured: 1999 }],
    ["another currency, by order", "tok_visa", { otherCurrencyRate: 1 }, { amount: 1999, currency: "EUR" }],
  ] as const) {
    it.live(`for a charge is ${title}; a repeat of the same request is still the same request`, () =>
      Effect.gen(function* () {
        const simulator = yield* runningSimulator();
        yield* simulator.faults(faults);
        const first = yield* simulator.charge("key-1", { token });
        expect(first.body).toMatchObject(booked);
        const repeat = yield* simulator.charge("key-1", { token });
        expect([repeat.headers.get("idempotent-replayed"), repeat.body]).toEqual(["true", first.body]);
        expect((yield* simulator.charge("key-1", { token, amount: 1998 })).status).toBe(422);
        expect((yield* simulator.ledger).charges).toMatchObject([booked]);
      }),
    );
  }

  for (const kind of ["capture", "refund"] as const) {
    it.live(`for a ${kind} is another amount or currency where ordered, and its bounds hold`, () =>
      Effect.gen(function* () {
        const simulator = yield* runningSimulator();
        const id = yield* chargeFor(simulator, kind);
        yield* simulator.faults({ otherAmountRate: 1 });
        yield* simulator.operate(id, kind, "key-2", { amount: 600 });
        yield* simulator.faults({ otherCurrencyRate: 1 });
        yield* simulator.operate(id, kind, "key-3", { amount: 100 });
        yield* simulator.faults({ otherAmountRate: 1 });
        yield* simulator.operate(id, kind, "key-4", { amount: 1 });
        yield* simulator.operate(id, kind, "key-5");
        yield* simulator.operate(id, kind, "key-6");
        const booked = yield* Effect.forEach([2, 3, 4, 5, 6], (n) => simulator.operationsByKey(`key-${n}`));
        expect(booked.map(([operation]) => [operation.amount, operation.currency])).toEqual([
          [599, "USD"],
          [100, "EUR"],
          [2, "USD"],
          [298, "USD"],
          [1, "USD"],
        ]);
        expect((yield* simulator.operate(id, kind, "key-2", { amount: 600 })).status).toBe(200);
        expect((yield* simulator.ledger).charges).toMatchObject([
          kind === "capture" ? { captured: 1000 } : { captured: 1000, refunded: 1000 },
        ]);
      }),
    );
  }
});

describe("the record of operations", () => {
  it.live("survives a restart with refusals, other currencies and first requests", () =>
    Effect.gen(function* () {
      const dataDir = yield* scratchDirectory;
      const before = yield* Effect.scoped(
        Effect.gen(function* () {
          const simulator = yield* runningSimulator({ dataDir });
          const id = yield* chargeFor(simulator, "capture");
          yield* simulator.faults({ refusalRate: 1 });
          yield* simulator.operate(id, "capture", "key-2");
          yield* simulator.faults({ otherCurrencyRate: 1 });
          yield* simulator.operate(id, "capture", "key-3", { amount: 400 });
          yield* simulator.faults({ firstRequests: { void: "reset", refund: "lose-answer" } });
          yield* simulator.tryOperate(id, "void", "key-4");
          yield* simulator.tryOperate(id, "refund", "key-5", { amount: 100 });
          const operations = yield* Effect.forEach([2, 3, 4, 5], (n) => simulator.operationsByKey(`key-${n}`));
          return { id, operations, ledger: yield* simulator.ledger };
        }),
      );
      const simulator = yield* runningSimulator({ dataDir });
      const after = yield* simulator.ledger;
      const look = (n: number) => simulator.operationsByKey(`key-${n}`);
      expect(yield* Effect.forEach([2, 3, 4, 5], look)).toEqual(before.operations);
      expect(after.charges).toEqual(before.ledger.charges);
      yield* simulator.faults({ firstRequests: { void: "reset" } });
      expect((yield* simulator.operate(before.id, "void", "key-4")).body).toMatchObject({ captured: 400 });
      expect((yield* simulator.operate(before.id, "capture", "key-2")).status).toBe(402);
    }),
  );
});
