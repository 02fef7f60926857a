/** What the primary serves for all its workers: `/livez` (this process answers), `/readyz` (every worker takes payments). */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer";
import { Data, Effect, Layer } from "effect";
import { HttpRouter, HttpServerResponse } from "effect/http";
import { createServer } from "node:http";
import type { Workers } from "./Workers.ts";

export class HealthServerFailed extends Data.TaggedError("HealthServerFailed")<{ readonly message: string }> {}

export interface Health {
  readonly workers: Workers;
  readonly isConnected: () => boolean;
}

const routes = ({ workers, isConnected }: Health) =>
  Layer.mergeAll(
    HttpRouter.add("GET", "/livez", HttpServerResponse.text("ok\n")),
    HttpRouter.add(
      "GET",
      "/readyz",
      Effect.sync(() => {
        const up = workers.list();
        const ready = isConnected() && workers.areReady();
        const body = { ready, nats: isConnected(), workers: { up: up.length, expected: workers.expected } };
        return HttpServerResponse.jsonUnsafe(body, { status: ready ? 200 : 503 });
      }),
    ),
  );

/** Serves until the scope closes. The port is one that was claimed before. */
export const serveHealth = (port: number, health: Health) =>
  Layer.build(
    HttpRouter.serve(routes(health), { disableLogger: true, disableListenLog: true }).pipe(
      Layer.provide(NodeHttpServer.layer(() => createServer(), { port, host: "127.0.0.1" })),
    ),
  ).pipe(
    Effect.mapError((error) => new HealthServerFailed({ message: `port ${port} of --http-port: ${String(error)}` })),
  );
