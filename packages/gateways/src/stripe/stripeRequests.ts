/**
 * Stripe's requests, form-encoded. Each POST carries its own key; the version of the API is pinned, so that an account's
 * setting changes no meaning under us.
 */
import type { Redacted } from "effect";
import type { OperationRequest, StartRequest } from "../Gateway.ts";
import { bearer } from "../http/authorization.ts";
import type { GatewayRequest } from "../http/GatewayHttp.ts";
import { captureKeyField, keyField, referenceField } from "./stripeDocuments.ts";

export const stripeVersion = "2026-10-28.endive";

type Fields = ReadonlyArray<readonly [name: string, value: string | number | undefined]>;

const encoded = (fields: Fields): string =>
  new URLSearchParams(
    fields.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)] as [string, string]])),
  ).toString();

export const makeStripeRequests = (basePath: string, secretKey: Redacted.Redacted, returnUrl: string) => {
  const base = `${basePath}/v1`;
  const headers = { authorization: bearer(secretKey), "stripe-version": stripeVersion };
  const get = (path: string, fields: Fields = []): GatewayRequest => ({
    method: "GET",
    path: fields.length === 0 ? `${base}${path}` : `${base}${path}?${encoded(fields)}`,
    headers,
  });
  const post = (path: string, idempotencyKey: string, fields: Fields): GatewayRequest => ({
    method: "POST",
    path: `${base}${path}`,
    headers: {
      ...headers,
      "content-type": "application/x-www-form-urlencoded",
      "idempotency-key": idempotencyKey,
    },
    body: encoded(fields),
  });
  const intent = (id: string) => `/payment_intents/${encodeURIComponent(id)}`;

  return {
    start: (request: StartRequest, amount: number) => {
      const { idempotencyKey, token, customer } = request;
      return post("/payment_intents", idempotencyKey, [
        ["amount", amount],
        ["currency", request.amount.currency.toLowerCase()],
        ["allowed_payment_method_types[0]", "card"],
        ["payment_method", token],
        ["customer", customer?.id],
        ["capture_method", request.capture],
        ["confirm", "true"],
        ["return_url", request.returnUrl ?? returnUrl],
        [`metadata[${keyField}]`, idempotencyKey],
        [`metadata[${referenceField}]`, request.reference],
      ]);
    },
    retrieve: (id: string) => get(intent(id)),
    /** PaymentIntents made in that time, in seconds, the latest first. */
    list: (from: number, until: number, customer: string | undefined, startingAfter: string | undefined) =>
      get("/payment_intents", [
        ["limit", 100],
        ["created[gte]", from],
        ["created[lte]", until],
        ["customer", customer],
        ["starting_after", startingAfter],
      ]),
    /** What Stripe's index holds under the key: it may be minutes late. */
    search: (idempotencyKey: string) =>
      get("/payment_intents/search", [
        ["query", `metadata["${keyField}"]:"${idempotencyKey}"`],
        ["limit", 2],
      ]),
    capture: ({ idempotencyKey, gatewayTransactionId }: OperationRequest, amount: number) =>
      post(`${intent(gatewayTransactionId)}/capture`, idempotencyKey, [
        ["amount_to_capture", amount],
        [`metadata[${captureKeyField}]`, idempotencyKey],
      ]),
    cancel: ({ idempotencyKey, gatewayTransactionId }: OperationRequest) =>
      post(`${intent(gatewayTransactionId)}/cancel`, idempotencyKey, []),
    refund: ({ idempotencyKey, gatewayTransactionId }: OperationRequest, amount: number) =>
      post("/refunds", idempotencyKey, [
        ["payment_intent", gatewayTransactionId],
        ["amount", amount],
        [`metadata[${keyField}]`, idempotencyKey],
      ]),
    refunds: (paymentIntent: string, startingAfter: string | undefined) =>
      get("/refunds", [
        ["payment_intent", paymentIntent],
        ["limit", 100],
        ["starting_after", startingAfter],
      ]),
  };
};
export type StripeRequests = ReturnType<typeof makeStripeRequests>;
