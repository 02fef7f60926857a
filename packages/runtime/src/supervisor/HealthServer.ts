/**
 * What the primary serves for all its workers: `/livez` (this process answers), `/readyz` (every worker takes payments),
 * `/metrics` (Prometheus), and `/webhooks/<gateway>` where it receives them.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer";
import { Data, Effect, Layer } from "effect";
import { HttpRouter, HttpServerResponse } from "effect/http";
import type { ServeError } from "effect/http/HttpServerError";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mergeMetrics } from "../metrics/prometheusText.ts";
import { renderFamily } from "../metrics/Metrics.ts";
import type { WebhookIntake } from "../webhooks/WebhookIntake.ts";
import { webhookRoutes } from "../webhooks/webhookRoutes.ts";
import type { Workers } from "./Workers.ts";

export class HealthServerFailed extends Data.TaggedError("HealthServerFailed")<{ readonly message: string }> {}

export interface HealthServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

export interface Health {
  readonly workers: Pick<Workers, "areReady" | "list" | "nodes" | "metrics" | "expected">;
  readonly isConnected: () => boolean;
  readonly webhooks?: WebhookIntake["Service"];
}

/** How long a request may take to come, in milliseconds: headers, and all of it. Anybody may reach this port. */
const requestLimits = { headersTimeout: 5_000, requestTimeout: 15_000, connectionsCheckingInterval: 1_000 };

const routes = ({ workers, isConnected, webhooks }: Health) =>
  Layer.mergeAll(
    HttpRouter.add("GET", "/livez", HttpServerResponse.text("ok\n")),
    HttpRouter.add(
      "GET",
      "/readyz",
      Effect.sync(() => {
        const ready = isConnected() && workers.areReady();
        const counts = { up: workers.list().length, expected: workers.expected };
        const body = { ready, nats: isConnected(), workers: counts, nodes: workers.nodes() };
        return HttpServerResponse.jsonUnsafe(body, { status: ready ? 200 : 503 });
      }),
    ),
    HttpRouter.add(
      "GET",
      "/metrics",
      Effect.sync(() => {
        const all = mergeMetrics([{ text: workers.metrics() }, { text: renderFamily("aegispay_webhooks_total") }]);
        return HttpServerResponse.text(all, { contentType: "text/plain; version=0.0.4; charset=utf-8" });
      }),
    ),
    ...(webhooks === undefined ? [] : [webhookRoutes(webhooks)]),
  );

const cannotListen = (port: number, cause: unknown) => {
  const taken = (cause as NodeJS.ErrnoException).code === "EADDRINUSE";
  const what = taken ? `port ${port} is taken` : `port ${port} cannot be used (${String(cause)})`;
  return new HealthServerFailed({ message: `${what}: choose another with --http-port (0 takes any free one)` });
};

/** Serves until the scope closes; answers where. */
export const serveHealth = Effect.fnUntraced(function* ({ host, port }: HealthServerOptions, health: Health) {
  const server = createServer(requestLimits);
  const listening = yield* NodeHttpServer.make(() => server, { port, host, disablePreemptiveShutdown: true }).pipe(
    Effect.mapError((error: ServeError) => cannotListen(port, error.cause)),
  );
  // A scraper keeps its connection open: waiting for it to leave would hold up the end of this process.
  yield* Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()));
  yield* listening.serve(yield* HttpRouter.toHttpEffect(routes(health)));
  const { port: bound } = server.address() as AddressInfo;
  return `http://${host.includes(":") ? `[${host}]` : host}:${bound}`;
});
