/** Where the checker of law 5 reads: the event stream as a whole, the queues' subjects, one payment by itself. */
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import { Effect, Schedule } from "effect";
import type { EventLog } from "../log/EventLog.ts";
import { directBatch } from "../nats/directBatch.ts";
import { nextAtLeader } from "../nats/leaderRead.ts";
import { Nats, natsRequest, type NatsRequestFailed } from "../nats/NatsConnection.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import type { DebtSources, Look } from "./checkDebts.ts";
import { holds } from "./Debts.ts";
import { holdingsOf, listHoldings } from "./NatsHoldings.ts";
import { readOwed, standsStill } from "./NatsOwed.ts";

/** Commits read by one request: bounds what is in memory, about 1 MB. */
const page = 500;
/** Commits between two lines of progress. */
const progressEvery = 50_000;

/** A server that is busy, or has just changed its leader, is asked again: a check of millions of commits is not lost to it. */
const again = <A, E, R>(read: Effect.Effect<A, E, R>) =>
  Effect.retry(read, { times: 5, schedule: Schedule.spaced(1_000) });

const ofSubject = (subject: string): PaymentRef => {
  const [, , merchant = "", paymentId = ""] = subject.split(".");
  return { merchant, paymentId };
};

/**
 * All commits up to the last one there is now, in order, by batched direct gets. An auditor may do that and may not make
 * consumers (facts/nats.md), and what is in memory is bounded by the request. Where a replica is behind the leader is asked.
 */
const walk = Effect.fnUntraced(function* (
  progress: (text: string) => Effect.Effect<void>,
  see: (payment: PaymentRef, body: string) => void,
) {
  const { connection, manager } = yield* Nats;
  const { addresses } = yield* Deployment;
  const { events } = addresses.streams;
  const pattern = addresses.patterns.events;
  const doing = "reading the event stream";
  const until = (yield* natsRequest(doing, () => manager.streams.info(events))).state.last_seq;
  let nextProgress = progressEvery;
  let from = 1;
  while (from <= until) {
    const start = from;
    const messages = yield* again(natsRequest(doing, () => directBatch(connection, events, start, pattern, page)));
    for (const { sequence, headers, data } of messages) {
      see(ofSubject(headers.get("Nats-Subject")), Buffer.from(data).toString("utf8"));
      from = sequence + 1;
    }
    if (messages.length === 0) {
      const next = yield* again(natsRequest(doing, () => nextAtLeader(manager, events, start, pattern)));
      if (next === null) return;
      see(ofSubject(next.subject), next.string());
      from = next.seq + 1;
    }
    if (from > nextProgress) {
      yield* progress(`read ${from - 1} of ${until} commits`);
      nextProgress = from + progressEvery;
    }
  }
});

const look = Effect.fnUntraced(function* (payment: PaymentRef) {
  const owed = yield* readOwed(payment);
  const { debts } = owed;
  if (debts.length === 0) return { _tag: "Settled" } as Look;
  const holdings = yield* holdingsOf(payment);
  const areHeld = debts.every((debt) => holdings.some((holding) => holds(debt, holding)));
  return areHeld || (yield* standsStill(payment, owed))
    ? ({ _tag: "Owes", debts, holdings } as Look)
    : ({ _tag: "Moved" } as Look);
});

export const natsDebtSources = Effect.fnUntraced(function* (progress: (text: string) => Effect.Effect<void>) {
  const context = yield* Effect.context<Nats | Deployment | EventLog>();
  const provided = <A, E>(effect: Effect.Effect<A, E, Nats | Deployment | EventLog>) => Effect.provide(effect, context);
  const sources: DebtSources<NatsRequestFailed> = {
    walk: (see) => provided(walk(progress, see)),
    // What is seen twice is no other holder.
    listHoldings: (see) => provided(again(listHoldings(see))),
    look: (payment) => provided(again(look(payment))),
  };
  return sources;
});
