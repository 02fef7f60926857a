/** Gateways that treat connections and requests as a test orders, and what is asked of them. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createSocketServer, type Socket } from "node:net";
import type { LookUpRequest, OperationRequest, StartRequest } from "@aegispay/gateways/Gateway";
import { makeSimulatorGateway, type SimulatorGatewayOptions } from "@aegispay/gateways/simulator/SimulatorGateway";
import { Effect, type Scope } from "effect";

export const gatewayAt = (url: string, options: Partial<SimulatorGatewayOptions> = {}) =>
  makeSimulatorGateway({ name: "simulator", account: "default", url, ...options });

export const request = (idempotencyKey: string, token = "tok_visa"): StartRequest => ({
  idempotencyKey,
  reference: "shop/order-1",
  amount: { value: 1999, currency: "USD" },
  token,
  capture: "automatic",
});

export const lookUpOf = (idempotencyKey: string): LookUpRequest => ({
  ...request(idempotencyKey),
  startedAt: "2026-01-02T03:04:05.000Z",
});

/** An operation on `ch_1`, or on the charge that is given. */
export const operation = (
  kind: OperationRequest["kind"],
  idempotencyKey: string,
  value?: number,
  gatewayTransactionId = "ch_1",
): OperationRequest => ({
  kind,
  idempotencyKey,
  gatewayTransactionId,
  ...(value === undefined ? {} : { amount: { value, currency: "USD" } }),
});

/** A gateway that treats each connection as `onConnection` does. */
export const socketServer = (onConnection: (socket: Socket) => void): Effect.Effect<string, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(async () => {
        const sockets = new Set<Socket>();
        const server = createSocketServer((socket) => {
          sockets.add(socket);
          socket.on("error", () => undefined);
          onConnection(socket);
        });
        server.listen(0, "127.0.0.1");
        await once(server, "listening");
        return { server, sockets };
      }),
      ({ server, sockets }) =>
        Effect.sync(() => {
          server.close();
          for (const socket of sockets) socket.destroy();
        }),
    ),
    ({ server }) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  );

/** A gateway that answers each request as `onRequest` does. */
export const httpServer = (onRequest: (request: IncomingMessage, response: ServerResponse) => void) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(async () => {
        const server = createServer((incoming, response) => {
          incoming.resume().on("end", () => onRequest(incoming, response));
        }).listen(0, "127.0.0.1");
        await once(server, "listening");
        return server;
      }),
      (server) => Effect.sync(() => void server.close().closeAllConnections()),
    ),
    (server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  );

export const answering = (status: number, document: unknown) =>
  httpServer((_, response) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(typeof document === "string" ? document : JSON.stringify(document));
  });

export const succeeded = { id: "ch_1", status: "succeeded", amount: 1999, currency: "USD", idempotencyKey: "key-1" };

export const portOfNobody = Effect.scoped(httpServer(() => undefined));
