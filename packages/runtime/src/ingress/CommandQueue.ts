/**
 * The port of the command queue: accepted commands wait here, durably, until their payment owes nothing (law 5).
 *
 * Invariants every implementation holds (packages/tests/contracts/commandQueue.contract.ts):
 * 1. What was published and acknowledged is delivered until it is acked or erased.
 * 2. A shard's commands reach only the consumer of the latest epoch; an older one's pulls and acks reach nothing.
 * 3. At most the shard's window of commands is un-acked at once.
 */
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import { Context, Data, type Effect, type Scope } from "effect";

/** One command as it came out of the queue. */
export interface Delivery {
  readonly shard: number;
  /** Under which it was delivered: only the latest epoch's ack reaches anything. */
  readonly epoch: number;
  readonly payment: PaymentRef;
  readonly verb: string;
  readonly body: Uint8Array;
  readonly header: (name: string) => string | undefined;
  /** All headers as one text, to look for card data; undefined where the headers cannot be read. */
  readonly headerText: () => string | undefined;
  /** Position in the command stream: the same for a redelivery, another for a repeat. */
  readonly sequence: number;
  /** Takes it out of the queue. */
  readonly ack: () => void;
  /** Takes it out and erases its body from the disk. */
  readonly erase: Effect.Effect<void>;
  /** Gives it back for a later delivery. */
  readonly returnLater: (delayMillis: number) => void;
}

/** The epoch is no longer the latest, or the queue gave no answer: look at the lease again and take over anew. */
export class TakeOverFailed extends Data.TaggedError("TakeOverFailed")<{
  readonly shard: number;
  readonly cause: unknown;
}> {}

export interface ShardTakeOver {
  readonly shard: number;
  readonly epoch: number;
  readonly onDelivery: (delivery: Delivery) => void;
  /** The consumer has gone (deleted, or the server lost it): the shard needs another take-over. */
  readonly onLost: () => void;
}

export class CommandQueue extends Context.Service<
  CommandQueue,
  {
    /** One round of a take-over: deletes the shard's consumers of lower epochs and consumes under this one. */
    readonly takeOver: (order: ShardTakeOver) => Effect.Effect<void, TakeOverFailed, Scope.Scope>;
  }
>()("@aegispay/runtime/CommandQueue") {}
