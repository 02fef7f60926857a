/**
 * The simulator's HTTP: throws the dice for what comes to /v1, and puts replies into words. Decides nothing about money.
 * Every request to /v1 is counted; one that is refused or dropped before it reached the acquirer counts for no key.
 */
import { MinorUnits } from "@aegispay/core/money/Money";
import { Clock, Effect, Schema } from "effect";
import { HttpRouter, HttpServerRequest } from "effect/http";
import type { PlatformError } from "effect/PlatformError";
import type { Acquirer } from "./Acquirer.ts";
import { adminRoutes } from "./adminRoutes.ts";
import { challengeRoutes } from "./challengeRoutes.ts";
import { ChargeRequest, OperationKind } from "./Charge.ts";
import { operationDocument } from "./documents.ts";
import type { DurableLedger } from "./DurableLedger.ts";
import {
  drop,
  invalid,
  isReply,
  jsonResponse,
  ledgerFailed,
  readBody,
  readKey,
  resource,
  respond,
} from "./exchanges.ts";
import type { Fate, Faults, RequestKind } from "./Faults.ts";
import type { Orders } from "./Orders.ts";
import { noSuchCharge, type Replies, type Reply } from "./Reply.ts";
import { webhookRoutes } from "./webhookRoutes.ts";
import type { WebhookSender } from "./WebhookSender.ts";

type Request = HttpServerRequest.HttpServerRequest;
type Routed = HttpRouter.RouteContext | HttpServerRequest.ParsedSearchParams;

const decodeCharge = Schema.decodeUnknownResult(ChargeRequest);
const decodeOperation = Schema.decodeUnknownResult(Schema.Struct({ amount: Schema.optionalKey(MinorUnits) }));

export interface SimulatorParts {
  readonly books: DurableLedger;
  readonly acquirer: Acquirer;
  readonly orders: Orders;
  readonly faults: Faults;
  readonly replies: Replies;
  readonly webhooks: WebhookSender;
}

const simulatorRoutes = ({ books, acquirer, orders, faults, replies, webhooks }: SimulatorParts) =>
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
          Effect.catchIf(isReply, (refused) => Effect.as(countRefused, refused)),
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
          return entry === undefined ? noSuchCharge : replies.found(entry.now);
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
          return replies.listed(entries.map(({ now }) => now));
        }, fate);
      }),
    );

    const listOperations = received("look-up", (_request, fate) =>
      Effect.gen(function* () {
        const { key } = yield* HttpServerRequest.ParsedSearchParams;
        if (typeof key !== "string") return yield* Effect.fail(invalid("?key= is needed, once"));
        return yield* acquirer.lookUp((ledger) => {
          const owner = ledger.ownerOf(key);
          const operations = owner?.kind === "operation" ? [operationDocument(owner.entry.now, owner.operation)] : [];
          return { status: 200, document: { operations } };
        }, fate);
      }),
    );

    return Effect.all([
      router.addAll(resource("/v1/charges", { POST: createCharge, GET: listCharges })),
      router.addAll(resource("/v1/charges/:id", { GET: getCharge })),
      ...OperationKind.literals.map((kind) =>
        router.addAll(resource(`/v1/charges/:id/${kind}`, { POST: operate(kind) })),
      ),
      router.addAll(resource("/v1/operations", { GET: listOperations })),
      router.addAll(challengeRoutes(books, orders)),
      router.addAll(adminRoutes(books, orders, faults)),
      router.addAll(webhookRoutes(books, webhooks)),
    ]);
  });

/** The routes as an application; what no route matches, a path that cannot be decoded too, is answered 404. */
export const simulatorApp = (parts: SimulatorParts) =>
  Effect.map(HttpRouter.toHttpEffect(simulatorRoutes(parts)), (app) =>
    Effect.catchTag(app, "HttpServerError", (error) =>
      error.reason._tag === "RouteNotFound"
        ? Effect.succeed(jsonResponse(404, { error: { code: "not_found", message: "no such path" } }))
        : Effect.fail(error),
    ),
  );
