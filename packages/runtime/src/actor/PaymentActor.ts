/**
 * One live payment in memory: where its log stands, what waits in its mailbox, what it holds un-acked, who waits for an
 * answer. Data only; PaymentSteps.ts says what happens to it, PaymentActors.ts when.
 */
import { paymentKey, type PaymentRef } from "@aegispay/core/identity/Identity";
import type { IdentifiedCommand, Recorded } from "@aegispay/core/payment/PaymentCommand";
import type { Fiber } from "effect";
import type { Delivery } from "../ingress/CommandQueue.ts";
import type { Position } from "../log/replay.ts";
import type { TimerKind } from "../timers/Timers.ts";
import type { ReleasedPayment } from "./RestingPayments.ts";

/** Mail that came out of the queue, and is in it until it is acked. */
export type Delivered =
  | { readonly _tag: "Command"; readonly delivery: Delivery; readonly command: IdentifiedCommand }
  /** A timer that is due, or an operator's word: look at what is owed. */
  | { readonly _tag: "Wake"; readonly delivery: Delivery }
  /** A gateway may know more: look our own up. */
  | { readonly _tag: "Notified"; readonly delivery: Delivery };

/** `round`: by its version, what was called. */
export type Mail = Delivered | { readonly _tag: "Outcome"; readonly round: number; readonly command: Recorded };

/** Who waits for what a command asked for to come to its end. */
export interface Asker {
  readonly commandId: string;
  /** Whether its command repeats an earlier one. */
  readonly replayed: boolean;
}

/**
 * A round under way here: it waits until it is due, then for its place, then for the gateway, and at last in the mailbox.
 * It is under way until its outcome has been handled: a round is called once in an actor's life.
 */
export interface Call {
  atGateway: boolean;
  fiber: Fiber.Fiber<void>;
}

export interface PaymentActor {
  readonly payment: PaymentRef;
  readonly key: string;
  readonly shard: number;
  position: Position;
  /** Whether `position` is what the log said, or took, in this actor's life; a create needs no look before it appends. */
  known: boolean;
  /** A round was committed in this actor's own life if its version is later than this: only then may it be tried (law 1). */
  ownedAfter: number;
  /** What was known of it when this process last let it out of its memory. */
  released: Omit<ReleasedPayment, "shard"> | undefined;
  /** The timers, by the version of what made the debt, that this actor's own life has armed (law 5). */
  readonly armed: Map<number, TimerKind>;
  /** Those that have fired, and whose deliveries are held: due, whatever this machine's clock says. */
  readonly due: Set<number>;
  readonly mailbox: Array<Mail>;
  /** Whether the mail at its head is acked, although it is still being handled: whoever starts anew must not hold it again. */
  headIsAcked: boolean;
  /** Whether a loop is working on the mailbox. */
  running: boolean;
  /** Un-acked, by `deliveryId`, so that a redelivery replaces the delivery it repeats. */
  readonly held: Map<string, Delivered>;
  /** By reply token. */
  readonly askers: Map<string, Asker>;
  /** What is under way, by the version of its round. */
  readonly calls: Map<number, Call>;
  /** Set once it has been let go of; whatever still arrives for it is ignored. */
  dropped: boolean;
}

export const makePaymentActor = (payment: PaymentRef, shard: number, position: Position): PaymentActor => ({
  payment,
  key: paymentKey(payment),
  shard,
  position,
  known: false,
  ownedAfter: position.state.version,
  released: undefined,
  armed: new Map(),
  due: new Set(),
  mailbox: [],
  headIsAcked: false,
  running: false,
  held: new Map(),
  askers: new Map(),
  calls: new Map(),
  dropped: false,
});

/** Nothing waits, nothing is held, nothing is under way: only its state is left in memory. */
export const isPassive = (actor: PaymentActor): boolean =>
  !actor.running && actor.mailbox.length === 0 && actor.held.size === 0 && actor.calls.size === 0;

/** Whether something is being done for it at this moment, and not only waited for. */
export const isBusy = (actor: PaymentActor): boolean =>
  actor.running || actor.mailbox.length > 0 || [...actor.calls.values()].some(({ atGateway }) => atGateway);

/** All it has not acked: what it holds, then what waits in its mailbox. */
export const undone = (actor: PaymentActor): ReadonlyArray<Delivered> => [
  ...actor.held.values(),
  ...actor.mailbox.slice(actor.headIsAcked ? 1 : 0).filter((mail) => mail._tag !== "Outcome"),
];
