/** What every event log holds (EventLog.ts, invariants 1 to 4), whatever it is made of. */
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import type { EventLog, StoredCommit } from "@aegispay/runtime/log/EventLog";
import { expect, layer } from "@effect/vitest";
import { Effect, Exit, Fiber, Result, type Layer } from "effect";
import { bodiesOf, bodyOf, commitAfter, EventLogHarness, newPayment } from "./eventLogHarness.ts";

type Log = EventLog["Service"];

const append = (log: Log, payment: PaymentRef, expected: number, body?: string) =>
  log.append(commitAfter(payment, expected, body)).pipe(
    Effect.map(({ sequence }) => sequence),
    Effect.orDie,
  );

/** Two writers append in the same place at the same moment: exactly one may win. Answers the winner's sequence. */
const race = Effect.fnUntraced(function* (left: Log, right: Log, payment: PaymentRef, expected: number) {
  const commits = [commitAfter(payment, expected), commitAfter(payment, expected)] as const;
  const [one, other] = yield* Effect.all(
    [Effect.result(left.append(commits[0])), Effect.result(right.append(commits[1]))],
    { concurrency: "unbounded" },
  );
  const outcomes = [one, other].map((outcome) => (Result.isSuccess(outcome) ? "stored" : outcome.failure._tag));
  expect(outcomes.toSorted()).toEqual(["AppendConflict", "stored"]);
  const [winner, loser] = Result.isSuccess(one) ? [one, other] : [other, one];
  const sequence = Result.getOrThrow(winner).sequence;
  expect(loser).toMatchObject({ failure: { lastSequence: sequence } });
  return { sequence, body: bodyOf(Result.isSuccess(one) ? commits[0] : commits[1]) };
});

export const eventLogContract = <E>(name: string, harness: Layer.Layer<EventLogHarness, E>) => {
  layer(harness, { excludeTestServices: true, timeout: "30 seconds" })(`${name} as an event log`, (it) => {
    it.effect("stores what is appended and reads it back byte for byte, in order", () =>
      Effect.gen(function* () {
        const { log } = yield* EventLogHarness;
        const payment = newPayment();
        expect(yield* log.read(payment)).toEqual([]);
        const bodies = ['{"first":"Zürich 🎟"}', '{"second":"\\u0000"}', '{"third":1}'];
        const sequences: Array<number> = [];
        for (const body of bodies) sequences.push(yield* append(log, payment, sequences.at(-1) ?? 0, body));
        const commits = yield* log.read(payment);
        expect(commits.map(({ body }) => Buffer.from(body).toString("utf8"))).toEqual(bodies);
        expect(commits.map(({ sequence }) => sequence)).toEqual(sequences);
        expect(sequences).toEqual(sequences.toSorted((left, right) => left - right));
        expect(new Set(commits.map(({ commitId }) => commitId)).size).toBe(bodies.length);
        const text = (stored: StoredCommit) => ({ ...stored, body: Buffer.from(stored.body).toString("latin1") });
        expect((yield* log.read(payment, { atLeader: true })).map(text)).toEqual(commits.map(text));
      }),
    );

    it.effect("keeps payments apart, also those whose names begin alike", () =>
      Effect.gen(function* () {
        const { log } = yield* EventLogHarness;
        const { merchant, paymentId } = newPayment();
        const alike = [
          { merchant, paymentId },
          { merchant, paymentId: `${paymentId}-1` },
          { merchant: `${merchant}-1`, paymentId },
        ];
        for (const payment of alike)
          yield* append(log, payment, 0, `{"of":"${payment.merchant} ${payment.paymentId}"}`);
        for (const payment of alike) {
          expect(yield* bodiesOf(log, payment)).toEqual([`{"of":"${payment.merchant} ${payment.paymentId}"}`]);
        }
      }),
    );

    it.effect("refuses a commit whose place is taken, and says how far the log has got", () =>
      Effect.gen(function* () {
        const { log } = yield* EventLogHarness;
        const payment = newPayment();
        const first = yield* append(log, payment, 0);
        const second = yield* append(log, payment, first);
        for (const stale of [0, first]) {
          const refusal = yield* Effect.flip(log.append(commitAfter(payment, stale)));
          expect(refusal).toMatchObject({ _tag: "AppendConflict", lastSequence: second });
        }
        expect((yield* log.read(payment)).length).toBe(2);
      }),
    );

    it.effect("lets exactly one of two writers win, hundreds of times in a row", () =>
      Effect.gen(function* () {
        const { log, rival } = yield* EventLogHarness;
        const payment = newPayment();
        const won: Array<string> = [];
        let last = 0;
        for (let round = 0; round < 200; round++) {
          const winner = yield* race(round % 2 === 0 ? log : rival, round % 2 === 0 ? rival : log, payment, last);
          won.push(winner.body);
          last = winner.sequence;
        }
        expect(yield* bodiesOf(log, payment)).toEqual(won);
      }),
    );

    it.effect("lets exactly one of two writers win where many race at once", () =>
      Effect.gen(function* () {
        const { log, rival } = yield* EventLogHarness;
        for (let round = 0; round < 10; round++) {
          const payments = Array.from({ length: 30 }, newPayment);
          const winners = yield* Effect.forEach(payments, (payment) => race(log, rival, payment, 0), {
            concurrency: "unbounded",
          });
          for (const [index, payment] of payments.entries()) {
            expect(yield* bodiesOf(rival, payment)).toEqual([winners[index]!.body]);
          }
        }
      }),
    );

    it.effect("stores the neighbours of a commit that it refuses", () =>
      Effect.gen(function* () {
        const { log, rival } = yield* EventLogHarness;
        const payments = Array.from({ length: 20 }, newPayment);
        const stale = new Set([3, 11, 19]);
        for (const index of stale) yield* append(rival, payments[index]!, 0);
        const commits = payments.map((payment) => commitAfter(payment, 0));
        const outcomes = yield* Effect.forEach(commits, (commit) => Effect.exit(log.append(commit)), {
          concurrency: "unbounded",
        });
        expect(outcomes.flatMap((exit, index) => (Exit.isFailure(exit) ? [index] : []))).toEqual([...stale]);
        for (const [index, payment] of payments.entries()) {
          const bodies = yield* bodiesOf(log, payment);
          expect(bodies.length).toBe(1);
          expect(bodies[0] === bodyOf(commits[index]!)).toBe(!stale.has(index));
        }
      }),
    );

    it.effect("finds out by itself that a commit is stored whose answer was lost", () =>
      Effect.gen(function* () {
        const { log, rival, losingAnswers } = yield* EventLogHarness;
        const payment = newPayment();
        const commit = commitAfter(payment, 0);
        const areStored = Effect.map(bodiesOf(rival, payment), (bodies) => bodies.length === 1);
        const { sequence } = yield* losingAnswers(1, log.append(commit), areStored);
        const commits = yield* rival.read(payment);
        expect(commits.map((stored) => [stored.sequence, Buffer.from(stored.body).toString("utf8")])).toEqual([
          [sequence, bodyOf(commit)],
        ]);
        expect(yield* append(log, payment, sequence)).toBeGreaterThan(sequence);
      }),
    );

    it.effect("finds out for each of many commits that it is stored once, when all answers were lost", () =>
      Effect.gen(function* () {
        const { log, rival, losingAnswers } = yield* EventLogHarness;
        const commits = Array.from({ length: 40 }, () => commitAfter(newPayment(), 0));
        const bodies = Effect.forEach(commits, ({ payment }) => bodiesOf(rival, payment));
        const appends = Effect.forEach(commits, (commit) => log.append(commit), { concurrency: "unbounded" });
        const stored = yield* losingAnswers(
          40,
          appends,
          Effect.map(bodies, (found) => found.every(({ length }) => length === 1)),
        );
        expect(yield* bodies).toEqual(commits.map((commit) => [bodyOf(commit)]));
        for (const [index, { payment }] of commits.entries()) {
          expect((yield* rival.read(payment))[0]!.sequence).toBe(stored[index]!.sequence);
        }
      }),
    );

    it.effect("finds its own commit also when another writer has already gone on from it", () =>
      Effect.gen(function* () {
        const { log, rival, losingAnswers } = yield* EventLogHarness;
        const payment = newPayment();
        const commit = commitAfter(payment, 0);
        const goOn = Effect.gen(function* () {
          const commits = yield* Effect.orDie(rival.read(payment));
          if (commits.length === 0) return false;
          if (commits.length === 1) yield* append(rival, payment, commits[0]!.sequence);
          return true;
        });
        const { sequence } = yield* losingAnswers(1, log.append(commit), goOn);
        const commits = yield* rival.read(payment);
        expect(commits[0]).toMatchObject({ sequence, body: Buffer.from(bodyOf(commit)) });
      }),
    );

    it.effect("never takes another's commit for its own, not even one of the same bytes", () =>
      Effect.gen(function* () {
        const { log, inject } = yield* EventLogHarness;
        const payment = newPayment();
        const commit = commitAfter(payment, 0);
        const foreign = yield* inject(payment, bodyOf(commit));
        const refusal = yield* Effect.flip(log.append(commit));
        expect(refusal).toMatchObject({ _tag: "AppendConflict", lastSequence: foreign });
        expect((yield* log.read(payment)).length).toBe(1);
      }),
    );

    it.effect("halts a payment whose acknowledged commit is no longer there", () =>
      Effect.gen(function* () {
        const { log } = yield* EventLogHarness;
        const payment = newPayment();
        const last = yield* append(log, payment, 0);
        const refusals = yield* Effect.forEach(
          [commitAfter(payment, last + 1_000), commitAfter(newPayment(), last)],
          (commit) => Effect.flip(log.append(commit)),
          { concurrency: "unbounded" },
        );
        expect(refusals.map(({ _tag }) => _tag)).toEqual(["EventContinuityError", "EventContinuityError"]);
        expect(yield* append(log, payment, last)).toBeGreaterThan(last);
      }),
    );

    it.effect("reads a long log to its end", () =>
      Effect.gen(function* () {
        const { log, inject } = yield* EventLogHarness;
        const payment = newPayment();
        const bodies = Array.from({ length: 1_203 }, (_, index) => `{"n":${index}}`);
        for (const body of bodies) yield* inject(payment, body);
        const commits = yield* log.read(payment);
        expect(commits.map(({ body }) => Buffer.from(body).toString("utf8"))).toEqual(bodies);
      }),
    );

    it.effect("settles what is appended while it closes, and takes nothing afterwards", () =>
      Effect.gen(function* () {
        const { closable } = yield* EventLogHarness;
        const { log, close, reader } = yield* closable;
        const commits = Array.from({ length: 50 }, () => commitAfter(newPayment(), 0));
        const pending = yield* Effect.forkChild(
          Effect.forEach(commits, (commit) => Effect.result(log.append(commit)), { concurrency: "unbounded" }),
        );
        yield* close;
        const late = yield* Effect.result(log.append(commitAfter(newPayment(), 0)));
        const exits = [...(yield* Fiber.join(pending)), late];
        const names = exits.map((exit) => (Result.isSuccess(exit) ? "stored" : exit.failure._tag));
        expect(names.at(-1)).toBe("LogClosed");
        expect(names.filter((settled) => settled !== "stored" && settled !== "LogClosed")).toEqual([]);
        for (const [index, { payment }] of commits.entries()) {
          // Closed says nothing about whether it was stored; stored says that it was.
          const { length } = yield* bodiesOf(reader, payment);
          if (names[index] === "stored") expect(length).toBe(1);
          else expect(length).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
};
