/** Faults to order of the simulator's webhooks: `PUT /admin/webhooks/faults`. What is left out is as in `none`. */
import { Schema } from "effect";

const oneHourMillis = 3_600_000;

export const WebhookFaults = Schema.Struct({
  /** Late: each waits so long before it is sent. */
  delayMs: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: oneHourMillis }))),
  /** Doubled: each is sent so often, all at once. */
  copies: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 }))),
  /** Each waits until one that came later has been delivered, or for a second. */
  outOfOrder: Schema.optionalKey(Schema.Boolean),
  /** Signed with another secret; it is not sent again. */
  forged: Schema.optionalKey(Schema.Boolean),
  /** Rightly signed, and it says that it is about this payment, `<merchant>/<payment>`: another tenant's. */
  reference: Schema.optionalKey(Schema.String.check(Schema.isBetweenLength(1, 200_000))),
  /** None is sent. */
  never: Schema.optionalKey(Schema.Boolean),
});
export type WebhookFaults = typeof WebhookFaults.Type;
