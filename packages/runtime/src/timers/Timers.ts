/**
 * The port of durable timers: what waits longer than a moment waits here, and not in a process or in a shard's window.
 *
 * Invariants every implementation holds (packages/tests/contracts/timers.contract.ts):
 * 1. An armed timer fires at least once, not before it is due, into the due queue of its payment's shard.
 * 2. Arming the same timer again, at the same moment, changes nothing; one that is past due fires at once.
 * 3. Cancelling is a courtesy: a timer that fires all the same is moot for whoever it reaches.
 */
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import type { Intent } from "@aegispay/core/payment/intents";
import { Context, Data, type Effect } from "effect";

/** `round`: of an attempt, a capture, a void or a refund. `expiry`: of what waits for customer or merchant. */
export type TimerKind = "round" | "expiry";

export const timerKindOf = ({ kind }: Intent): TimerKind => (kind === "expiry" ? "expiry" : "round");

/** No debt: the n-th further try of a webhook whose payment was not there, by the sequence of the webhook. */
export type WebhookTimerKind = `webhook-${number}`;

export const isWebhookTimer = (kind: string): kind is WebhookTimerKind => /^webhook-\d{1,3}$/.test(kind);

/** No debt either: a create that waits for a gateway, for the n-th time, by its position in the stream of commands. */
export type CreateTimerKind = `create-${number}`;

export const isCreateTimer = (kind: string): kind is CreateTimerKind => /^create-\d{1,9}$/.test(kind);

export interface Timer {
  readonly payment: PaymentRef;
  /** Which debt; what fires is known by its version alone. */
  readonly kind: TimerKind | WebhookTimerKind | CreateTimerKind;
  /** Version of the event that made the debt: with the kind it names the timer, so one name has one due time for ever. */
  readonly version: number;
}

/** It is not known to be durable: arm it again before anything rests on it. */
export class ArmingFailed extends Data.TaggedError("ArmingFailed")<{ readonly cause: unknown }> {}

export class Timers extends Context.Service<
  Timers,
  {
    /** Done when it is durable. `due`: ISO 8601. `body`: what it says when it fires; a debt's timer says nothing. */
    readonly arm: (timer: Timer, due: string, body?: string) => Effect.Effect<void, ArmingFailed>;
    readonly cancel: (timer: Timer) => Effect.Effect<void>;
  }
>()("@aegispay/runtime/Timers") {}
