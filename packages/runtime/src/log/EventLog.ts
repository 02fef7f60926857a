/**
 * The port of the event log: the only truth about payments, and the fence between owners (law 2).
 *
 * Invariants every implementation holds (packages/tests/contracts/eventLog.contract.ts):
 * 1. An append is stored exactly if the payment's last sequence is the expected one; 0 expects an empty log.
 * 2. An append is answered only when it is known to be stored or known to be refused: a lost acknowledgement, a refused
 *    batch or a server that is away is resolved inside, however long it takes.
 * 3. What is stored is known by a random commit id of its own: another writer's commit in its place is a conflict.
 * 4. Neighbours in one batch do not fail each other.
 */
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import { Context, Data, type Effect } from "effect";

export interface NewCommit {
  readonly payment: PaymentRef;
  /** Sequence of the payment's last commit in the log; 0 when there is none. */
  readonly expectedSequence: number;
  /** Version of its last event. */
  readonly version: number;
  /** State after it. */
  readonly state: string;
  /** ISO 8601. */
  readonly at: string;
  /** JSON, as `Commit` in core. */
  readonly body: string;
  readonly traceparent?: string;
}

export interface StoredCommit {
  readonly sequence: number;
  readonly commitId: string;
  readonly body: Uint8Array;
}

/** Another commit stands where this one was to go. `lastSequence`: what a replay must at least see. */
export class AppendConflict extends Data.TaggedError("AppendConflict")<{ readonly lastSequence: number }> {}

/** The log is closing with the node: whether the commit was stored is for the next owner to find out. */
export class LogClosed extends Data.TaggedError("LogClosed")<{}> {}

/** The log has no answer now: NATS is away, or slow. */
export class LogUnavailable extends Data.TaggedError("LogUnavailable")<{ readonly cause: unknown }> {}

/** A payment's log has a gap, a broken chain, an illegal history, or has lost what was acknowledged: it is halted. */
export class EventContinuityError extends Data.TaggedError("EventContinuityError")<{
  readonly payment: PaymentRef;
  readonly reason: string;
}> {
  override get message(): string {
    return `the log of ${this.payment.merchant}/${this.payment.paymentId} is not continuous: ${this.reason}`;
  }
}

export class EventLog extends Context.Service<
  EventLog,
  {
    readonly append: (
      commit: NewCommit,
    ) => Effect.Effect<{ readonly sequence: number }, AppendConflict | EventContinuityError | LogClosed>;
    /** All commits of a payment in order. `atLeader` asks the stream's leader instead of any replica. */
    readonly read: (
      payment: PaymentRef,
      options?: { readonly atLeader?: boolean },
    ) => Effect.Effect<ReadonlyArray<StoredCommit>, LogUnavailable>;
  }
>()("@aegispay/runtime/EventLog") {}
