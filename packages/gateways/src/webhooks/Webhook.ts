/**
 * What a gateway tells us unasked. A notification is verified over the raw body, and decoded into which of our attempts it
 * speaks of. It moves no state: it makes a node look its own attempt up.
 */
import type { LookUpOutcome, OperationLookUpOutcome } from "@aegispay/core/payment/GatewayOutcome";

export interface WebhookDelivery {
  /** Byte for byte as it came: a signature is over nothing else. */
  readonly rawBody: Uint8Array;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly nowMillis: number;
}

export interface Notification {
  /** Under which a repeat of it is known. */
  readonly dedupeKey: string;
  /** The gateway's name for what has happened. */
  readonly event: string;
  /** The gateway's name for the account it happened in, where the message says it. */
  readonly gatewayAccount?: string;
  /** Our key of the charge or the operation. */
  readonly idempotencyKey?: string;
  /** `<merchant>/<payment>`, as we gave it to the gateway: a hint whom to ask, where the message repeats it. */
  readonly reference?: string;
  /** The charge's id at the gateway. */
  readonly gatewayTransactionId?: string;
  readonly amount?: { readonly value: number; readonly currency: string };
  /** What has become of the charge or the operation, where it says one of these: what is known already is not looked up. */
  readonly says?: "authorized" | "succeeded" | "failed";
  /** Only of a gateway that cannot be asked: what its signed word says about the key. */
  readonly evidence?: NotifiedEvidence;
}

export type NotifiedEvidence =
  | { readonly about: "charge"; readonly outcome: LookUpOutcome }
  | { readonly about: "operation"; readonly outcome: OperationLookUpOutcome };

/** `Forged`: no secret of ours signed it, or too long ago. `Unreadable`: signed, and not what we know. */
export type WebhookVerdict =
  | { readonly _tag: "Verified"; readonly notifications: ReadonlyArray<Notification> }
  | { readonly _tag: "Forged"; readonly reason: string }
  | { readonly _tag: "Unreadable"; readonly reason: string };

export type ReadWebhook = (delivery: WebhookDelivery) => WebhookVerdict;

export const forged = (reason: string): WebhookVerdict => ({ _tag: "Forged", reason });
export const unreadableWebhook = (reason: string): WebhookVerdict => ({ _tag: "Unreadable", reason });
