/** A subject of the suite out of an adapter and a stand-in with books. */
import type { Gateway } from "@aegispay/gateways/Gateway";
import type { Notification, WebhookDelivery } from "@aegispay/gateways/webhooks/Webhook";
import { Effect } from "effect";
import type { StandInLedger } from "./StandInLedger.ts";
import type { StandInServer } from "./StandInServer.ts";
import type { Subject } from "./Subject.ts";

/** Short, so that a gateway that never answers does not keep the tests waiting. */
export const timeoutMillis = 400;

interface StandIn extends StandInServer {
  readonly ledger: StandInLedger;
  readonly webhooks: () => ReadonlyArray<WebhookDelivery>;
}

/** Verified as an endpoint would do it, repeats left out. */
export const verified = (gateway: Gateway, deliveries: ReadonlyArray<WebhookDelivery>): ReadonlyArray<Notification> => {
  const notifications = deliveries.flatMap((delivery) => {
    const verdict = gateway.readWebhook?.(delivery);
    if (verdict?._tag !== "Verified") throw new Error(`a webhook is ${verdict?._tag ?? "not read"}`);
    return verdict.notifications;
  });
  return [...new Map(notifications.map((notification) => [notification.dedupeKey, notification])).values()];
};

export const subjectOf = (
  gateway: Gateway,
  { ledger, fault, webhooks }: StandIn,
  onNotified: (notifications: ReadonlyArray<Notification>) => void = () => undefined,
): Subject => ({
  gateway,
  fault,
  webhooks,
  timePasses: Effect.void,
  bookAnotherAmount: () => {
    ledger.amountShift = 1;
  },
  authenticate: Effect.sync(() => {
    for (const charge of ledger.charges) if (charge.status === "action") ledger.authenticate(charge);
  }),
  booked: Effect.sync(() =>
    ledger.charges
      .filter(({ status }) => status === "authorized" || status === "succeeded")
      .map(({ key, status, captured, refunded }) => ({ key, captured, refunded, isHeld: status === "authorized" })),
  ),
  notify: Effect.sync(() => {
    const notifications = verified(gateway, webhooks());
    onNotified(notifications);
    return notifications;
  }),
});
