import type { OperationRequest } from "@aegispay/gateways/Gateway";
import { describe, expect, it } from "@effect/vitest";
import { Effect } from "effect";
import { runningSimulator } from "./simulatorHarness.ts";
import {
  answering,
  gatewayAt,
  httpServer,
  lookUpOf,
  operation,
  portOfNobody,
  request,
  socketServer,
} from "./standIns.ts";

/** A simulator with one charge of 1999 USD on which the kind of operation is possible, and the adapter at it. */
const chargedFor = (kind: OperationRequest["kind"], token = "tok_visa") =>
  Effect.gen(function* () {
    const simulator = yield* runningSimulator();
    const gateway = yield* gatewayAt(simulator.url);
    const started = yield* gateway.start({
      ...request("key-1", token),
      capture: kind === "refund" ? "automatic" : "manual",
    });
    if (started._tag !== "Approved") throw new Error(`the charge is ${started._tag}`);
    return { simulator, gateway, charge: started.gatewayTransactionId };
  });

const usd = (value: number) => ({ value, currency: "USD" });

for (const kind of ["capture", "void", "refund"] as const) {
  const asked = kind === "void" ? undefined : 500;
  const amount = usd(asked ?? 1999);

  describe(`with the simulator, a ${kind}`, () => {
    it.live("is Done with its amount, and the look-up by its key says the same", () =>
      Effect.gen(function* () {
        const { gateway, charge } = yield* chargedFor(kind);
        const ours = operation(kind, "key-2", asked, charge);
        expect(yield* gateway.lookUpOperation(ours)).toEqual({ _tag: "NotFound" });
        const done = yield* gateway.operate(ours);
        expect(done).toMatchObject({ _tag: "Done", operationId: expect.stringMatching(/^op_/), amount });
        expect(yield* gateway.lookUpOperation(ours)).toEqual(done);
        expect(yield* gateway.operate(ours)).toEqual(done);
      }),
    );

    it.live("whose answer is lost is Unknown, and the look-up finds it Done", () =>
      Effect.gen(function* () {
        const { simulator, gateway, charge } = yield* chargedFor(kind, "tok_operations_lost_answer");
        const ours = operation(kind, "key-2", asked, charge);
        expect(yield* gateway.operate(ours)).toMatchObject({ _tag: "Unknown" });
        expect(yield* gateway.lookUpOperation(ours)).toMatchObject({ _tag: "Done", amount });
        expect((yield* simulator.ledger).charges).toMatchObject([{ operations: [{ kind, requests: 1 }] }]);
      }),
    );

    it.live("that is reset is Unknown, the look-up finds nothing, and the same key then does it once", () =>
      Effect.gen(function* () {
        const { simulator, gateway, charge } = yield* chargedFor(kind, "tok_operations_reset");
        const ours = operation(kind, "key-2", asked, charge);
        expect(yield* gateway.operate(ours)).toMatchObject({ _tag: "Unknown" });
        expect(yield* gateway.lookUpOperation(ours)).toEqual({ _tag: "NotFound" });
        expect(yield* gateway.operate(ours)).toMatchObject({ _tag: "Done", amount });
        expect((yield* simulator.ledger).charges).toMatchObject([{ operations: [{ kind, requests: 2 }] }]);
      }),
    );

    it.live("that a bank refuses is Refused, and the look-up says the same", () =>
      Effect.gen(function* () {
        const { gateway, charge } = yield* chargedFor(kind, "tok_operations_refused");
        const ours = operation(kind, "key-2", asked, charge);
        const refused = yield* gateway.operate(ours);
        expect(refused).toMatchObject({ _tag: "Refused", code: "operation_refused" });
        expect(yield* gateway.lookUpOperation(ours)).toEqual(refused);
      }),
    );

    it.live("that is still under way is Unknown, and NotFound by the look-up, until it is done", () =>
      Effect.gen(function* () {
        const { simulator, gateway, charge } = yield* chargedFor(kind, "tok_operations_late");
        const ours = operation(kind, "key-2", asked, charge);
        yield* gateway.operate(ours);
        expect(yield* gateway.operate(ours)).toEqual({ _tag: "Unknown", reason: "answered 409" });
        expect(yield* gateway.lookUpOperation(ours)).toEqual({ _tag: "NotFound" });
        yield* simulator.answered("POST", "/admin/delayed", { key: "key-2" });
        expect(yield* gateway.lookUpOperation(ours)).toMatchObject({ _tag: "Done" });
      }),
    );

    it.live("of which nothing is left is Refused", () =>
      Effect.gen(function* () {
        const { gateway, charge } = yield* chargedFor(kind);
        yield* gateway.operate(operation(kind, "key-2", undefined, charge));
        const second = yield* gateway.operate(operation(kind, "key-3", asked, charge));
        expect(second).toMatchObject({ _tag: "Refused", code: "charge_unexpected_state" });
      }),
    );
  });
}

describe("with the simulator", () => {
  it.live("a capture of more than is left, and a refund of it, are Refused", () =>
    Effect.gen(function* () {
      const { gateway, charge } = yield* chargedFor("capture");
      const tooMuch = yield* gateway.operate(operation("capture", "key-2", 2000, charge));
      expect(tooMuch).toMatchObject({ _tag: "Refused", code: "amount_too_large" });
      yield* gateway.operate(operation("capture", "key-3", 100, charge));
      const refund = yield* gateway.operate(operation("refund", "key-4", 101, charge));
      expect(refund).toMatchObject({ _tag: "Refused", code: "amount_too_large" });
    }),
  );

  it.live("a refund that was reversed is Reversed for the look-up, with what came back", () =>
    Effect.gen(function* () {
      const { simulator, gateway, charge } = yield* chargedFor("refund");
      const ours = operation("refund", "key-2", 500, charge);
      yield* gateway.operate(ours);
      yield* simulator.answered("POST", `/admin/charges/${charge}/reverse-refund`);
      expect(yield* gateway.lookUpOperation(ours)).toMatchObject({ _tag: "Reversed", amount: usd(500) });
    }),
  );

  it.live("an amount or a currency that disagrees goes on as it came", () =>
    Effect.gen(function* () {
      const { simulator, gateway, charge } = yield* chargedFor("refund");
      yield* simulator.faults({ otherAmountRate: 1, otherCurrencyRate: 1 });
      const ours = operation("refund", "key-2", 500, charge);
      const amount = { value: 499, currency: "EUR" };
      expect(yield* gateway.operate(ours)).toMatchObject({ _tag: "Done", amount });
      expect(yield* gateway.lookUpOperation(ours)).toMatchObject({ _tag: "Done", amount });
    }),
  );

  it.live("a key that was used for something else is Unknown, never a refusal", () =>
    Effect.gen(function* () {
      const { simulator, gateway, charge } = yield* chargedFor("refund");
      yield* gateway.operate(operation("refund", "key-2", 500, charge));
      const reused = { _tag: "Unknown", reason: "answered 422: the key was used with other parameters" };
      expect(yield* gateway.operate(operation("refund", "key-2", 400, charge))).toEqual(reused);
      expect(yield* gateway.operate(operation("refund", "key-1", 500, charge))).toEqual(reused);
      const { body } = yield* simulator.charge("key-3");
      for (const other of [operation("refund", "key-2", 500, body.id), operation("capture", "key-2", 500, charge)]) {
        expect(yield* gateway.lookUpOperation(other)).toMatchObject({ _tag: "Unknown" });
      }
    }),
  );

  it.live("a charge that is not there is NotSent: the address or the account is wrong", () =>
    Effect.gen(function* () {
      const { gateway } = yield* chargedFor("refund");
      const nowhere = operation("refund", "key-2", 500, "ch_none");
      expect(yield* gateway.operate(nowhere)).toEqual({ _tag: "NotSent", reason: "turned away with 404" });
    }),
  );

  for (const [title, token, act, outcome] of [
    ["voided", "tok_visa", "void", { _tag: "Released" }],
    ["expired", "tok_visa", "expire", { _tag: "Released" }],
    ["abandoned and voided", "tok_3ds", "void", { _tag: "Released" }],
    ["authenticated", "tok_3ds", "succeeded", { _tag: "Approved", status: "authorized" }],
    ["not authenticated", "tok_3ds", "failed", { _tag: "Declined", code: "authentication_failed" }],
    ["captured in part and expired", "tok_visa", "part", { status: "succeeded", amount: usd(400) }],
    ["declined and approved late", "tok_declined", "succeed", { _tag: "Approved", status: "authorized" }],
    ["booked with another amount", "tok_other_amount", "nothing", { _tag: "Approved", amount: usd(1998) }],
    ["delayed", "tok_late", "nothing", { _tag: "NotFound" }],
  ] as const) {
    it.live(`a charge that is ${title} is looked up as ${JSON.stringify(outcome)}`, () =>
      Effect.gen(function* () {
        const simulator = yield* runningSimulator();
        const gateway = yield* gatewayAt(simulator.url);
        yield* gateway.start({ ...request("key-1", token), capture: "manual" });
        const id = (yield* simulator.ledger).charges[0]?.id ?? "";
        if (act === "void") yield* simulator.operate(id, "void", "key-2");
        if (act === "part") yield* simulator.operate(id, "capture", "key-2", { amount: 400 });
        if (act === "succeeded" || act === "failed") yield* simulator.authenticate(id, act);
        if (act === "succeed") yield* simulator.answered("POST", `/admin/charges/${id}/succeed`);
        if (act === "expire" || act === "part") yield* simulator.answered("POST", `/admin/charges/${id}/expire`);
        expect(yield* gateway.lookUp(lookUpOf("key-1"))).toMatchObject(outcome);
      }),
    );
  }
});

const listed = {
  id: "op_1",
  charge: "ch_1",
  key: "key-2",
  kind: "refund",
  amount: 500,
  currency: "USD",
  status: "succeeded",
};
const refund = operation("refund", "key-2", 500);

describe("an answer to an operation", () => {
  const error = { code: "some_code", message: "why" };
  const listing = (changes: object) => ({ id: "ch_1", operations: [{ ...listed, ...changes }] });
  const cases: ReadonlyArray<readonly [title: string, status: number, document: unknown, outcome: object]> = [
    ["200 with the operation", 200, listing({}), { _tag: "Done", operationId: "op_1", amount: usd(500) }],
    ["200 among others", 200, { operations: [{ ...listed, key: "key-9" }, listed] }, { _tag: "Done" }],
    ["200 without the operation", 200, listing({ key: "key-9" }), { _tag: "Unknown" }],
    ["200 of another kind", 200, listing({ kind: "capture" }), { _tag: "Unknown" }],
    ["200 of another charge", 200, listing({ charge: "ch_9" }), { _tag: "Unknown" }],
    ["200 reversed already", 200, listing({ status: "reversed" }), { _tag: "Unknown" }],
    ["200 pending", 200, listing({ status: "pending" }), { _tag: "Unknown" }],
    ["200 failed", 200, listing({ status: "failed", error }), { _tag: "Refused", code: "some_code", message: "why" }],
    ["200 failed without a reason", 200, listing({ status: "failed" }), { _tag: "Unknown" }],
    ["200 with an amount as text", 200, listing({ amount: "500" }), { _tag: "Unknown" }],
    ["200 without operations", 200, { id: "ch_1" }, { _tag: "Unknown" }],
    ["200 that is not JSON", 200, "ok", { _tag: "Unknown" }],
    ["201", 201, listing({}), { _tag: "Unknown" }],
    ["a redirect", 302, "", { _tag: "Unknown" }],
    ["400", 400, { error }, { _tag: "Refused", code: "some_code", message: "why" }],
    ["402", 402, { error: { code: "operation_refused" } }, { _tag: "Refused", message: "operation_refused" }],
    ["413", 413, { error }, { _tag: "Refused" }],
    ["400 without a reason", 400, "Bad Request", { _tag: "Unknown" }],
    ["402 without a reason", 402, "{}", { _tag: "Unknown" }],
    ["401", 401, { error }, { _tag: "NotSent" }],
    ["403", 403, "", { _tag: "NotSent" }],
    ["404", 404, { error }, { _tag: "NotSent" }],
    ["405", 405, "", { _tag: "NotSent" }],
    ["429", 429, { error }, { _tag: "NotSent" }],
    ["408", 408, { error }, { _tag: "Unknown" }],
    ["409, in flight", 409, { error }, { _tag: "Unknown" }],
    ["422, key reused", 422, { error }, { _tag: "Unknown" }],
    ["500", 500, { error }, { _tag: "Unknown" }],
    ["502 of a proxy", 502, "<html>", { _tag: "Unknown" }],
  ];
  for (const [title, status, document, outcome] of cases) {
    it.live(`${title} is read as ${JSON.stringify(outcome)}`, () =>
      Effect.gen(function* () {
        const gateway = yield* gatewayAt(yield* answering(status, document));
        expect(yield* gateway.operate(refund)).toMatchObject(outcome);
      }),
    );
  }
});

describe("a look-up of an operation", () => {
  const cases: ReadonlyArray<readonly [title: string, status: number, document: unknown, tag: string]> = [
    ["nothing", 200, { operations: [] }, "NotFound"],
    ["its operation", 200, { operations: [listed] }, "Done"],
    ["a reversed one", 200, { operations: [{ ...listed, status: "reversed" }] }, "Reversed"],
    ["another key's", 200, { operations: [{ ...listed, key: "key-9" }] }, "Unknown"],
    ["another charge's", 200, { operations: [{ ...listed, charge: "ch_9" }] }, "Unknown"],
    ["two", 200, { operations: [listed, listed] }, "Unknown"],
    ["no list", 200, listed, "Unknown"],
    ["404", 404, { operations: [] }, "Unknown"],
    ["429", 429, { operations: [] }, "Unknown"],
    ["500", 500, { operations: [] }, "Unknown"],
  ];
  for (const [title, status, document, tag] of cases) {
    it.live(`that finds ${title} is ${tag}`, () =>
      Effect.gen(function* () {
        const gateway = yield* gatewayAt(yield* answering(status, document));
        expect(yield* gateway.lookUpOperation(refund)).toMatchObject({ _tag: tag });
      }),
    );
  }

  it.live("and the operation itself ask for the very key and charge, whatever is in them", () =>
    Effect.gen(function* () {
      const asked: Array<string> = [];
      const url = yield* httpServer((incoming, response) => {
        asked.push(`${incoming.method} ${incoming.url} ${incoming.headers["idempotency-key"] ?? "-"}`);
        response.end('{"operations":[]}');
      });
      const gateway = yield* gatewayAt(`${url}/sandbox/`);
      yield* gateway.operate(operation("void", "a&b", undefined, "ch/1?x"));
      yield* gateway.lookUpOperation(operation("void", "a&b=c d"));
      expect(asked).toEqual([
        "POST /sandbox/v1/charges/ch%2F1%3Fx/void a&b",
        "GET /sandbox/v1/operations?key=a%26b%3Dc%20d -",
      ]);
    }),
  );
});

describe("the network under an operation", () => {
  it.live("that refuses to connect makes it NotSent, and its look-up Unknown", () =>
    Effect.gen(function* () {
      const gateway = yield* gatewayAt(yield* portOfNobody);
      expect(yield* gateway.operate(refund)).toMatchObject({ _tag: "NotSent" });
      expect(yield* gateway.lookUpOperation(refund)).toMatchObject({ _tag: "Unknown" });
    }),
  );

  it.live("that breaks after the request has left makes both Unknown, and a time-out too", () =>
    Effect.gen(function* () {
      const resetting = yield* socketServer((socket) => socket.once("data", () => socket.resetAndDestroy()));
      const silent = yield* socketServer(() => undefined);
      for (const url of [resetting, silent]) {
        const gateway = yield* gatewayAt(url, { timeoutMillis: 150 });
        expect(yield* gateway.operate(refund)).toMatchObject({ _tag: "Unknown" });
        expect(yield* gateway.lookUpOperation(refund)).toMatchObject({ _tag: "Unknown" });
      }
    }),
  );

  it.live("and a fault of the adapter itself are never exceptions", () =>
    Effect.gen(function* () {
      const gateway = yield* gatewayAt(yield* answering(200, { operations: [] }));
      const unspeakable = operation("refund", "\ud800", 500, "\ud800");
      expect(yield* gateway.operate(unspeakable)).toMatchObject({ _tag: "Unknown" });
      expect(yield* gateway.lookUpOperation(unspeakable)).toMatchObject({ _tag: "Unknown" });
    }),
  );
});
