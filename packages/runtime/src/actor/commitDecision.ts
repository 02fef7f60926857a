/**
 * One step of a payment: decide, commit under condition of where the log stands, and on a conflict replay and decide
 * again. Nothing is decided anew before the append has been answered (law 2).
 */
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import { chainHash } from "@aegispay/core/payment/Commit";
import { decide } from "@aegispay/core/payment/decide";
import { evolveAll } from "@aegispay/core/payment/evolve";
import { isoTime } from "@aegispay/core/payment/Given";
import type { PaymentCommand } from "@aegispay/core/payment/PaymentCommand";
import { placeEvents, type PaymentEvent } from "@aegispay/core/payment/PaymentEvent";
import type { Rejection } from "@aegispay/core/payment/Rejection";
import type { AddressBook } from "@aegispay/core/addresses/AddressBook";
import { Data, Effect, Result, Schedule } from "effect";
import { EventLog, LogUnavailable } from "../log/EventLog.ts";
import { replay, replayAtLeader, type Position } from "../log/replay.ts";

/** The shard's lease is no longer ours: whoever holds it goes on. */
export class OwnershipLost extends Data.TaggedError("OwnershipLost")<{ readonly payment: PaymentRef }> {}

export interface Step {
  readonly position: Position;
  /** Whether this step stored a commit of its own as the last thing it did. */
  readonly committed: boolean;
  /** What that commit holds. */
  readonly events?: ReadonlyArray<PaymentEvent>;
  /** Up to which version the log was read on the way, so that what it says may be another owner's; undefined: it was not. */
  readonly readUntil: number | undefined;
  readonly rejection?: Rejection;
}

/** A log that does not answer is asked again, at most every second, for as long as the actor lives. */
const untilAnswered = Schedule.min([Schedule.exponential(50), Schedule.spaced(1_000)]);

const untilItAnswers = <A, E, R>(read: Effect.Effect<A, E | LogUnavailable, R>) =>
  read.pipe(
    Effect.retry({ schedule: untilAnswered, while: (error) => error instanceof LogUnavailable }),
    Effect.catchIf(
      (error) => error instanceof LogUnavailable,
      (unavailable) => Effect.die(unavailable),
    ),
  ) as Effect.Effect<A, Exclude<E, LogUnavailable>, R>;

const replayUntilRead = (addresses: AddressBook, payment: PaymentRef, seeAtLeast: number) =>
  untilItAnswers(replay(addresses, payment, seeAtLeast));

/**
 * Replays a payment that something outside of its log speaks of: a timer, whose version must be there, or an operator
 * (version 0), for whom the leader is asked. What does not reach the version is stale, or the log has lost it.
 */
export const replayTowards = Effect.fnUntraced(function* (
  addresses: AddressBook,
  payment: PaymentRef,
  version: number,
) {
  if (version > 0) {
    const position = yield* untilItAnswers(replay(addresses, payment));
    if (position.state.version >= version) return position;
  }
  return yield* untilItAnswers(replayAtLeader(addresses, payment));
});

export const commitDecision = Effect.fnUntraced(function* (
  addresses: AddressBook,
  payment: PaymentRef,
  from: Position,
  command: PaymentCommand,
  isMine: () => boolean,
  traceparent?: string,
) {
  const log = yield* EventLog;
  let position = from;
  let readUntil: number | undefined;
  for (;;) {
    const decision = decide(position.state, command);
    if (Result.isFailure(decision))
      return { position, committed: false, readUntil, rejection: decision.failure } as Step;
    if (decision.success.length === 0) return { position, committed: false, readUntil } as Step;

    const at = isoTime(command.given.at);
    const events = placeEvents(decision.success, position.state.version, at);
    const state = evolveAll(position.state, events);
    if (state === undefined) return yield* Effect.die(new Error(`${command.type} decided an illegal step`));
    const body = JSON.stringify({ ...payment, state: state.name, events, prev: position.prev });
    const appended = yield* Effect.result(
      log.append({
        payment,
        expectedSequence: position.sequence,
        version: state.version,
        state: state.name,
        at,
        body,
        ...(traceparent === undefined ? {} : { traceparent }),
      }),
    );
    if (Result.isSuccess(appended)) {
      const stood: Position = { state, sequence: appended.success.sequence, prev: chainHash(body) };
      return { position: stood, committed: true, events, readUntil } as Step;
    }
    const refusal = appended.failure;
    if (refusal._tag !== "AppendConflict") return yield* refusal;
    if (!isMine()) return yield* new OwnershipLost({ payment });
    position = yield* replayUntilRead(addresses, payment, refusal.lastSequence);
    readUntil = position.state.version;
  }
});
