/** A gateway in the worker's own process that approves at once: what is left to measure is the runtime. */
import { Gateways, type Gateway } from "@aegispay/gateways/Gateway";
import { Effect, Layer } from "effect";

const gateway: Gateway = {
  name: "instant",
  account: "default",
  start: ({ idempotencyKey, amount }) =>
    Effect.succeed({ _tag: "Approved", gatewayTransactionId: `ch_${idempotencyKey}`, status: "succeeded", amount }),
  lookUp: () => Effect.succeed({ _tag: "NotFound" }),
  operate: ({ idempotencyKey, amount }) =>
    Effect.succeed({ _tag: "Done", operationId: `op_${idempotencyKey}`, amount: amount ?? { value: 0, currency: "" } }),
  lookUpOperation: () => Effect.succeed({ _tag: "NotFound" }),
};

export const layerInstantGateway = Layer.succeed(Gateways, {
  candidates: [{ gateway: gateway.name, account: gateway.account, keyRetentionMillis: 86_400_000 }],
  find: () => gateway,
});
