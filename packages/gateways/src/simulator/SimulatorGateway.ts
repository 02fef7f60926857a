/** The port's adapter for the gateway simulator: its HTTP API, read as evidence. */
import { Effect, type Redacted, type Scope } from "effect";
import type { Gateway } from "../Gateway.ts";
import { withoutDefects } from "../evidence/withoutDefects.ts";
import { makeGatewayHttp } from "../http/GatewayHttp.ts";
import { readLookUpAnswer, readStartAnswer } from "./ChargeAnswer.ts";
import { readOperationAnswer, readOperationLookUp } from "./OperationAnswer.ts";
import { simulatorWebhook } from "./SimulatorWebhook.ts";

export interface SimulatorGatewayOptions {
  readonly name: string;
  readonly account: string;
  /** Where the simulator listens: `http://127.0.0.1:8081`, a path before /v1 allowed. */
  readonly url: string;
  /** Default 10000: a gateway that thinks longer than that is asked again by a look-up instead. */
  readonly timeoutMillis?: number;
  /** Default 128: more requests under way than that mean that the gateway is slow, not that it should get more. */
  readonly maxConnections?: number;
  /** What its webhooks are signed with; without it none is taken. */
  readonly webhookSecret?: Redacted.Redacted;
}

export const makeSimulatorGateway: (options: SimulatorGatewayOptions) => Effect.Effect<Gateway, never, Scope.Scope> =
  Effect.fnUntraced(function* (options) {
    const { name, account, timeoutMillis = 10_000, maxConnections = 128 } = options;
    const { origin, pathname } = new URL(options.url);
    const api = `${pathname.replace(/\/+$/, "")}/v1`;
    const send = yield* makeGatewayHttp({ origin, timeoutMillis, maxConnections });

    const { webhookSecret } = options;
    return {
      name,
      account,
      connections: maxConnections,
      ...(webhookSecret === undefined ? {} : { readWebhook: simulatorWebhook([webhookSecret]) }),
      start: ({ idempotencyKey, reference, amount, token, capture }) =>
        withoutDefects(() =>
          Effect.map(
            send({
              method: "POST",
              path: `${api}/charges`,
              headers: { "content-type": "application/json", "idempotency-key": idempotencyKey },
              body: JSON.stringify({ reference, amount: amount.value, currency: amount.currency, token, capture }),
            }),
            (exchange) => readStartAnswer(exchange, idempotencyKey),
          ),
        ),
      lookUp: ({ idempotencyKey }) =>
        withoutDefects(() =>
          Effect.map(
            send({ method: "GET", path: `${api}/charges?key=${encodeURIComponent(idempotencyKey)}`, headers: {} }),
            (exchange) => readLookUpAnswer(exchange, idempotencyKey),
          ),
        ),
      operate: (request) =>
        withoutDefects(() =>
          Effect.map(
            send({
              method: "POST",
              path: `${api}/charges/${encodeURIComponent(request.gatewayTransactionId)}/${request.kind}`,
              headers: { "content-type": "application/json", "idempotency-key": request.idempotencyKey },
              body: JSON.stringify(request.amount === undefined ? {} : { amount: request.amount.value }),
            }),
            (exchange) => readOperationAnswer(exchange, request),
          ),
        ),
      lookUpOperation: (request) =>
        withoutDefects(() =>
          Effect.map(
            send({
              method: "GET",
              path: `${api}/operations?key=${encodeURIComponent(request.idempotencyKey)}`,
              headers: {},
            }),
            (exchange) => readOperationLookUp(exchange, request),
          ),
        ),
    };
  });
