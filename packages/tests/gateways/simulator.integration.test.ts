import { describe, expect, it } from "@effect/vitest";
import { Effect, Fiber } from "effect";
import { droppedConnection, eventually, runningSimulator } from "./simulatorHarness.ts";

const hours = 3_600_000;

describe("a charge", () => {
  it.live("succeeds with tok_visa and is found by its id, its reference and its key", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const { status, body } = yield* simulator.charge("key-1", { reference: "shop/order-7", amount: 1999 });
      expect(status).toBe(200);
      expect(body).toMatchObject({ status: "succeeded", amount: 1999, currency: "USD", captured: 1999, refunded: 0 });
      for (const path of ["/v1/charges?reference=shop/order-7", "/v1/charges?key=key-1"]) {
        expect((yield* simulator.get(path)).body.charges).toEqual([body]);
      }
      expect((yield* simulator.get(`/v1/charges/${body.id}`)).body).toEqual(body);
      expect((yield* simulator.get("/v1/charges?key=key-2")).body.charges).toEqual([]);
      expect((yield* simulator.get("/v1/charges/ch_none")).status).toBe(404);
    }),
  );

  it.live("is reported by the ledger in the shape of the contract", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const { body } = yield* simulator.charge("key-1");
      yield* simulator.charge("key-1");
      yield* simulator.get("/v1/charges?key=key-1");
      expect(yield* simulator.ledger).toEqual({
        charges: [
          {
            id: body.id,
            reference: "shop/order-1",
            amount: 1999,
            currency: "USD",
            capture: "automatic",
            status: "succeeded",
            captured: 1999,
            refunded: 0,
            released: 0,
            reversed: 0,
            idempotencyKeys: ["key-1"],
            requests: 2,
            operations: [],
          },
        ],
        delayed: [],
        requests: 3,
      });
    }),
  );

  for (const [token, declineCode] of [
    ["tok_declined", "generic_decline"],
    ["tok_insufficient_funds", "insufficient_funds"],
    ["tok_try_again", "try_again_later"],
    ["tok_nobody_knows", "invalid_token"],
  ] as const) {
    it.live(`is declined with ${token}, moves no money, and the decline is found by its key and replayed`, () =>
      Effect.gen(function* () {
        const simulator = yield* runningSimulator();
        const first = yield* simulator.charge("key-1", { token });
        expect(first.status).toBe(402);
        expect(first.body.error).toMatchObject({ code: "card_declined", declineCode });
        const repeat = yield* simulator.charge("key-1", { token });
        expect([repeat.status, repeat.headers.get("idempotent-replayed"), repeat.body]).toEqual([
          402,
          "true",
          first.body,
        ]);
        const [found] = (yield* simulator.get("/v1/charges?key=key-1")).body.charges;
        expect(found).toMatchObject({ status: "declined", captured: 0, error: { declineCode } });
        const [entry] = (yield* simulator.ledger).charges;
        expect(entry).toMatchObject({ status: "declined", captured: 0, refunded: 0, requests: 2 });
      }),
    );
  }

  it.live("with tok_lost_answer is made, its first answer is lost, and a repeat is answered", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      expect(yield* simulator.tryCharge("key-1", { token: "tok_lost_answer" })).toBe(droppedConnection);
      const found = yield* simulator.chargesByKey("key-1");
      expect(found).toMatchObject([{ status: "succeeded", captured: 1999 }]);
      const repeat = yield* simulator.charge("key-1", { token: "tok_lost_answer" });
      expect([repeat.headers.get("idempotent-replayed"), repeat.body]).toEqual(["true", found[0]]);
    }),
  );

  it.live("with tok_reset is not made at first, and a repeat makes it", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      expect(yield* simulator.tryCharge("key-1", { token: "tok_reset" })).toBe(droppedConnection);
      expect((yield* simulator.ledger).charges).toEqual([]);
      const repeat = yield* simulator.charge("key-1", { token: "tok_reset" });
      expect([repeat.status, repeat.headers.get("idempotent-replayed")]).toEqual([200, null]);
      expect((yield* simulator.ledger).charges).toHaveLength(1);
    }),
  );

  it.live("with tok_slow is answered late", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator({ slowAnswerMillis: 120 });
      const began = performance.now();
      expect((yield* simulator.charge("key-1", { token: "tok_slow" })).body.status).toBe("succeeded");
      expect(performance.now() - began).toBeGreaterThan(110);
    }),
  );
});

describe("an idempotency key", () => {
  it.live("gets its first answer again, even after the charge has changed", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const first = yield* simulator.charge("key-1", { capture: "manual" });
      yield* simulator.operate(first.body.id, "capture", "key-2");
      const repeat = yield* simulator.charge("key-1", { capture: "manual" });
      expect(first.headers.get("idempotent-replayed")).toBe(null);
      expect(repeat.headers.get("idempotent-replayed")).toBe("true");
      expect(repeat.body).toEqual(first.body);
    }),
  );

  it.live("with other parameters is refused and changes nothing", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const { body } = yield* simulator.charge("key-1");
      const before = (yield* simulator.ledger).charges;
      for (const other of [
        { amount: 2000 },
        { currency: "EUR" },
        { token: "tok_declined" },
        { reference: "shop/order-2" },
        { capture: "manual" },
      ] as const) {
        expect((yield* simulator.charge("key-1", other)).status).toBe(422);
      }
      expect((yield* simulator.operate(body.id, "refund", "key-1")).status).toBe(422);
      const after = (yield* simulator.ledger).charges;
      expect(after.map((charge) => ({ ...charge, requests: 1 }))).toEqual(before);
    }),
  );

  it.live("makes one charge of fifty requests at once", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      yield* simulator.faults({ latencyMs: 5, latencyJitterMs: 5 });
      const answers = yield* Effect.all(
        Array.from({ length: 50 }, () => simulator.charge("key-1")),
        { concurrency: "unbounded" },
      );
      const made = answers.filter(({ status }) => status === 200);
      expect(answers.every(({ status }) => status === 200 || status === 409)).toBe(true);
      expect(made.filter(({ headers }) => headers.get("idempotent-replayed") === null)).toHaveLength(1);
      expect(new Set(made.map(({ body }) => body.id)).size).toBe(1);
      expect((yield* simulator.ledger).charges).toMatchObject([{ captured: 1999, requests: 50 }]);
    }),
  );

  it.live("is refused while its first request is in flight", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator({ slowAnswerMillis: hours });
      yield* Effect.forkScoped(simulator.charge("key-1", { token: "tok_slow" }));
      yield* eventually(simulator.ledger, ({ requests }) => requests === 1);
      expect((yield* simulator.charge("key-1", { token: "tok_slow" })).status).toBe(409);
      expect((yield* simulator.charge("key-1", { token: "tok_slow", amount: 1 })).status).toBe(422);
      expect((yield* simulator.ledger).charges).toEqual([]);
    }),
  );

  it.live("is charged even if the client goes away while it is in flight", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator({ slowAnswerMillis: 150 });
      const client = yield* Effect.forkScoped(simulator.charge("key-1", { token: "tok_slow" }));
      yield* eventually(simulator.ledger, ({ requests }) => requests === 1);
      yield* Fiber.interrupt(client);
      yield* eventually(simulator.ledger, ({ charges }) => charges.length === 1);
    }),
  );
});

describe("an authorization", () => {
  it.live("is captured in parts, never beyond what is left", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const { body } = yield* simulator.charge("key-1", { amount: 1000, capture: "manual" });
      expect(body).toMatchObject({ status: "authorized", captured: 0 });
      const first = yield* simulator.operate(body.id, "capture", "key-2", { amount: 400 });
      expect(first.body).toMatchObject({ status: "partially_captured", captured: 400 });
      expect((yield* simulator.operate(body.id, "capture", "key-3", { amount: 601 })).body.error.code).toBe(
        "amount_too_large",
      );
      const rest = yield* simulator.operate(body.id, "capture", "key-4");
      expect(rest.body).toMatchObject({
        status: "succeeded",
        captured: 1000,
        operations: [
          { key: "key-2", kind: "capture", amount: 400, status: "succeeded" },
          { key: "key-4", kind: "capture", amount: 600, status: "succeeded" },
        ],
      });
      expect((yield* simulator.operate(body.id, "capture", "key-5")).body.error.code).toBe("charge_unexpected_state");
      expect((yield* simulator.operate(body.id, "void", "key-6")).body.error.code).toBe("charge_unexpected_state");
    }),
  );

  it.live("is voided once and for all", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const { body } = yield* simulator.charge("key-1", { capture: "manual" });
      const voided = yield* simulator.operate(body.id, "void", "key-2");
      expect(voided.body).toMatchObject({ status: "voided", captured: 0 });
      const repeat = yield* simulator.operate(body.id, "void", "key-2");
      expect([repeat.headers.get("idempotent-replayed"), repeat.body]).toEqual(["true", voided.body]);
      expect((yield* simulator.operate(body.id, "capture", "key-3")).status).toBe(400);
    }),
  );

  it.live("releases its rest by a void after a partial capture", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const { body } = yield* simulator.charge("key-1", { amount: 1000, capture: "manual" });
      yield* simulator.operate(body.id, "capture", "key-2", { amount: 400 });
      const released = yield* simulator.operate(body.id, "void", "key-3");
      expect(released.body).toMatchObject({ status: "succeeded", captured: 400 });
      expect((yield* simulator.operate(body.id, "refund", "key-4", { amount: 401 })).status).toBe(400);
    }),
  );
});

describe("a refund", () => {
  it.live("is bounded by what was captured, and done once a key", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const { body } = yield* simulator.charge("key-1", { amount: 1000 });
      const [first, repeat] = [
        yield* simulator.operate(body.id, "refund", "key-2", { amount: 700 }),
        yield* simulator.operate(body.id, "refund", "key-2", { amount: 700 }),
      ];
      expect([repeat.headers.get("idempotent-replayed"), repeat.body]).toEqual(["true", first.body]);
      expect((yield* simulator.operate(body.id, "refund", "key-2", { amount: 100 })).status).toBe(422);
      expect((yield* simulator.operate(body.id, "refund", "key-3", { amount: 301 })).status).toBe(400);
      expect((yield* simulator.operate(body.id, "refund", "key-4")).body).toMatchObject({
        refunded: 1000,
        status: "succeeded",
      });
      expect((yield* simulator.ledger).charges).toMatchObject([{ captured: 1000, refunded: 1000 }]);
    }),
  );

  it.live("of many at once never exceeds the capture", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const { body } = yield* simulator.charge("key-1", { amount: 1000 });
      yield* simulator.faults({ latencyMs: 5, latencyJitterMs: 5 });
      const refunds = yield* Effect.all(
        Array.from({ length: 10 }, (_, n) => simulator.operate(body.id, "refund", `refund-${n}`, { amount: 300 })),
        { concurrency: "unbounded" },
      );
      expect(refunds.filter(({ status }) => status === 200)).toHaveLength(3);
      expect((yield* simulator.ledger).charges).toMatchObject([{ refunded: 900 }]);
    }),
  );
});

describe("what a client gets wrong", () => {
  const good = { reference: "shop/order-1", amount: 1999, currency: "USD", token: "tok_visa" };
  for (const [title, body] of [
    ["no body", ""],
    ["not JSON", "{"],
    ["a list", []],
    ["a fraction of a cent", { ...good, amount: 19.99 }],
    ["an amount of zero", { ...good, amount: 0 }],
    ["a negative amount", { ...good, amount: -1 }],
    ["an amount as text", { ...good, amount: "1999" }],
    ["an unsafe integer", { ...good, amount: 2 ** 53 }],
    ["no currency of ISO 4217", { ...good, currency: "usd" }],
    ["no token", { ...good, token: undefined }],
    ["an unknown kind of capture", { ...good, capture: "later" }],
  ] as const) {
    it.live(`is told: ${title}`, () =>
      Effect.gen(function* () {
        const simulator = yield* runningSimulator();
        const answer = yield* simulator.answered("POST", "/v1/charges", body, { "idempotency-key": "key-1" });
        expect(answer).toMatchObject({ status: 400, body: { error: { code: "invalid_request" } } });
        // A refused request is not remembered: the key is still free.
        expect((yield* simulator.charge("key-1")).status).toBe(200);
      }),
    );
  }

  it.live("has a status of its own: no key, wrong paths, methods, sizes and amounts", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const { body } = yield* simulator.charge("key-1");
      const key = { "idempotency-key": "key-2" };
      const statusOf = (method: string, path: string, sent?: unknown, headers?: Record<string, string>) =>
        Effect.map(simulator.answered(method, path, sent, headers), ({ status }) => status);
      expect(yield* statusOf("POST", "/v1/charges", good)).toBe(400);
      expect(yield* statusOf("POST", "/v1/charges", good, { "idempotency-key": "k".repeat(256) })).toBe(400);
      expect(yield* statusOf("POST", "/v1/charges", { ...good, token: "t".repeat(70_000) }, key)).toBe(413);
      expect(yield* statusOf("GET", "/v1/charges")).toBe(400);
      expect(yield* statusOf("GET", "/v1/charges?key=a&reference=b")).toBe(400);
      expect(yield* statusOf("GET", "/v1/charges?key=a&key=b")).toBe(400);
      expect(yield* statusOf("GET", "/v1/charges/%ZZ")).toBe(404);
      expect(yield* statusOf("GET", "/v2")).toBe(404);
      expect(yield* statusOf("PATCH", "/v1/charges")).toBe(405);
      expect(yield* statusOf("GET", `/v1/charges/${body.id}/refund`)).toBe(405);
      expect(yield* statusOf("POST", `/v1/charges/${body.id}/refund`)).toBe(400);
      expect(yield* statusOf("POST", `/v1/charges/${body.id}/refund`, { amount: 0.5 }, key)).toBe(400);
      expect(yield* statusOf("POST", `/v1/charges/${body.id}/void`, { amount: 5 }, key)).toBe(400);
      expect(yield* statusOf("POST", "/v1/charges/ch_none/refund", {}, key)).toBe(404);
      expect((yield* simulator.charge("key-2")).status).toBe(200);
    }),
  );
});
