/** Which shard a payment belongs to, as the server's `partition()` says: for whoever has no delivery to read it from. */
import type { PaymentRef } from "@aegispay/core/identity/Identity";

/** FNV-1a (32 bits) over the two tokens, one after the other without a separator. */
export const shardOf = ({ merchant, paymentId }: PaymentRef, shards: number): number => {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(merchant + paymentId)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash % shards;
};
