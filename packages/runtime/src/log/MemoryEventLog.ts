/** The event log in memory, for unit tests and simulation: it refuses as the real one does, and can be ordered to fail. */
import { paymentKey } from "@aegispay/core/identity/Identity";
import { Context, Effect, Layer } from "effect";
import { AppendConflict, EventContinuityError, EventLog, LogUnavailable, type StoredCommit } from "./EventLog.ts";

/** Orders to a memory log. */
export class MemoryEventLogFaults extends Context.Service<
  MemoryEventLogFaults,
  {
    /** The next appends land although their acknowledgement is lost; the log resolves that itself, as the contract says. */
    loseAcknowledgements: number;
    /** The next reads fail. */
    failReads: number;
    /** Puts a commit there as another writer would, past every check. */
    readonly inject: (key: string, commit: StoredCommit) => void;
    /** Forgets the last commit of a payment: a loss of what was acknowledged. */
    readonly forgetLast: (key: string) => void;
  }
>()("@aegispay/runtime/MemoryEventLogFaults") {}

export const layerMemoryEventLog: Layer.Layer<EventLog | MemoryEventLogFaults> = Layer.effectContext(
  Effect.sync(() => {
    const logs = new Map<string, Array<StoredCommit>>();
    let sequence = 0;
    const logOf = (key: string): Array<StoredCommit> => {
      const found = logs.get(key) ?? [];
      logs.set(key, found);
      return found;
    };
    const faults = MemoryEventLogFaults.of({
      loseAcknowledgements: 0,
      failReads: 0,
      inject: (key, commit) => {
        sequence = Math.max(sequence, commit.sequence);
        logOf(key).push(commit);
      },
      forgetLast: (key) => void logOf(key).pop(),
    });
    const log = EventLog.of({
      append: (commit) =>
        Effect.suspend((): ReturnType<EventLog["Service"]["append"]> => {
          const { payment, expectedSequence, body } = commit;
          const commits = logOf(paymentKey(payment));
          const last = commits.at(-1)?.sequence ?? 0;
          if (last < expectedSequence) {
            return Effect.fail(new EventContinuityError({ payment, reason: `the log now ends at ${last}` }));
          }
          if (last > expectedSequence) return Effect.fail(new AppendConflict({ lastSequence: last }));
          sequence++;
          const stored = { sequence, commitId: `commit-${sequence}`, body: Buffer.from(body, "utf8") };
          commits.push(stored);
          if (faults.loseAcknowledgements === 0) return Effect.succeed({ sequence: stored.sequence });
          faults.loseAcknowledgements--;
          // Sent again, refused, and found to be one's own: as the real writer resolves it, one turn later.
          return Effect.as(Effect.yieldNow, { sequence: stored.sequence });
        }),
      read: (payment) =>
        Effect.suspend(() => {
          if (faults.failReads === 0) return Effect.succeed([...logOf(paymentKey(payment))]);
          faults.failReads--;
          return Effect.fail(new LogUnavailable({ cause: "ordered to fail" }));
        }),
    });
    return Context.make(EventLog, log).pipe(Context.add(MemoryEventLogFaults, faults));
  }),
);
