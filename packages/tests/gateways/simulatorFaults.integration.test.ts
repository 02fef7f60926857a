import { describe, expect, it } from "@effect/vitest";
import { Effect, Fiber } from "effect";
import {
  type Answer,
  type Dropped,
  droppedConnection,
  eventually,
  type PlainClient,
  runningSimulator,
} from "./simulatorHarness.ts";

const hours = 3_600_000;

const statusOf = (answer: Answer | Dropped) => (answer === droppedConnection ? answer : answer.status);

/** What happens to twenty charges, one after the other. */
const twenty = (simulator: PlainClient, prefix: string, between: Effect.Effect<unknown> = Effect.void) =>
  Effect.forEach(
    Array.from({ length: 20 }, (_, n) => `${prefix}-${n}`),
    (key) => Effect.tap(Effect.map(simulator.tryCharge(key), statusOf), () => between),
  );

describe("an ordered fault", () => {
  it.live("networkErrorRate drops connections before anything is recorded, look-ups' too", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      yield* simulator.faults({ networkErrorRate: 1 });
      expect(yield* simulator.tryCharge("key-1")).toBe(droppedConnection);
      expect(yield* simulator.send("GET", "/v1/charges?key=key-1")).toBe(droppedConnection);
      expect(yield* simulator.ledger).toEqual({ charges: [], delayed: [], requests: 2 });
    }),
  );

  it.live("partialFailureRate charges and loses the answer; a repeat finds the first result", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      yield* simulator.faults({ partialFailureRate: 1 });
      expect(yield* simulator.tryCharge("key-1")).toBe(droppedConnection);
      expect(yield* simulator.chargesByKey("key-1")).toHaveLength(1);
      yield* simulator.answered("DELETE", "/admin/faults");
      expect((yield* simulator.charge("key-1")).headers.get("idempotent-replayed")).toBe("true");
      expect((yield* simulator.ledger).charges).toMatchObject([{ captured: 1999, requests: 2 }]);
    }),
  );

  it.live("timeoutRate charges first and then holds the answer back", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      yield* simulator.faults({ timeoutRate: 1, timeoutDelayMs: hours });
      const client = yield* Effect.forkScoped(simulator.charge("key-1"));
      yield* eventually(simulator.ledger, ({ charges }) => charges.length === 1);
      expect(client.pollUnsafe()).toBe(undefined);
      yield* Fiber.interrupt(client);
      yield* simulator.faults({});
      expect((yield* simulator.charge("key-1")).headers.get("idempotent-replayed")).toBe("true");
    }),
  );

  it.live("http500Rate leaves it open whether the charge was made", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      yield* simulator.faults({ http500Rate: 1 });
      expect(yield* twenty(simulator, "key")).toEqual(Array.from({ length: 20 }, () => 500));
      expect((yield* simulator.answered("GET", "/v1/charges?key=key-0")).status).toBe(500);
      const made = (yield* simulator.ledger).charges.length;
      expect(made).toBeGreaterThan(0);
      expect(made).toBeLessThan(20);
    }),
  );

  it.live("declineRate declines, and the decline stands for its key", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      yield* simulator.faults({ declineRate: 1 });
      expect((yield* simulator.charge("key-1")).status).toBe(402);
      yield* simulator.faults({ declineRate: 1, declineCode: "try_again_later" });
      expect((yield* simulator.charge("key-2")).body.error.declineCode).toBe("try_again_later");
      yield* simulator.faults({});
      expect((yield* simulator.charge("key-1")).body.error.declineCode).toBe("generic_decline");
    }),
  );

  it.live("rateLimitPerSecond answers 429 and charges nothing of it", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      yield* simulator.faults({ rateLimitPerSecond: 2 });
      const answers = yield* Effect.forEach(
        Array.from({ length: 10 }, (_, n) => n),
        (n) => simulator.charge(`key-${n}`),
        { concurrency: "unbounded" },
      );
      const limited = answers.filter(({ status }) => status === 429);
      // At most two seconds of the clock can have begun meanwhile.
      expect(limited.length).toBeGreaterThanOrEqual(6);
      expect(limited.every(({ headers }) => headers.get("retry-after") === "1")).toBe(true);
      expect((yield* simulator.ledger).charges).toHaveLength(10 - limited.length);
    }),
  );

  it.live("latencyMs delays every answer", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      yield* simulator.faults({ latencyMs: 60 });
      const began = performance.now();
      yield* simulator.charge("key-1");
      yield* simulator.get("/v1/charges?key=key-1");
      expect(performance.now() - began).toBeGreaterThan(115);
    }),
  );
});

describe("the seed", () => {
  const faults = { networkErrorRate: 0.2, partialFailureRate: 0.2, declineRate: 0.2, http500Rate: 0.2 };

  it.live("gives the same faults again for the same order of requests, whatever look-ups come between", () =>
    Effect.gen(function* () {
      const [one, two] = [yield* runningSimulator(), yield* runningSimulator()];
      yield* one.faults({ ...faults, seed: 42 });
      const first = yield* twenty(one, "a");
      yield* two.faults({ ...faults, seed: 42 });
      expect(yield* twenty(two, "b", two.send("GET", "/v1/charges?key=x"))).toEqual(first);
      expect(new Set(first)).toEqual(new Set([200, 402, 500, droppedConnection]));
      yield* one.faults({ ...faults, seed: 42 });
      expect(yield* twenty(one, "c")).toEqual(first);
    }),
  );

  it.live("gives other faults when it is another", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      yield* simulator.faults({ ...faults, seed: 42 });
      const first = yield* twenty(simulator, "a");
      yield* simulator.faults({ ...faults, seed: 43 });
      expect(yield* twenty(simulator, "b")).not.toEqual(first);
    }),
  );
});

describe("an order of faults", () => {
  for (const [title, order] of [
    ["a rate above 1", { declineRate: 1.1 }],
    ["a negative rate", { networkErrorRate: -0.1 }],
    ["a rate as text", { http500Rate: "0.5" }],
    ["a negative delay", { latencyMs: -1 }],
    ["half a request a second", { rateLimitPerSecond: 0.5 }],
    ["a seed that is no integer", { seed: 1.5 }],
    ["a decline for no known reason", { declineCode: "lost_card" }],
    ["a fault that does not exist", { timoutRate: 1 }],
    ["a first request of no kind", { firstRequests: { authorize: "reset" } }],
    ["a first request that is treated in no known way", { firstRequests: { refund: "explode" } }],
    ["no body", ""],
    ["not JSON", "{"],
  ] as const) {
    it.live(`is refused for ${title}, and what was ordered before stays`, () =>
      Effect.gen(function* () {
        const simulator = yield* runningSimulator();
        yield* simulator.faults({ declineRate: 1 });
        const answer = yield* simulator.answered("PUT", "/admin/faults", order);
        expect(answer).toMatchObject({ status: 400, body: { error: { code: "invalid_request" } } });
        expect((yield* simulator.get("/admin/faults")).body.declineRate).toBe(1);
      }),
    );
  }

  it.live("replaces the one before, and DELETE ends all faults", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      yield* simulator.faults({ declineRate: 1, latencyMs: 5 });
      expect((yield* simulator.faults({ latencyMs: 6 })).body).toMatchObject({ declineRate: 0, latencyMs: 6 });
      expect((yield* simulator.answered("DELETE", "/admin/faults")).body).toMatchObject({
        declineRate: 0,
        latencyMs: 0,
      });
    }),
  );
});
