/**
 * The verified notifications that were kept, for the adapters of gateways that cannot be asked: there, what the gateway has
 * signed is the only answer about a key. Whoever receives webhooks provides this; where nobody does, none has come.
 */
import { Context, Effect } from "effect";
import type { Notification } from "./Webhook.ts";

interface ReceivedNotificationsService {
  /** All that was verified about one of our keys, in the order in which it came. */
  readonly about: (
    gateway: string,
    account: string,
    idempotencyKey: string,
  ) => Effect.Effect<ReadonlyArray<Notification>>;
}

export const ReceivedNotifications = Context.Reference<ReceivedNotificationsService>(
  "@aegispay/gateways/ReceivedNotifications",
  { defaultValue: () => ({ about: () => Effect.succeed([]) }) },
);
