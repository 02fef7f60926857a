/**
 * The simulator's webhooks that are still to be delivered: the fold of their records in the journal, so that a restart goes on
 * with them.
 *
 * 1. Nothing but `apply` changes it, and `apply` gets every record once, in the journal's order.
 * 2. An event is made only while somebody wants webhooks, and has one id and one body for ever.
 */
import { Schema } from "effect";

/** Where they go; absent: nobody wants them any more. The secret is in plain text: it protects nothing but a simulation. */
const WebhookTarget = Schema.Struct({ url: Schema.String, secret: Schema.String });
export type WebhookTarget = typeof WebhookTarget.Type;

const WebhookEvent = Schema.Struct({ id: Schema.String, body: Schema.String });
export type WebhookEvent = typeof WebhookEvent.Type;

export const WebhookRecord = Schema.Union([
  Schema.Struct({ type: Schema.Literal("webhook-target"), target: Schema.optionalKey(WebhookTarget) }),
  Schema.Struct({ type: Schema.Literal("webhook"), event: WebhookEvent }),
  /** Delivered, or given up. */
  Schema.Struct({ type: Schema.Literal("webhook-ended"), id: Schema.String }),
]);
export type WebhookRecord = typeof WebhookRecord.Type;

export class WebhookOutbox {
  target: WebhookTarget | undefined;
  /** Events that there have been. */
  made = 0;
  readonly pending = new Map<string, WebhookEvent>();

  apply(record: WebhookRecord): void {
    switch (record.type) {
      case "webhook-target":
        this.target = record.target;
        return;
      case "webhook":
        this.made += 1;
        this.pending.set(record.event.id, record.event);
        return;
      case "webhook-ended":
        this.pending.delete(record.id);
    }
  }
}
