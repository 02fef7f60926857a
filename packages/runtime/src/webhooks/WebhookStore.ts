/**
 * The port of what the receiver of webhooks keeps and publishes. Each is done when it is durable, in the time the store allows
 * itself: a gateway that hears nothing sends again, so waiting longer would gain nothing.
 */
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import type { Notification } from "@aegispay/gateways/webhooks/Webhook";
import { Context, Data, type Effect } from "effect";
import type { NotifyBody } from "./NotifyBody.ts";

/** Byte for byte what came, with the headers that a signature may stand in. */
export interface RawWebhook {
  readonly gateway: string;
  readonly rawBody: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  readonly receivedAt: number;
}

/** Not known to be durable. */
export class WebhooksUnavailable extends Data.TaggedError("WebhooksUnavailable")<{ readonly cause: unknown }> {}

export class WebhookStore extends Context.Service<
  WebhookStore,
  {
    /** Answers its sequence. */
    readonly keep: (raw: RawWebhook, verdict: "genuine" | "unreadable") => Effect.Effect<number, WebhooksUnavailable>;
    /** One whose signature is wrong; only the last few of a gateway are kept. */
    readonly keepRefused: (raw: RawWebhook, reason: string) => Effect.Effect<void, WebhooksUnavailable>;
    /** Whether it has been published before. */
    readonly isKnown: (gateway: string, dedupeKey: string) => Effect.Effect<boolean, WebhooksUnavailable>;
    readonly markKnown: (
      gateway: string,
      dedupeKey: string,
      sequence: number,
    ) => Effect.Effect<void, WebhooksUnavailable>;
    readonly keepEvidence: (
      gateway: string,
      account: string,
      idempotencyKey: string,
      notification: Notification,
    ) => Effect.Effect<void, WebhooksUnavailable>;
    readonly findPayment: (idempotencyKey: string) => Effect.Effect<PaymentRef | undefined, WebhooksUnavailable>;
    readonly publish: (payment: PaymentRef, body: NotifyBody) => Effect.Effect<void, WebhooksUnavailable>;
    /** One that is signed and that this version cannot read, for people to see. */
    readonly parkUnreadable: (
      gateway: string,
      sequence: number,
      reason: string,
    ) => Effect.Effect<void, WebhooksUnavailable>;
  }
>()("@aegispay/runtime/WebhookStore") {}
