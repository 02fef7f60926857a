/**
 * One live payment in memory: where its log stands, what waits in its mailbox, what it holds un-acked, who waits for an
 * answer. Data only; PaymentSteps.ts says what happens to it, PaymentActors.ts when.
 */
import { paymentKey, type PaymentRef } from "@aegispay/core/identity/Identity";
import type { Intent } from "@aegispay/core/payment/intents";
import type { Create, RecordLookUp, RecordOutcome } from "@aegispay/core/payment/PaymentCommand";
import type { Fiber } from "effect";
import type { Delivery } from "../ingress/CommandQueue.ts";
import type { Position } from "../log/replay.ts";

/** Mail that came out of the queue, and is in it until it is acked. */
export type Delivered =
  | { readonly _tag: "Command"; readonly delivery: Delivery; readonly command: Create }
  /** A timer that is due, or an operator's word: look at what is owed. */
  | { readonly _tag: "Wake"; readonly delivery: Delivery };

export type Mail = Delivered | { readonly _tag: "Outcome"; readonly command: RecordOutcome | RecordLookUp };

/** Who waits for the payment to come to rest. */
export interface Asker {
  readonly commandId: string;
  /** Whether its command repeats the one that began the payment. */
  readonly replayed: boolean;
}

/**
 * The round under way here: it waits until it is due, then for its place, then for the gateway, and at last in the mailbox.
 * It is under way until its outcome has been handled: a round is called once in an actor's life.
 */
export interface Call {
  readonly round: string;
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
  /** Whether the open round was committed in this actor's own life: only then may it be tried (law 1). */
  ownsRound: boolean;
  /** The round, by its version, whose timer this actor's own life has armed (law 5). */
  armed: number | undefined;
  /** Rounds, by their versions, whose timers this actor armed and has no need of any more. */
  readonly moot: Set<number>;
  /** The round, by its version, whose timer has fired: it is due, whatever this machine's clock says. */
  due: number | undefined;
  readonly mailbox: Array<Mail>;
  /** Whether a loop is working on the mailbox. */
  running: boolean;
  /** Un-acked, by `deliveryId`, so that a redelivery replaces the delivery it repeats. */
  readonly held: Map<string, Delivered>;
  /** By reply token. */
  readonly askers: Map<string, Asker>;
  call: Call | undefined;
  /** Set once it has been let go of; whatever still arrives for it is ignored. */
  dropped: boolean;
}

export const makePaymentActor = (payment: PaymentRef, shard: number, position: Position): PaymentActor => ({
  payment,
  key: paymentKey(payment),
  shard,
  position,
  known: false,
  ownsRound: false,
  armed: undefined,
  moot: new Set(),
  due: undefined,
  mailbox: [],
  running: false,
  held: new Map(),
  askers: new Map(),
  call: undefined,
  dropped: false,
});

export const roundName = ({ attempt, round }: Intent): string => `${attempt.number}/${round.round}`;

/** Nothing waits, nothing is held, nothing is under way: only its state is left in memory. */
export const isPassive = (actor: PaymentActor): boolean =>
  !actor.running && actor.mailbox.length === 0 && actor.held.size === 0 && actor.call === undefined;

/** Whether something is being done for it at this moment, and not only waited for. */
export const isBusy = (actor: PaymentActor): boolean =>
  actor.running || actor.mailbox.length > 0 || actor.call?.atGateway === true;

/** All it has not acked: what it holds, then what waits in its mailbox. */
export const undone = (actor: PaymentActor): ReadonlyArray<Delivered> => [
  ...actor.held.values(),
  ...actor.mailbox.filter((mail) => mail._tag !== "Outcome"),
];
