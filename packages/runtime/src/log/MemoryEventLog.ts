/**
 * The event log in memory, for unit tests and simulation: it refuses as the real one does, and can be ordered to fail.
 * Owns its commits for as long as its scope is open.
 */
import { paymentKey, type PaymentRef } from "@aegispay/core/identity/Identity";
import { Context, Effect, Layer } from "effect";
import {
  AppendConflict,
  EventContinuityError,
  EventLog,
  LogClosed,
  LogUnavailable,
  type NewCommit,
  type StoredCommit,
} from "./EventLog.ts";

/** Orders to a memory log. */
export class MemoryEventLogFaults extends Context.Service<
  MemoryEventLogFaults,
  {
    /** As many of the next appends are stored although nobody is told; the log finds that out itself. */
    loseAnswers: number;
    /** As many of the next reads fail. */
    failReads: number;
    /** Stores a body as another writer would, past every check. Answers its sequence. */
    readonly inject: (payment: PaymentRef, body: string) => number;
    /** Forgets the last commit of a payment: a loss of what was acknowledged. */
    readonly forgetLast: (payment: PaymentRef) => void;
  }
>()("@aegispay/runtime/MemoryEventLogFaults") {}

export const layerMemoryEventLog: Layer.Layer<EventLog | MemoryEventLogFaults> = Layer.effectContext(
  Effect.gen(function* () {
    const logs = new Map<string, Array<StoredCommit>>();
    let sequence = 0;
    let closed = false;
    yield* Effect.addFinalizer(() => Effect.sync(() => void (closed = true)));

    const logOf = (payment: PaymentRef): Array<StoredCommit> => {
      const key = paymentKey(payment);
      const found = logs.get(key) ?? [];
      logs.set(key, found);
      return found;
    };
    const store = (payment: PaymentRef, commitId: string, body: string): number => {
      logOf(payment).push({ sequence: ++sequence, commitId, body: Buffer.from(body, "utf8") });
      return sequence;
    };

    const faults = MemoryEventLogFaults.of({
      loseAnswers: 0,
      failReads: 0,
      inject: (payment, body) => store(payment, `injected-${sequence}`, body),
      forgetLast: (payment) => void logOf(payment).pop(),
    });

    /** What the server would do; undefined: it did, and its answer was lost. */
    const send = (
      commit: NewCommit,
      commitId: string,
    ): { readonly stored: boolean; readonly last: number } | undefined => {
      const last = logOf(commit.payment).at(-1)?.sequence ?? 0;
      if (last !== commit.expectedSequence) return { stored: false, last };
      const stored = store(commit.payment, commitId, commit.body);
      if (faults.loseAnswers === 0) return { stored: true, last: stored };
      faults.loseAnswers--;
      return undefined;
    };

    let appends = 0;
    const append = Effect.fnUntraced(function* (commit: NewCommit) {
      const { payment, expectedSequence } = commit;
      const commitId = `commit-${++appends}`;
      for (;;) {
        // One turn later, as the real one: what other actors do in between must not be ruled out.
        yield* Effect.yieldNow;
        if (closed) return yield* new LogClosed();
        const answer = send(commit, commitId);
        if (answer === undefined) continue;
        if (answer.stored) return { sequence: answer.last };
        if (answer.last < expectedSequence) {
          const reason = `sequence ${expectedSequence} was acknowledged, the log now ends at ${answer.last}`;
          return yield* new EventContinuityError({ payment, reason });
        }
        const found = logOf(payment).find((stored) => stored.sequence > expectedSequence);
        if (found?.commitId === commitId) return { sequence: found.sequence };
        return yield* new AppendConflict({ lastSequence: answer.last });
      }
    });

    const read = (payment: PaymentRef) =>
      Effect.suspend(() => {
        if (faults.failReads === 0) return Effect.succeed([...logOf(payment)]);
        faults.failReads--;
        return Effect.fail(new LogUnavailable({ cause: "ordered to fail" }));
      });

    return Context.make(EventLog, EventLog.of({ append, read })).pipe(Context.add(MemoryEventLogFaults, faults));
  }),
);
