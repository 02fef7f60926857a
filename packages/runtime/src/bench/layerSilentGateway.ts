/**
 * A gateway in the worker's own process that takes every charge, answers none, and knows of each when it is looked up: so
 * payments stay in flight for as long as a measurement needs, and come to their end as soon as another owner asks.
 */
import { defaultLimits } from "@aegispay/gateways/configuration/Limits";
import { Gateways, type Gateway } from "@aegispay/gateways/Gateway";
import { Effect, Layer } from "effect";
import { benchAmount } from "./settings.ts";

const gateway: Gateway = {
  name: "silent",
  account: "default",
  start: () => Effect.never,
  lookUp: (idempotencyKey) =>
    Effect.succeed({
      _tag: "Approved",
      gatewayTransactionId: `ch_${idempotencyKey}`,
      status: "succeeded",
      amount: benchAmount,
    }),
  operate: () => Effect.never,
  lookUpOperation: () => Effect.succeed({ _tag: "NotFound" }),
};

export const layerSilentGateway = Layer.succeed(Gateways, {
  candidates: [{ gateway: gateway.name, account: gateway.account, keyRetentionMillis: 86_400_000 }],
  find: () => gateway,
  // As many in flight as a window holds: that is what is measured.
  limits: () => ({ ...defaultLimits, gatewayShare: 2, merchantShare: 2 }),
});
