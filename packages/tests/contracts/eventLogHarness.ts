/** What the contract of the event log needs of an implementation besides itself. */
import type { AddressBook } from "@aegispay/core/addresses/AddressBook";
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import type { EventLog, NewCommit } from "@aegispay/runtime/log/EventLog";
import { Context, Effect, Schedule } from "effect";

type Log = EventLog["Service"];

export class EventLogHarness extends Context.Service<
  EventLogHarness,
  {
    readonly log: Log;
    /** Another writer of the same log, as separate from the first as the implementation has it. */
    readonly rival: Log;
    readonly addresses: AddressBook;
    /** Stores a body past every check of ours, as a foreign or broken program would. Answers its sequence. */
    readonly inject: (payment: PaymentRef, body: string) => Effect.Effect<number>;
    /** Runs `count` appends of the first writer in a way that they are stored and it never hears of it. */
    readonly losingAnswers: <A, E>(
      count: number,
      appends: Effect.Effect<A, E>,
      areStored: Effect.Effect<boolean>,
    ) => Effect.Effect<A, E>;
    /** A log that can be closed, and one that sees what is stored in it afterwards. */
    readonly closable: Effect.Effect<{ readonly log: Log; readonly close: Effect.Effect<void>; readonly reader: Log }>;
  }
>()("@aegispay/tests/EventLogHarness") {}

let payments = 0;

/** A payment that no other test knows. */
export const newPayment = (): PaymentRef => ({ merchant: "shop", paymentId: `payment-${++payments}` });

let bodies = 0;

/** A commit to be appended after the given sequence; the log looks into no body, so any text does. */
export const commitAfter = (payment: PaymentRef, expectedSequence: number, body?: string): NewCommit => ({
  payment,
  expectedSequence,
  version: 1,
  state: "PROCESSING",
  at: "2026-01-02T03:04:05.000Z",
  body: body ?? JSON.stringify({ body: ++bodies, text: "Zürich 🎟" }),
});

export const bodiesOf = (log: Log, payment: PaymentRef): Effect.Effect<ReadonlyArray<string>> =>
  log.read(payment, { atLeader: true }).pipe(
    Effect.map((commits) => commits.map(({ body }) => Buffer.from(body).toString("utf8"))),
    Effect.orDie,
  );

export const bodyOf = ({ body }: NewCommit): string => body;

const deadlineMillis = 20_000;

/** Waits for a condition with a deadline, looking often: never for a time. */
export const until = (what: string, condition: Effect.Effect<boolean>): Effect.Effect<void> =>
  condition.pipe(
    Effect.repeat({ until: (holds) => holds, schedule: Schedule.spaced(5) }),
    Effect.timeoutOrElse({
      duration: deadlineMillis,
      orElse: () => Effect.die(new Error(`${what}: not within ${deadlineMillis} ms`)),
    }),
    Effect.asVoid,
  );
