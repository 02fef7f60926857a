/**
 * The end of what waits. A moment that comes never ends anything that a gateway holds: it asks the gateway to release it, and
 * the payment ends on the gateway's word.
 */
import { latestExpiryMillis } from "./CreateBody.ts";
import { requestVoid } from "./requests.ts";
import { isoTime, type Given } from "./Given.ts";
import { expiryOf } from "./intents.ts";
import type { Expire } from "./PaymentCommand.ts";
import type { NewEvent } from "./PaymentEvent.ts";
import { isHeld, type ExistingPayment, type PaymentState } from "./PaymentState.ts";

/** As the create says, or as long as the policy lets a payment wait. */
export const customerWaitsUntil = ({ order }: ExistingPayment, { at, policy }: Given): string => {
  const { expiresAt } = order.create;
  // A log of before may name a moment that no timer can hold.
  const asked = expiresAt === undefined ? at + policy.customerWaitMillis : Date.parse(expiresAt);
  return isoTime(Math.min(asked, latestExpiryMillis));
};

export const authorizationUntil = ({ at, policy }: Given): string => isoTime(at + policy.authorizationForMillis);

export const onExpire = (state: PaymentState, { payment, version, given }: Expire): ReadonlyArray<NewEvent> => {
  // Long settled, or put off, or something is under way, after which it is owed again.
  if (expiryOf(state)?.version !== version) return [];
  if (state.name !== "REQUIRES_ACTION" && !isHeld(state)) return [];
  return state.attempt === undefined
    ? [{ type: "PaymentExpired", data: {} }]
    : [requestVoid({ payment, state, given }, state.attempt, "expiry")];
};
