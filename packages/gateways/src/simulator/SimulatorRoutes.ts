/**
 * The simulator's HTTP: reads and checks requests, throws the dice, puts replies into words. Decides nothing about money.
 * Every request to /v1 is counted; one that is refused or dropped before it reached the acquirer counts for no key.
 */
import type { IncomingMessage } from "node:http";
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest";
import { MinorUnits } from "@aegispay/core/money/Money";
import { Clock, Effect, Result, Schema } from "effect";
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http";
import type { HttpMethod } from "effect/http/HttpMethod";
import type { PlatformError } from "effect/PlatformError";
import { type Acquirer, refusal, type Reply } from "./Acquirer.ts";
import { chargeDocument, ChargeRequest, OperationKind } from "./Charge.ts";
import type { DurableLedger } from "./DurableLedger.ts";
import { type Fate, FaultOrder, type Faults, type RequestKind } from "./Faults.ts";

type Request = HttpServerRequest.HttpServerRequest;
type Routed = HttpRouter.RouteContext | HttpServerRequest.ParsedSearchParams;

const decodeCharge = Schema.decodeUnknownResult(ChargeRequest);
const decodeOperation = Schema.decodeUnknownResult(Schema.Struct({ amount: Schema.optionalKey(MinorUnits) }));
// A fault with a misspelt name would be a test that tests nothing.
const decodeFaults = Schema.decodeUnknownResult(FaultOrder, { onExcessProperty: "error" });

const invalid = (message: string): Reply => refusal(400, "invalid_request", message);

/** The body as JSON, `undefined` where it is empty; fails with the refusal to answer. */
const readJson = (request: Request): Effect.Effect<unknown, Reply> =>
  request.text.pipe(
    Effect.mapError((error) =>
      error.reason._tag === "RequestParseError" && error.reason.reason === "BodyTooLarge"
        ? refusal(413, "payload_too_large", "the body is larger than 64 KiB")
        : invalid("the body could not be read"),
    ),
    Effect.flatMap((text) => {
      if (text === "") return Effect.undefined;
      return Effect.try({ try: (): unknown => JSON.parse(text), catch: () => invalid("the body is not JSON") });
    }),
  );

const readBody = <A>(
  request: Request,
  decode: (body: unknown) => Result.Result<A, Schema.SchemaError>,
): Effect.Effect<A, Reply> =>
  Effect.flatMap(readJson(request), (body) => {
    const decoded = decode(body);
    return Result.isSuccess(decoded) ? Effect.succeed(decoded.success) : Effect.fail(invalid(decoded.failure.message));
  });

const readKey = (request: Request): Effect.Effect<string, Reply> => {
  const key = request.headers["idempotency-key"] ?? "";
  return key.length >= 1 && key.length <= 255
    ? Effect.succeed(key)
    : Effect.fail(invalid("an Idempotency-Key header of 1 to 255 characters is needed"));
};

const jsonResponse = (status: number, document: unknown, headers?: Record<string, string>) =>
  HttpServerResponse.text(JSON.stringify(document), {
    status,
    contentType: "application/json",
    ...(headers === undefined ? {} : { headers }),
  });

/** Drops the connection of this request; the server then interrupts the request's fiber. */
const drop = (request: Request, how: "reset" | "close") =>
  Effect.suspend(() => {
    const { socket } = NodeHttpServerRequest.toIncomingMessage(request) as IncomingMessage;
    if (how === "reset") socket.resetAndDestroy();
    else socket.destroy();
    return Effect.never;
  });

const respond = (request: Request, reply: Reply) => {
  if ("dropped" in reply) return drop(request, "close");
  const headers = reply.replayed === true ? { "idempotent-replayed": "true" } : undefined;
  return Effect.succeed(jsonResponse(reply.status, reply.document, headers));
};

const ledgerFailed = (error: PlatformError) =>
  Effect.succeed(jsonResponse(500, { error: { code: "ledger_unwritable", message: error.message } }));

const simulatorRoutes = (books: DurableLedger, acquirer: Acquirer, faults: Faults) =>
  HttpRouter.use((router) => {
    const countRefused = Effect.suspend(() => {
      books.record({ type: "request" });
      return books.written;
    });

    /** A request to /v1: the dice first, then what is asked. Early refusals fail with the reply to give. */
    const received = (
      kind: RequestKind,
      handle: (request: Request, fate: Fate) => Effect.Effect<Reply, Reply | PlatformError, Routed>,
    ) =>
      Effect.gen(function* () {
        const request = yield* HttpServerRequest.HttpServerRequest;
        const fate = faults.throwDice(kind);
        if (fate.connectionResets) {
          yield* countRefused;
          return yield* drop(request, "reset");
        }
        if (kind !== "look-up" && !faults.admits(yield* Clock.currentTimeMillis)) {
          yield* countRefused;
          const error = { code: "rate_limited", message: "ordered by rateLimitPerSecond" };
          return jsonResponse(429, { error }, { "retry-after": "1" });
        }
        const reply = yield* handle(request, fate).pipe(
          Effect.catchIf(
            (error): error is Reply => !("_tag" in error),
            (refused) => Effect.as(countRefused, refused),
          ),
        );
        return yield* respond(request, reply);
      }).pipe(Effect.catch(ledgerFailed));

    const createCharge = received("charge", (request, fate) =>
      Effect.gen(function* () {
        const key = yield* readKey(request);
        const body = yield* readBody(request, decodeCharge);
        return yield* acquirer.charge(key, body, fate);
      }),
    );

    const operate = (kind: OperationKind) =>
      received("operation", (request, fate) =>
        Effect.gen(function* () {
          const { id = "" } = yield* HttpRouter.params;
          const key = yield* readKey(request);
          const { amount } = yield* readBody(request, (body) => decodeOperation(body ?? {}));
          if (kind === "void" && amount !== undefined) return yield* Effect.fail(invalid("a void takes no amount"));
          return yield* acquirer.operate(id, { key, kind, ...(amount === undefined ? {} : { amount }) }, fate);
        }),
      );

    const getCharge = received("look-up", (_request, fate) =>
      Effect.flatMap(HttpRouter.params, ({ id = "" }) =>
        acquirer.lookUp((ledger) => {
          const entry = ledger.byId(id);
          return entry === undefined
            ? refusal(404, "charge_not_found", "no such charge")
            : { status: 200, document: chargeDocument(entry.now) };
        }, fate),
      ),
    );

    const listCharges = received("look-up", (_request, fate) =>
      Effect.gen(function* () {
        const { key, reference } = yield* HttpServerRequest.ParsedSearchParams;
        if ((typeof key === "string") === (typeof reference === "string")) {
          return yield* Effect.fail(invalid("either ?reference= or ?key= is needed, once"));
        }
        return yield* acquirer.lookUp((ledger) => {
          const owner = typeof key === "string" ? ledger.ownerOf(key) : undefined;
          const entries =
            typeof reference === "string"
              ? ledger.byReference(reference)
              : owner?.kind === "charge"
                ? [owner.entry]
                : [];
          return { status: 200, document: { charges: entries.map((entry) => chargeDocument(entry.now)) } };
        }, fate);
      }),
    );

    const orderFaults = Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest;
      faults.order(yield* readBody(request, decodeFaults));
      return jsonResponse(200, faults.ordered());
    }).pipe(Effect.catch((refused) => Effect.flatMap(HttpServerRequest.HttpServerRequest, (r) => respond(r, refused))));

    const clearFaults = Effect.sync(() => {
      faults.order({});
      return jsonResponse(200, faults.ordered());
    });

    const report = books.written.pipe(
      Effect.map(() => jsonResponse(200, books.ledger.report())),
      Effect.catch(ledgerFailed),
    );

    return Effect.all([
      router.addAll(resource("/v1/charges", { POST: createCharge, GET: listCharges })),
      router.addAll(resource("/v1/charges/:id", { GET: getCharge })),
      ...OperationKind.literals.map((kind) =>
        router.addAll(resource(`/v1/charges/:id/${kind}`, { POST: operate(kind) })),
      ),
      router.addAll(
        resource("/admin/faults", {
          PUT: orderFaults,
          GET: Effect.sync(() => jsonResponse(200, faults.ordered())),
          DELETE: clearFaults,
        }),
      ),
      router.addAll(resource("/admin/ledger", { GET: report })),
    ]);
  });

/** The routes as an application; what no route matches, a path that cannot be decoded too, is answered 404. */
export const simulatorApp = (books: DurableLedger, acquirer: Acquirer, faults: Faults) =>
  Effect.map(HttpRouter.toHttpEffect(simulatorRoutes(books, acquirer, faults)), (app) =>
    Effect.catchTag(app, "HttpServerError", (error) =>
      error.reason._tag === "RouteNotFound"
        ? Effect.succeed(jsonResponse(404, { error: { code: "not_found", message: "no such path" } }))
        : Effect.fail(error),
    ),
  );

/** A path with the methods it knows; the others are answered 405 instead of a 404 that would deny the path. */
const resource = <R>(
  path: HttpRouter.PathInput,
  handlers: Partial<Record<HttpMethod, Effect.Effect<HttpServerResponse.HttpServerResponse, never, R>>>,
) => {
  const allow = Object.keys(handlers).join(", ");
  const error = { code: "method_not_allowed", message: `${path} answers ${allow}` };
  const notAllowed = Effect.succeed(jsonResponse(405, { error }, { allow }));
  return (["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const).map((method) =>
    HttpRouter.route(method, path, handlers[method] ?? notAllowed),
  );
};
