/** `/admin`: the ledger to judge by, faults to order, and what banks and time do to charges. It asks for no password. */
import { Effect, Schema } from "effect";
import { HttpRouter, HttpServerRequest } from "effect/http";
import type { PlatformError } from "effect/PlatformError";
import type { ChargeChange } from "./ChargeChange.ts";
import type { DurableLedger } from "./DurableLedger.ts";
import { invalid, isReply, jsonResponse, ledgerFailed, readBody, resource, respond } from "./exchanges.ts";
import { FaultOrder, type Faults } from "./Faults.ts";
import type { Orders } from "./Orders.ts";
import { noSuchCharge, type Reply } from "./Reply.ts";

// A fault with a misspelt name would be a test that tests nothing.
const strict = { onExcessProperty: "error" } as const;
const decodeFaults = Schema.decodeUnknownResult(FaultOrder, strict);
const decodeRefund = Schema.decodeUnknownResult(Schema.Struct({ key: Schema.optionalKey(Schema.String) }), strict);
const decodeKey = Schema.decodeUnknownResult(Schema.Struct({ key: Schema.String }), strict);

type Request = HttpServerRequest.HttpServerRequest;

export const adminRoutes = (books: DurableLedger, orders: Orders, faults: Faults) => {
  const ordered = <R>(handle: (request: Request) => Effect.Effect<Reply, Reply | PlatformError, R>) =>
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest;
      const reply = yield* Effect.catchIf(handle(request), isReply, (refused) => Effect.succeed(refused));
      return yield* respond(request, reply);
    }).pipe(Effect.catch(ledgerFailed));

  const ofCharge = (order: (chargeId: string, request: Request) => Effect.Effect<ChargeChange, Reply>) =>
    ordered((request) =>
      Effect.gen(function* () {
        const { id = "" } = yield* HttpRouter.params;
        return yield* orders.change(id, yield* order(id, request));
      }),
    );

  /** The refund that is named, or the last one that was done. */
  const reversal = (chargeId: string, request: Request): Effect.Effect<ChargeChange, Reply> =>
    Effect.gen(function* () {
      const { key } = yield* readBody(request, (body) => decodeRefund(body ?? {}));
      if (key !== undefined) return { type: "reversal", key };
      const entry = books.ledger.byId(chargeId);
      if (entry === undefined) return yield* Effect.fail(noSuchCharge);
      const last = entry.now.operations.findLast(({ kind, status }) => kind === "refund" && status === "succeeded");
      if (last === undefined) return yield* Effect.fail(invalid("the charge has no refund that could be reversed"));
      return { type: "reversal", key: last.key };
    });

  const orderFaults = ordered((request) =>
    Effect.gen(function* () {
      faults.order(yield* readBody(request, decodeFaults));
      return { status: 200, document: faults.ordered() };
    }),
  );

  const clearFaults = Effect.sync(() => {
    faults.order({});
    return jsonResponse(200, faults.ordered());
  });

  const finish = ordered((request) => Effect.flatMap(readBody(request, decodeKey), ({ key }) => orders.finish(key)));

  const report = books.written.pipe(
    Effect.map(() => jsonResponse(200, books.ledger.report())),
    Effect.catch(ledgerFailed),
  );

  return [
    ...resource("/admin/faults", {
      PUT: orderFaults,
      GET: Effect.sync(() => jsonResponse(200, faults.ordered())),
      DELETE: clearFaults,
    }),
    ...resource("/admin/ledger", { GET: report }),
    ...resource("/admin/delayed", { POST: finish }),
    ...resource("/admin/charges/:id/expire", { POST: ofCharge(() => Effect.succeed({ type: "expiry" })) }),
    ...resource("/admin/charges/:id/succeed", { POST: ofCharge(() => Effect.succeed({ type: "late-success" })) }),
    ...resource("/admin/charges/:id/reverse-refund", { POST: ofCharge(reversal) }),
  ];
};
