/** What has been committed and when, as the stream itself says: how long anything waited. */
import { jetstream } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";

interface Seen {
  /** When the server stored it, in milliseconds since the epoch. */
  readonly at: number;
  readonly state: string;
  /** Until when its open round waits, in milliseconds since the epoch; 0 where nothing waits. */
  readonly due: number;
}

const resting: ReadonlySet<string> = new Set(["SUCCESS", "FAILURE", "REQUIRES_ACTION", "NEEDS_REVIEW"]);

interface CommitBody {
  readonly merchant: string;
  readonly paymentId: string;
  readonly state: string;
  readonly events: ReadonlyArray<{ readonly type: string; readonly data: { readonly due?: string } }>;
}

/** All commits of the log, by `<merchant>/<payment>`. */
export const readCommits = async (connection: NatsConnection): Promise<ReadonlyMap<string, ReadonlyArray<Seen>>> => {
  const consumer = await jetstream(connection).consumers.get("PAYMENTS_EVENTS");
  const byPayment = new Map<string, Array<Seen>>();
  let pending = (await consumer.info()).num_pending;
  if (pending === 0) return byPayment;
  const messages = await consumer.consume();
  for await (const message of messages) {
    const { merchant, paymentId, state, events } = message.json<CommitBody>();
    const key = `${merchant}/${paymentId}`;
    const due = Date.parse(events.findLast(({ type }) => type === "RoundStarted")?.data.due ?? "") || 0;
    const seen = byPayment.get(key) ?? [];
    byPayment.set(key, seen);
    seen.push({ at: Date.parse(message.time.toISOString()), state, due });
    if (--pending === 0) break;
  }
  await messages.close();
  return byPayment;
};

/**
 * How long each payment that was in flight at a moment waited for its next commit, in milliseconds; one whose round was not
 * due yet waits only from then on. `begun`: payments that were published, with when.
 */
export const waitsFrom = (
  commits: ReadonlyMap<string, ReadonlyArray<Seen>>,
  moment: number,
  begun: ReadonlyMap<string, number>,
): ReadonlyArray<number> => {
  const waits: Array<number> = [];
  for (const [payment, since] of begun) {
    if (since > moment) continue;
    const seen = commits.get(payment) ?? [];
    const before = seen.findLast(({ at }) => at <= moment);
    if (before !== undefined && resting.has(before.state)) continue;
    const next = seen.find(({ at }) => at > moment);
    waits.push(next === undefined ? Number.POSITIVE_INFINITY : next.at - Math.max(moment, before?.due ?? 0));
  }
  return waits;
};

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};
