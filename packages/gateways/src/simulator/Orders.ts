/**
 * What happens to charges without a request to /v1: customers authenticate, and tests order what banks and time do. Each
 * is decided and recorded in one synchronous step, like the acquirer's, and on disk before it is answered.
 */
import { Effect } from "effect";
import type { PlatformError } from "effect/PlatformError";
import { bookCharge, bookOperation, failedOperation, noBookingFaults } from "./booking.ts";
import { type ChargeChange, changeCharge } from "./ChargeChange.ts";
import { afterOperation } from "./ChargeOperation.ts";
import type { DurableLedger } from "./DurableLedger.ts";
import { noSuchCharge, refusal, type Replies, type Reply } from "./Reply.ts";

export interface Orders {
  /** Ordered again, it answers the same and changes nothing more. */
  readonly change: (chargeId: string, change: ChargeChange) => Effect.Effect<Reply, PlatformError>;
  /** Does what was asked under a delayed key. */
  readonly finish: (key: string) => Effect.Effect<Reply, PlatformError>;
}

export const makeOrders = ({ ledger, record, written }: DurableLedger, replies: Replies): Orders => {
  const change: Orders["change"] = (chargeId, ordered) =>
    Effect.suspend(() => {
      const entry = ledger.byId(chargeId);
      if (entry === undefined) return Effect.succeed(noSuchCharge);
      const changed = changeCharge(entry.now, ordered);
      if ("refused" in changed) return Effect.succeed(refusal(409, "charge_unexpected_state", changed.refused));
      if (changed.charge !== entry.now) record({ type: "change", chargeId, change: ordered });
      return Effect.as(written, replies.found(changed.charge));
    });

  const finish: Orders["finish"] = (key) =>
    Effect.suspend(() => {
      const delayed = ledger.delayedOf(key);
      if (delayed === undefined) return Effect.succeed(refusal(404, "nothing_delayed", "no request of this key waits"));
      if (delayed.kind === "charge") {
        const made = bookCharge(key, delayed.request, noBookingFaults);
        record({ type: "charge", charge: made });
        return Effect.as(written, replies.charge(made, false));
      }
      const { chargeId, request } = delayed;
      const { now } = ledger.byId(chargeId)!;
      const booked = bookOperation(now, request, noBookingFaults);
      const operation = "refused" in booked ? failedOperation(now, request, booked.message) : booked;
      record({ type: "operation", chargeId, operation });
      return Effect.as(written, replies.operation(afterOperation(now, operation), operation, false));
    });

  return { change, finish };
};
