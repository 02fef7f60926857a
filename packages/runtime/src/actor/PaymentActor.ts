/**
 * One live payment in memory: where its log stands, what waits in its mailbox, which commands it holds un-acked. Data
 * only; PaymentSteps.ts says what happens to it, PaymentActors.ts when.
 */
import { paymentKey, type PaymentRef } from "@aegispay/core/identity/Identity";
import type { Create, RecordLookUp, RecordOutcome } from "@aegispay/core/payment/PaymentCommand";
import type { Fiber } from "effect";
import type { Delivery } from "../ingress/CommandQueue.ts";
import type { Position } from "../log/replay.ts";

export type Mail =
  | { readonly _tag: "Command"; readonly delivery: Delivery; readonly command: Create }
  | { readonly _tag: "Outcome"; readonly command: RecordOutcome | RecordLookUp };

/** A command that stays in the queue until its payment owes nothing. */
export interface Held {
  readonly delivery: Delivery;
  readonly command: Create;
  /** Whether it repeats the one that began the payment. */
  readonly replayed: boolean;
  answered: boolean;
}

export interface PaymentActor {
  readonly payment: PaymentRef;
  readonly key: string;
  readonly shard: number;
  position: Position;
  /** Whether the open round was committed in this actor's own life: only then may it be tried (law 1). */
  ownsRound: boolean;
  readonly mailbox: Array<Mail>;
  /** Whether a loop is working on the mailbox. */
  running: boolean;
  /** By position in the stream, so that a redelivery replaces the delivery it repeats. */
  readonly held: Map<number, Held>;
  /** The call under way, for the round it belongs to. */
  call: { readonly round: string; readonly fiber: Fiber.Fiber<void> } | undefined;
  /** Set once it has been let go of; whatever still arrives for it is ignored. */
  dropped: boolean;
}

export const makePaymentActor = (payment: PaymentRef, shard: number, position: Position): PaymentActor => ({
  payment,
  key: paymentKey(payment),
  shard,
  position,
  ownsRound: false,
  mailbox: [],
  running: false,
  held: new Map(),
  call: undefined,
  dropped: false,
});

/** Nothing waits, nothing is held, nothing is under way: only its state is left in memory. */
export const isPassive = (actor: PaymentActor): boolean =>
  !actor.running && actor.mailbox.length === 0 && actor.held.size === 0 && actor.call === undefined;
