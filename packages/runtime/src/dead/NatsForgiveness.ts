/** Forgets how often a payment was being tried when its process ended, so that it is tried again (shard/Trials.ts). */
import { paymentKey, type PaymentRef } from "@aegispay/core/identity/Identity";
import { Effect } from "effect";
import { Deployment } from "../nats/NatsTopology.ts";
import { openSuspects } from "../shard/NatsSuspects.ts";
import { shardOf } from "../shard/shardOf.ts";

export const forgive = Effect.fnUntraced(function* (payment: PaymentRef) {
  const { shards } = yield* Deployment;
  const suspects = yield* openSuspects;
  const shard = shardOf(payment, shards);
  const key = paymentKey(payment);
  if ((yield* suspects.read(shard)).marks.has(key)) yield* suspects.update(shard, new Map([[key, undefined]]));
});
