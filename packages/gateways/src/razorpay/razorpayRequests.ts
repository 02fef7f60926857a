/**
 * Razorpay's requests, as JSON. A charge is an order of its own and a payment of that order with a saved card. Nothing but
 * the refund takes an idempotency key: the key stands in the notes of all three, and shortened in the order's receipt, by
 * which an order can be asked for.
 */
import type { Redacted } from "effect";
import type { OperationRequest, StartRequest } from "../Gateway.ts";
import { basic } from "../http/authorization.ts";
import type { GatewayRequest } from "../http/GatewayHttp.ts";
import { keyNote, referenceNote } from "./razorpayDocuments.ts";

/** A receipt has at most 40 characters: of a key that leaves over 200 bits, and the notes hold all of it. */
export const receiptOf = (idempotencyKey: string): string => idempotencyKey.slice(0, 40);

/** Minutes for which an authorization can be captured by hand: five days, the longest that Razorpay holds one. */
const manualExpiryMinutes = 7_200;
const automaticExpiryMinutes = 12;

export type Payer = Required<NonNullable<StartRequest["customer"]>>;

export const makeRazorpayRequests = (basePath: string, keyId: Redacted.Redacted, keySecret: Redacted.Redacted) => {
  const base = `${basePath}/v1`;
  const authorization = basic(keyId, keySecret);
  const get = (path: string): GatewayRequest => ({ method: "GET", path: `${base}${path}`, headers: { authorization } });
  const post = (path: string, document: unknown, headers: Record<string, string> = {}): GatewayRequest => ({
    method: "POST",
    path: `${base}${path}`,
    headers: { authorization, "content-type": "application/json", ...headers },
    body: JSON.stringify(document),
  });
  const notesOf = ({ idempotencyKey, reference }: StartRequest) => ({
    [keyNote]: idempotencyKey,
    [referenceNote]: reference.slice(0, 256),
  });
  const payment = (id: string) => `/payments/${encodeURIComponent(id)}`;

  return {
    order: (request: StartRequest, amount: number) =>
      post("/orders", {
        amount,
        currency: request.amount.currency,
        receipt: receiptOf(request.idempotencyKey),
        notes: notesOf(request),
        partial_payment: false,
        payment: {
          capture: request.capture,
          capture_options: {
            automatic_expiry_period: automaticExpiryMinutes,
            manual_expiry_period: manualExpiryMinutes,
            refund_speed: "normal",
          },
        },
      }),
    orders: (idempotencyKey: string) =>
      get(`/orders?${new URLSearchParams({ receipt: receiptOf(idempotencyKey), count: "100" }).toString()}`),
    paymentsOf: (order: string) => get(`/orders/${encodeURIComponent(order)}/payments`),
    pay: (request: StartRequest, amount: number, order: string, { id, email, phone }: Payer) =>
      post("/payments/create/recurring", {
        email,
        contact: phone,
        amount,
        currency: request.amount.currency,
        order_id: order,
        customer_id: id,
        token: request.token,
        recurring: true,
        notes: notesOf(request),
      }),
    payment: (id: string) => get(payment(id)),
    capture: ({ gatewayTransactionId }: OperationRequest, amount: number, currency: string) =>
      post(`${payment(gatewayTransactionId)}/capture`, { amount, currency }),
    refund: ({ gatewayTransactionId, idempotencyKey }: OperationRequest, amount: number) =>
      post(
        `${payment(gatewayTransactionId)}/refund`,
        { amount, speed: "normal", receipt: receiptOf(idempotencyKey), notes: { [keyNote]: idempotencyKey } },
        { "x-refund-idempotency": idempotencyKey },
      ),
    refunds: (id: string, skip: number) => get(`${payment(id)}/refunds?count=100&skip=${skip}`),
  };
};
export type RazorpayRequests = ReturnType<typeof makeRazorpayRequests>;
