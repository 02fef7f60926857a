import { describe, expect, it } from "@effect/vitest";
import { Effect } from "effect";
import { droppedConnection, type PlainClient, runningSimulator, scratchDirectory } from "./simulatorHarness.ts";

const order = (simulator: PlainClient, id: string, what: string, body?: unknown) =>
  simulator.answered("POST", `/admin/charges/${id}/${what}`, body);

const authorized = (simulator: PlainClient) =>
  Effect.map(simulator.charge("key-1", { amount: 1000, capture: "manual" }), ({ body }) => body.id as string);

describe("an authorization that expires", () => {
  it.live("holds nothing any more: no capture, no void, and expiring again is the same", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const id = yield* authorized(simulator);
      for (const _ of [1, 2]) {
        expect(yield* order(simulator, id, "expire")).toMatchObject({ status: 200, body: { status: "expired" } });
      }
      for (const kind of ["capture", "void", "refund"]) {
        const refused = yield* simulator.operate(id, kind, `${kind}-1`);
        expect(refused).toMatchObject({ status: 400, body: { error: { code: "charge_unexpected_state" } } });
      }
      expect((yield* simulator.ledger).charges).toMatchObject([{ status: "expired", captured: 0 }]);
    }),
  );

  it.live("keeps what was captured before and lets the rest go", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const id = yield* authorized(simulator);
      yield* simulator.operate(id, "capture", "key-2", { amount: 400 });
      expect((yield* order(simulator, id, "expire")).body).toMatchObject({ status: "succeeded", captured: 400 });
      expect((yield* simulator.operate(id, "capture", "key-3", { amount: 1 })).status).toBe(400);
    }),
  );

  it.live("must be one: what is captured, voided or declined does not expire", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const { body } = yield* simulator.charge("key-1");
      expect((yield* order(simulator, body.id, "expire")).status).toBe(409);
      expect((yield* order(simulator, "ch_none", "expire")).status).toBe(404);
    }),
  );
});

describe("a refund that is reversed later", () => {
  it.live("is the merchant's money again, once, and its first answer still stands", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const { body } = yield* simulator.charge("key-1", { amount: 1000 });
      const refund = yield* simulator.operate(body.id, "refund", "key-2", { amount: 300 });
      yield* simulator.operate(body.id, "refund", "key-3", { amount: 200 });
      for (const _ of [1, 2]) {
        expect((yield* order(simulator, body.id, "reverse-refund", { key: "key-2" })).body.refunded).toBe(200);
      }
      expect(yield* simulator.operationsByKey("key-2")).toMatchObject([{ status: "reversed", amount: 300 }]);
      expect((yield* simulator.operate(body.id, "refund", "key-2", { amount: 300 })).body).toEqual(refund.body);
      expect((yield* simulator.ledger).charges).toMatchObject([{ captured: 1000, refunded: 200, reversed: 300 }]);
      expect((yield* simulator.operate(body.id, "refund", "key-4", { amount: 801 })).status).toBe(400);
      expect((yield* simulator.operate(body.id, "refund", "key-5", { amount: 800 })).status).toBe(200);
    }),
  );

  it.live("is the last one where none is named; without any the order is refused", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const { body } = yield* simulator.charge("key-1", { amount: 1000 });
      expect((yield* order(simulator, body.id, "reverse-refund")).status).toBe(400);
      yield* simulator.operate(body.id, "refund", "key-2", { amount: 300 });
      yield* simulator.operate(body.id, "refund", "key-3", { amount: 200 });
      expect((yield* order(simulator, body.id, "reverse-refund")).body.refunded).toBe(300);
      expect((yield* order(simulator, body.id, "reverse-refund", { key: "key-1" })).status).toBe(409);
      expect((yield* order(simulator, "ch_none", "reverse-refund")).status).toBe(404);
    }),
  );
});

describe("a success that comes late", () => {
  it.live("turns a decline into a charge, for whoever looks it up; a repeat gets the decline again", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const { body } = yield* simulator.charge("key-1", { token: "tok_declined" });
      const id: string = body.error.charge;
      expect((yield* order(simulator, id, "succeed")).body).toMatchObject({ status: "succeeded", captured: 1999 });
      const [found] = yield* simulator.chargesByKey("key-1");
      expect(found).toMatchObject({ status: "succeeded", captured: 1999 });
      expect(found).not.toHaveProperty("error");
      expect((yield* simulator.charge("key-1", { token: "tok_declined" })).status).toBe(402);
      expect((yield* order(simulator, id, "succeed")).status).toBe(409);
      expect((yield* simulator.operate(id, "refund", "key-2")).body).toMatchObject({ refunded: 1999 });
    }),
  );

  it.live("of tok_late is found by nobody until it is finished, and its key is in flight meanwhile", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      expect(yield* simulator.tryCharge("key-1", { token: "tok_late" })).toBe(droppedConnection);
      expect(yield* simulator.chargesByKey("key-1")).toEqual([]);
      expect((yield* simulator.charge("key-1", { token: "tok_late" })).status).toBe(409);
      expect((yield* simulator.charge("key-1", { token: "tok_late", amount: 5 })).status).toBe(422);
      expect(yield* simulator.ledger).toMatchObject({ charges: [], delayed: ["key-1"] });
      const finished = yield* simulator.answered("POST", "/admin/delayed", { key: "key-1" });
      expect(finished).toMatchObject({ status: 200, body: { status: "succeeded", captured: 1999 } });
      expect(yield* simulator.chargesByKey("key-1")).toEqual([finished.body]);
      expect(yield* simulator.ledger).toMatchObject({ charges: [{ captured: 1999 }], delayed: [] });
      expect((yield* simulator.answered("POST", "/admin/delayed", { key: "key-1" })).status).toBe(404);
    }),
  );

  it.live("of a refund is done when it is finished, or has failed if its time has passed", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const { body } = yield* simulator.charge("key-1", { amount: 1000, token: "tok_operations_late" });
      for (const key of ["key-2", "key-3"]) {
        expect(yield* simulator.tryOperate(body.id, "refund", key, { amount: 600 })).toBe(droppedConnection);
        expect((yield* simulator.operate(body.id, "refund", key, { amount: 600 })).status).toBe(409);
        expect(yield* simulator.operationsByKey(key)).toEqual([]);
      }
      expect((yield* simulator.answered("POST", "/admin/delayed", { key: "key-3" })).status).toBe(200);
      expect((yield* simulator.answered("POST", "/admin/delayed", { key: "key-2" })).status).toBe(402);
      expect(yield* simulator.operationsByKey("key-2")).toMatchObject([{ status: "failed", amount: 600 }]);
      expect((yield* simulator.ledger).charges).toMatchObject([{ captured: 1000, refunded: 600 }]);
    }),
  );
});

describe("an order that cannot be understood", () => {
  it.live("is refused and changes nothing", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const { body } = yield* simulator.charge("key-1");
      yield* simulator.operate(body.id, "refund", "key-2");
      const before = yield* simulator.ledger;
      const statusOf = (method: string, path: string, sent?: unknown) =>
        Effect.map(simulator.answered(method, path, sent), ({ status }) => status);
      expect(yield* statusOf("POST", `/admin/charges/${body.id}/reverse-refund`, { kee: "key-2" })).toBe(400);
      expect(yield* statusOf("POST", `/admin/charges/${body.id}/reverse-refund`, "{")).toBe(400);
      expect(yield* statusOf("POST", "/admin/delayed", {})).toBe(400);
      expect(yield* statusOf("POST", "/admin/delayed", { key: "key-1" })).toBe(404);
      expect(yield* statusOf("GET", `/admin/charges/${body.id}/expire`)).toBe(405);
      expect(yield* statusOf("POST", `/admin/charges/${body.id}/explode`)).toBe(404);
      expect(yield* statusOf("GET", "/v1/operations")).toBe(400);
      expect(yield* statusOf("GET", "/v1/operations?key=a&key=b")).toBe(400);
      expect({ ...(yield* simulator.ledger), requests: before.requests }).toEqual(before);
    }),
  );
});

describe("what was ordered", () => {
  it.live("is there after a restart: expiry, reversal, late success, delayed keys", () =>
    Effect.gen(function* () {
      const dataDir = yield* scratchDirectory;
      const before = yield* Effect.scoped(
        Effect.gen(function* () {
          const simulator = yield* runningSimulator({ dataDir });
          yield* order(simulator, yield* authorized(simulator), "expire");
          const { body: refunded } = yield* simulator.charge("key-2");
          yield* simulator.operate(refunded.id, "refund", "key-3");
          yield* order(simulator, refunded.id, "reverse-refund");
          const { body: declined } = yield* simulator.charge("key-4", { token: "tok_declined" });
          yield* order(simulator, declined.error.charge, "succeed");
          yield* simulator.tryCharge("key-5", { token: "tok_late" });
          return yield* simulator.ledger;
        }),
      );
      const simulator = yield* runningSimulator({ dataDir });
      expect(yield* simulator.ledger).toEqual(before);
      expect((yield* simulator.charge("key-5", { token: "tok_late" })).status).toBe(409);
      expect((yield* simulator.operate(before.charges[1]!.id, "refund", "key-3")).body).toMatchObject({
        refunded: 1999,
      });
      expect((yield* simulator.answered("POST", "/admin/delayed", { key: "key-5" })).status).toBe(200);
    }),
  );
});
