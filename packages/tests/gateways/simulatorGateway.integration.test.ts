import { describe, expect, it } from "@effect/vitest";
import { Effect } from "effect";
import { runningSimulator } from "./simulatorHarness.ts";

import { answering, gatewayAt, httpServer, lookUpOf, portOfNobody, request, succeeded } from "./standIns.ts";

describe("with the simulator, a start", () => {
  const { value, currency } = request("key-1").amount;
  for (const [token, outcome] of [
    ["tok_visa", { _tag: "Approved", status: "succeeded", amount: { value, currency } }],
    ["tok_declined", { _tag: "Declined", declineCode: "generic_decline", tryAnotherGateway: false }],
    ["tok_insufficient_funds", { _tag: "Declined", declineCode: "insufficient_funds", tryAnotherGateway: false }],
    ["tok_try_again", { _tag: "Declined", declineCode: "try_again_later", tryAnotherGateway: true }],
    ["tok_3ds", { _tag: "ActionRequired", nextAction: { type: "redirect" } }],
    ["tok_slow", { _tag: "Approved" }],
    ["tok_nobody_knows", { _tag: "Declined", declineCode: "invalid_token", tryAnotherGateway: false }],
  ] as const) {
    it.live(`with ${token} is ${outcome._tag}, and the look-up says the same`, () =>
      Effect.gen(function* () {
        const simulator = yield* runningSimulator({ slowAnswerMillis: 50 });
        const gateway = yield* gatewayAt(simulator.url);
        const started = yield* gateway.start(request("key-1", token));
        expect(started).toMatchObject(outcome);
        expect(yield* gateway.lookUp(lookUpOf("key-1"))).toEqual(started);
        expect(yield* gateway.lookUp(lookUpOf("key-2"))).toEqual({ _tag: "NotFound" });
      }),
    );
  }

  it.live("with capture manual is an authorization, also after a part of it was captured", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const gateway = yield* gatewayAt(simulator.url);
      const started = yield* gateway.start({ ...request("key-1"), capture: "manual" });
      expect(started).toMatchObject({ _tag: "Approved", status: "authorized" });
      const [charge] = (yield* simulator.ledger).charges;
      yield* simulator.operate(charge!.id, "capture", "key-2", { amount: 1 });
      expect(yield* gateway.lookUp(lookUpOf("key-1"))).toEqual(started);
    }),
  );

  it.live("whose answer is lost is Unknown, and the look-up finds the charge", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const gateway = yield* gatewayAt(simulator.url);
      expect(yield* gateway.start(request("key-1", "tok_lost_answer"))).toMatchObject({ _tag: "Unknown" });
      expect(yield* gateway.lookUp(lookUpOf("key-1"))).toMatchObject({ _tag: "Approved", status: "succeeded" });
    }),
  );

  it.live("that is reset is Unknown, the look-up finds nothing, and the same key then charges once", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const gateway = yield* gatewayAt(simulator.url);
      expect(yield* gateway.start(request("key-1", "tok_reset"))).toMatchObject({ _tag: "Unknown" });
      expect(yield* gateway.lookUp(lookUpOf("key-1"))).toEqual({ _tag: "NotFound" });
      expect(yield* gateway.start(request("key-1", "tok_reset"))).toMatchObject({ _tag: "Approved" });
      expect((yield* simulator.ledger).charges).toMatchObject([{ captured: 1999, requests: 2 }]);
    }),
  );

  it.live("with a key that was used with other parameters is Unknown, never a decline", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const gateway = yield* gatewayAt(simulator.url);
      yield* gateway.start(request("key-1"));
      const other = yield* gateway.start({ ...request("key-1"), amount: { value: 5, currency: "USD" } });
      expect(other).toEqual({ _tag: "Unknown", reason: "answered 422: the key was used with other parameters" });
    }),
  );
});

describe("an answer", () => {
  const error = { code: "some_code", message: "why" };
  const declined = (declineCode: string) => ({ error: { code: "card_declined", declineCode, charge: "ch_1" } });
  const cases: ReadonlyArray<readonly [title: string, status: number, document: unknown, outcome: object]> = [
    ["500", 500, { error }, { _tag: "Unknown" }],
    ["502 of a proxy", 502, "<html>", { _tag: "Unknown" }],
    ["503", 503, { error }, { _tag: "Unknown" }],
    ["409, in flight", 409, { error }, { _tag: "Unknown" }],
    ["422, key reused", 422, { error }, { _tag: "Unknown" }],
    ["408", 408, { error }, { _tag: "Unknown" }],
    ["a redirect", 302, "", { _tag: "Unknown" }],
    ["201", 201, succeeded, { _tag: "Unknown" }],
    ["429", 429, { error }, { _tag: "NotSent" }],
    ["401", 401, { error }, { _tag: "NotSent" }],
    ["403", 403, "", { _tag: "NotSent" }],
    ["404", 404, "", { _tag: "NotSent" }],
    ["400", 400, { error }, { _tag: "Declined", code: "some_code", message: "why", tryAnotherGateway: false }],
    ["413", 413, { error }, { _tag: "Declined", code: "some_code", tryAnotherGateway: false }],
    ["400 without a reason", 400, "Bad Request", { _tag: "Unknown" }],
    ["402 do_not_honor", 402, declined("do_not_honor"), { _tag: "Declined", tryAnotherGateway: false }],
    ["402 processing_error", 402, declined("processing_error"), { _tag: "Declined", tryAnotherGateway: true }],
    [
      "402 with its charge",
      402,
      declined("expired_card"),
      { gatewayTransactionId: "ch_1", declineCode: "expired_card" },
    ],
    ["402 without a decline code", 402, { error }, { _tag: "Declined", code: "some_code", tryAnotherGateway: false }],
    ["402 without a reason", 402, "{}", { _tag: "Unknown" }],
    ["200 that is not JSON", 200, "ok", { _tag: "Unknown" }],
    ["200 with an empty body", 200, "", { _tag: "Unknown" }],
    ["200 without an id", 200, { ...succeeded, id: undefined }, { _tag: "Unknown" }],
    ["200 with an amount as text", 200, { ...succeeded, amount: "1999" }, { _tag: "Unknown" }],
    ["200 with an unknown status", 200, { ...succeeded, status: "settling" }, { _tag: "Unknown" }],
    ["200 voided", 200, { ...succeeded, status: "voided" }, { _tag: "Unknown" }],
    ["200 about another key", 200, { ...succeeded, idempotencyKey: "key-2" }, { _tag: "Unknown" }],
    ["200 with an action that leads nowhere", 200, { ...succeeded, status: "requires_action" }, { _tag: "Unknown" }],
    ["200 of over a megabyte", 200, { ...succeeded, padding: "x".repeat(1_100_000) }, { _tag: "Unknown" }],
    [
      "402 with a reason that no commit has room for",
      402,
      { error: { code: "card_declined", message: "x".repeat(300_000) } },
      { _tag: "Unknown" },
    ],
    [
      "200 with another amount",
      200,
      { ...succeeded, amount: 5, currency: "XXX" },
      { amount: { value: 5, currency: "XXX" } },
    ],
  ];
  for (const [title, status, document, outcome] of cases) {
    it.live(`${title} is read as ${JSON.stringify(outcome)}`, () =>
      Effect.gen(function* () {
        const gateway = yield* gatewayAt(yield* answering(status, document));
        expect(yield* gateway.start(request("key-1"))).toMatchObject(outcome);
      }),
    );
  }

  it.live("after early hints is the one that counts", () =>
    Effect.gen(function* () {
      const url = yield* httpServer((_, response) => {
        response.writeEarlyHints({ link: "</style.css>; rel=preload" });
        response.end(JSON.stringify(succeeded));
      });
      expect(yield* (yield* gatewayAt(url)).start(request("key-1"))).toMatchObject({ _tag: "Approved" });
    }),
  );
});

describe("a look-up", () => {
  const cases: ReadonlyArray<readonly [title: string, status: number, document: unknown, tag: string]> = [
    ["an empty list", 200, { charges: [] }, "NotFound"],
    ["its charge", 200, { charges: [succeeded] }, "Approved"],
    ["a decline without a reason", 200, { charges: [{ ...succeeded, status: "declined" }] }, "Unknown"],
    ["another key's charge", 200, { charges: [{ ...succeeded, idempotencyKey: "key-2" }] }, "Unknown"],
    ["two charges", 200, { charges: [succeeded, succeeded] }, "Unknown"],
    ["no list", 200, succeeded, "Unknown"],
    ["404", 404, { charges: [] }, "Unknown"],
    ["429", 429, { charges: [] }, "Unknown"],
    ["500", 500, { charges: [] }, "Unknown"],
  ];
  for (const [title, status, document, tag] of cases) {
    it.live(`that finds ${title} is ${tag}`, () =>
      Effect.gen(function* () {
        const gateway = yield* gatewayAt(yield* answering(status, document));
        expect(yield* gateway.lookUp(lookUpOf("key-1"))).toMatchObject({ _tag: tag });
      }),
    );
  }

  it.live("that the adapter itself cannot put into words is Unknown, never an exception", () =>
    Effect.gen(function* () {
      const gateway = yield* gatewayAt(yield* answering(200, { charges: [] }));
      expect(yield* gateway.lookUp(lookUpOf("\ud800"))).toMatchObject({ _tag: "Unknown" });
    }),
  );

  it.live("that cannot connect is Unknown", () =>
    Effect.gen(function* () {
      const gateway = yield* gatewayAt(yield* portOfNobody);
      expect(yield* gateway.lookUp(lookUpOf("key-1"))).toMatchObject({ _tag: "Unknown" });
    }),
  );

  it.live("asks for the very key, whatever is in it, below the path of the url", () =>
    Effect.gen(function* () {
      const asked: Array<string | undefined> = [];
      const url = yield* httpServer((incoming, response) => {
        asked.push(incoming.url);
        response.end('{"charges":[]}');
      });
      yield* (yield* gatewayAt(`${url}/sandbox/`)).lookUp(lookUpOf("a&b=c/d e"));
      expect(asked).toEqual(["/sandbox/v1/charges?key=a%26b%3Dc%2Fd%20e"]);
    }),
  );
});
