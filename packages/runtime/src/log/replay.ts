/**
 * From a payment's log to its state: reads, checks the hash chain, the versions and that the history is legal. What looks
 * broken is read once more at the leader (a follower may have answered), then the payment is halted.
 */
import type { AddressBook } from "@aegispay/core/addresses/AddressBook";
import { paymentKey, type PaymentRef } from "@aegispay/core/identity/Identity";
import { chainHash, decodeCommit } from "@aegispay/core/payment/Commit";
import { evolveAll } from "@aegispay/core/payment/evolve";
import type { PaymentEvent } from "@aegispay/core/payment/PaymentEvent";
import { absent, type PaymentState } from "@aegispay/core/payment/PaymentState";
import { Effect, Option, Result } from "effect";
import { EventContinuityError, EventLog, LogUnavailable, type StoredCommit } from "./EventLog.ts";

/** Where a payment's log stands: all that the next commit needs. */
export interface Position {
  readonly state: PaymentState;
  /** Sequence of the last commit; 0 before the first. */
  readonly sequence: number;
  /** Link for the next commit's `prev`. */
  readonly prev: string;
}

export interface Replayed extends Position {
  readonly events: ReadonlyArray<PaymentEvent>;
}

export const emptyPosition = (addresses: AddressBook, payment: PaymentRef): Position => ({
  state: absent,
  sequence: 0,
  prev: chainHash(addresses.event(payment)),
});

const fold = (
  addresses: AddressBook,
  payment: PaymentRef,
  commits: ReadonlyArray<StoredCommit>,
): Result.Result<Replayed, EventContinuityError> => {
  const broken = (reason: string) => Result.fail(new EventContinuityError({ payment, reason }));
  const events: Array<PaymentEvent> = [];
  let position = emptyPosition(addresses, payment);
  for (const stored of commits) {
    const commit = Option.getOrUndefined(decodeCommit(Buffer.from(stored.body).toString("utf8")));
    const where = `the commit at sequence ${stored.sequence}`;
    if (commit === undefined) return broken(`${where} cannot be read as a commit`);
    if (paymentKey(commit) !== paymentKey(payment)) return broken(`${where} belongs to ${paymentKey(commit)}`);
    if (commit.prev !== position.prev) return broken(`${where} does not follow the commit before it (hash chain)`);
    const state = evolveAll(position.state, commit.events);
    if (state === undefined) {
      return broken(`${where} is no legal step from version ${position.state.version} (${position.state.name})`);
    }
    if (state.name !== commit.state) return broken(`${where} says ${commit.state}, its events lead to ${state.name}`);
    events.push(...commit.events);
    position = { state, sequence: stored.sequence, prev: chainHash(stored.body) };
  }
  return Result.succeed({ ...position, events });
};

/** Replays a payment as the stream's leader has it. */
export const replayAtLeader = Effect.fnUntraced(function* (addresses: AddressBook, payment: PaymentRef) {
  const log = yield* EventLog;
  const read = fold(addresses, payment, yield* log.read(payment, { atLeader: true }));
  return Result.isSuccess(read) ? read.success : yield* read.failure;
});

/**
 * Replays a payment. `seeAtLeast`: a sequence known to be stored; a read that does not reach it is stale and is repeated
 * at the leader, and, since a new leader too may be behind for a moment, by the caller.
 */
export const replay = Effect.fnUntraced(function* (addresses: AddressBook, payment: PaymentRef, seeAtLeast = 0) {
  const log = yield* EventLog;
  const first = fold(addresses, payment, yield* log.read(payment));
  if (Result.isSuccess(first) && first.success.sequence >= seeAtLeast) return first.success;
  const again = yield* replayAtLeader(addresses, payment);
  if (again.sequence >= seeAtLeast) return again;
  // A leader may be behind for a moment after a fail-over: no proof of a loss yet, so the caller asks again later.
  return yield* new LogUnavailable({ cause: `the log has not reached sequence ${seeAtLeast} yet` });
});
