/**
 * Adyen's requests, as JSON, to a pinned version of Checkout. What a webhook signs of a payment is its merchantReference:
 * so that is where our key stands, and the payment's own name stands beside it.
 */
import { Redacted } from "effect";
import type { OperationRequest, StartRequest } from "../Gateway.ts";
import type { GatewayRequest } from "../http/GatewayHttp.ts";
import type { AdyenConfig } from "./adyenConfig.ts";

export const adyenVersion = "v72";

export const makeAdyenRequests = (basePath: string, apiKey: Redacted.Redacted, config: AdyenConfig) => {
  const { merchantAccount } = config;
  const post = (path: string, idempotencyKey: string | undefined, document: unknown): GatewayRequest => ({
    method: "POST",
    path: `${basePath}/${adyenVersion}${path}`,
    headers: {
      "x-api-key": Redacted.value(apiKey),
      "content-type": "application/json",
      ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
    },
    body: JSON.stringify(document),
  });
  const payment = (pspReference: string) => `/payments/${encodeURIComponent(pspReference)}`;

  return {
    start: ({ idempotencyKey, reference, amount, token, capture, returnUrl, customer }: StartRequest, value: number) =>
      post("/payments", idempotencyKey, {
        merchantAccount,
        amount: { value, currency: amount.currency },
        reference: idempotencyKey,
        merchantOrderReference: reference,
        paymentMethod: { type: "scheme", storedPaymentMethodId: token },
        ...(customer?.id === undefined ? {} : { shopperReference: customer.id }),
        ...(customer?.email === undefined ? {} : { shopperEmail: customer.email }),
        shopperInteraction: "ContAuth",
        recurringProcessingModel: "CardOnFile",
        channel: "Web",
        returnUrl: returnUrl ?? config.returnUrl,
        // A challenge inside the merchant's own page needs Adyen's components there; a redirect needs nothing.
        authenticationData: { threeDSRequestData: { nativeThreeDS: "disabled" } },
        ...(capture === "manual" ? { additionalData: { manualCapture: "true" } } : { captureDelayHours: 0 }),
      }),
    /** What the customer's browser brought back. Adyen takes it once. */
    details: (redirectResult: string) => post("/payments/details", undefined, { details: { redirectResult } }),
    capture: ({ idempotencyKey, gatewayTransactionId, amount }: OperationRequest, value: number) =>
      post(`${payment(gatewayTransactionId)}/captures`, idempotencyKey, {
        merchantAccount,
        amount: { value, currency: amount?.currency },
        reference: idempotencyKey,
      }),
    refund: ({ idempotencyKey, gatewayTransactionId, amount }: OperationRequest, value: number) =>
      post(`${payment(gatewayTransactionId)}/refunds`, idempotencyKey, {
        merchantAccount,
        amount: { value, currency: amount?.currency },
        reference: idempotencyKey,
      }),
    cancel: ({ idempotencyKey, gatewayTransactionId }: OperationRequest) =>
      post(`${payment(gatewayTransactionId)}/cancels`, idempotencyKey, { merchantAccount, reference: idempotencyKey }),
    /** Of a payment that Adyen has not named yet: by our own reference, which is the charge's key. */
    cancelByReference: ({ idempotencyKey, gatewayTransactionId }: OperationRequest) =>
      post("/cancels", idempotencyKey, {
        merchantAccount,
        paymentReference: gatewayTransactionId,
        reference: idempotencyKey,
      }),
  };
};
export type AdyenRequests = ReturnType<typeof makeAdyenRequests>;
