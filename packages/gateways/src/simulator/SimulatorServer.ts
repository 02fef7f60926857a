/**
 * The gateway simulator: a real HTTP server with its own durable ledger and faults to order. What it answers:
 * CONTRACT.md, "The gateway simulator (HTTP)".
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem";
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer";
import { ByteSize, Deferred, Effect, Schema, type Scope } from "effect";
import { HttpServerRequest, type HttpServerResponse } from "effect/http";
import type { ServeError } from "effect/http/HttpServerError";
import { makeAcquirer } from "./Acquirer.ts";
import { openLedger } from "./DurableLedger.ts";
import { makeFaults } from "./Faults.ts";
import { makeOrders } from "./Orders.ts";
import { repliesFrom } from "./Reply.ts";
import { simulatorApp } from "./SimulatorRoutes.ts";
import { eventOf } from "./webhookEvents.ts";
import type { WebhookTarget } from "./WebhookOutbox.ts";
import { makeWebhookSender } from "./WebhookSender.ts";

export interface SimulatorOptions {
  /** 0: any free one. */
  readonly port: number;
  /** Where the ledger lives; made if it is not there. One running simulator a directory. */
  readonly dataDir: string;
  /** Address to listen on; by default this machine only, because /admin asks for no password. */
  readonly host?: string;
  /** How long tok_slow takes. Default 3000: longer than an impatient client, shorter than the adapter's time-out. */
  readonly slowAnswerMillis?: number;
  /** Where to send webhooks from the start; without it, where they went before. */
  readonly webhooks?: WebhookTarget;
}

export interface Simulator {
  readonly url: string;
  readonly port: number;
  /** From now on webhooks go there, also those that were not delivered before. */
  readonly sendWebhooksTo: (target: WebhookTarget) => void;
}

export class SimulatorStartError extends Schema.TaggedError<SimulatorStartError>()("SimulatorStartError", {
  reason: Schema.Literals(["PortTaken", "CannotListen", "LedgerUnusable"]),
  message: Schema.String,
}) {}

/** Longer than any client keeps a connection idle, so that it is the client who ends it, never in mid-request. */
const keepAliveMillis = 65_000;

export const startSimulator: (options: SimulatorOptions) => Effect.Effect<Simulator, SimulatorStartError, Scope.Scope> =
  Effect.fnUntraced(function* (options) {
    const { port, host = "127.0.0.1", dataDir, slowAnswerMillis = 3_000 } = options;
    const scope = yield* Effect.scope;
    const server = createServer({ keepAliveTimeout: keepAliveMillis });
    // The port first: it keeps a second simulator, started by mistake, from touching the first one's ledger.
    const listening = yield* NodeHttpServer.make(() => server, { port, host, disablePreemptiveShutdown: true }).pipe(
      Effect.catch((error) => Effect.fail(cannotListen(error, host, port))),
      Effect.catchDefect((defect) => Effect.fail(startError("CannotListen", `port ${port}: ${String(defect)}`))),
    );
    // A gateway that goes down takes its connections along; waiting for held answers would hang the shutdown.
    yield* Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()));

    // What comes before the ledger is read waits for it.
    type App = Effect.Effect<
      HttpServerResponse.HttpServerResponse,
      unknown,
      HttpServerRequest.HttpServerRequest | Scope.Scope
    >;
    const ready = yield* Deferred.make<App>();
    yield* listening
      .serve(Effect.flatten(Deferred.await(ready)))
      .pipe(Effect.provideService(HttpServerRequest.MaxBodySize, ByteSize.kibibytes(64)));

    const books = yield* openLedger(dataDir).pipe(
      Effect.provide(NodeFileSystem.layer),
      Effect.catch((error) => Effect.fail(startError("LedgerUnusable", error.message))),
    );
    const address = server.address() as AddressInfo;
    const url = `http://${host.includes(":") ? `[${host}]` : host}:${address.port}`;
    const replies = repliesFrom(url);
    const acquirer = makeAcquirer({ books, slowAnswerMillis, scope, replies });
    const orders = makeOrders(books, replies);
    if (options.webhooks !== undefined) books.recordWebhook({ type: "webhook-target", target: options.webhooks });
    const webhooks = yield* makeWebhookSender(books);
    books.onRecorded((record) => {
      const event = eventOf(record, books.ledger, url);
      if (event !== undefined) webhooks.tell(event);
    });
    const app = simulatorApp({ books, acquirer, orders, faults: makeFaults(), replies, webhooks });
    yield* Deferred.succeed(ready, yield* app);
    return { url, port: address.port, sendWebhooksTo: webhooks.sendTo };
  });

const startError = (reason: SimulatorStartError["reason"], message: string) =>
  new SimulatorStartError({ reason, message });

const cannotListen = (error: ServeError, host: string, port: number) => {
  const code = (error.cause as NodeJS.ErrnoException).code;
  return code === "EADDRINUSE"
    ? startError("PortTaken", `port ${port} of ${host} is taken`)
    : startError("CannotListen", `cannot listen on ${host}, port ${port}: ${String(error.cause)}`);
};
