/**
 * The port of what reaches a shard: accepted commands, internal commands and due timers wait here, durably, until their
 * payment owes nothing or has its debts on timers (law 5).
 *
 * Invariants every implementation holds (packages/tests/contracts/commandQueue.contract.ts):
 * 1. What was published and acknowledged is delivered until it is acked or erased.
 * 2. A shard's deliveries reach only the consumers of the latest epoch; an older one's pulls and acks reach nothing.
 * 3. At most the shard's window of each source is un-acked at once; none holds up another.
 * 4. A take-over says what an owner that did not retire has left behind: it is read before the old consumers go.
 */
import type { Source } from "@aegispay/core/addresses/AddressBook";
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import { Context, Data, type Effect, type Scope } from "effect";

/** What is watched of a delivery that an owner left behind when it ended: see shard/Trials.ts. */
export interface Trial {
  /** How its payment was found: `owed`, whether anything was still to be done for it. */
  readonly found: (owed: boolean) => void;
  /** What was tried for it has come to a commit of its own, or to a wait: it did not end the process. */
  readonly progressed: () => void;
  /** It is about to be parked: its ack will be no recovery. */
  readonly failed: () => void;
}

/** One message as it came out of the queue. */
export interface Delivery {
  readonly source: Source;
  readonly shard: number;
  /** Under which it was delivered: only the latest epoch's ack reaches anything. */
  readonly epoch: number;
  readonly payment: PaymentRef;
  /** For a due timer: its kind. */
  readonly verb: string;
  /** For a due timer: the version of the payment's event that armed it. */
  readonly version?: number;
  readonly body: Uint8Array;
  readonly header: (name: string) => string | undefined;
  /** All headers as one text, to look for card data; undefined where the headers cannot be read. */
  readonly headerText: () => string | undefined;
  /** Position in its stream: the same for a redelivery, another for a repeat. */
  readonly sequence: number;
  readonly trial?: Trial;
  /** Of a create that has waited on timers: how often, and since when in milliseconds since the epoch. */
  readonly deferred?: { readonly times: number; readonly sinceMillis: number };
  /** Takes it out of the queue. */
  readonly ack: () => void;
  /** Takes it out and erases its body from the disk. */
  readonly erase: Effect.Effect<void>;
  /** Gives it back for a later delivery. */
  readonly returnLater: (delayMillis: number) => void;
}

/** What tells a delivery from all others of its payment. */
export const deliveryId = ({ source, sequence }: Pick<Delivery, "source" | "sequence">): string =>
  `${source}/${sequence}`;

/** The epoch is no longer the latest, or the queue gave no answer: look at the lease again and take over anew. */
export class TakeOverFailed extends Data.TaggedError("TakeOverFailed")<{
  readonly shard: number;
  readonly cause: unknown;
}> {}

export interface ShardTakeOver {
  readonly shard: number;
  readonly epoch: number;
  /** Earlier epochs of this same process: what their consumers had delivered was left behind by nobody who ended. */
  readonly ownEpochs?: ReadonlySet<number>;
  readonly onDelivery: (delivery: Delivery) => void;
  /** A consumer has gone (deleted, or the server lost it): the shard needs another take-over. */
  readonly onLost: () => void;
}

/** What consumers of earlier epochs had delivered, and nobody acked. Zeros where their owner had retired. */
export interface LeftBehind {
  /** Whether another owner ended without retiring, with or without anything un-acked. */
  readonly ended: boolean;
  /** How many deliveries. */
  readonly count: number;
  /** By source, the highest sequence that was delivered: whatever is delivered again up to it was under way. */
  readonly upTo: Readonly<Record<Source, number>>;
}

export const nothingLeftBehind: LeftBehind = { ended: false, count: 0, upTo: { command: 0, internal: 0, due: 0 } };

export class CommandQueue extends Context.Service<
  CommandQueue,
  {
    /** One round of a take-over: deletes the shard's consumers of lower epochs and consumes under this one. */
    readonly takeOver: (order: ShardTakeOver) => Effect.Effect<LeftBehind, TakeOverFailed, Scope.Scope>;
    /** An owner that lets go in good order deletes its consumers, so that its successor suspects nothing. Best effort. */
    readonly retire: (shard: number, epoch: number) => Effect.Effect<void>;
  }
>()("@aegispay/runtime/CommandQueue") {}
