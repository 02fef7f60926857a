/**
 * Which payment a gateway's idempotency key belongs to, for the webhooks of gateways that name nothing else. Only their keys
 * are remembered, so a call at any other gateway costs nothing more. Where nobody provides this, nothing is remembered.
 */
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import { Context, Data, Effect } from "effect";

export class GatewayKeysUnavailable extends Data.TaggedError("GatewayKeysUnavailable")<{ readonly cause: unknown }> {}

interface GatewayKeysService {
  /** Done when it is durable. */
  readonly remember: (idempotencyKey: string, payment: PaymentRef) => Effect.Effect<void, GatewayKeysUnavailable>;
  readonly find: (idempotencyKey: string) => Effect.Effect<PaymentRef | undefined, GatewayKeysUnavailable>;
}

export const GatewayKeys = Context.Reference<GatewayKeysService>("@aegispay/runtime/GatewayKeys", {
  defaultValue: () => ({ remember: () => Effect.void, find: () => Effect.succeed(undefined) }),
});
