/** The event log on JetStream: appends through the node's writer, reads by batched direct get or at the leader. */
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import type { StoredMsg } from "@nats-io/jetstream";
import { Effect, Layer } from "effect";
import { Settings } from "../config/RuntimeSettings.ts";
import { count, metric } from "../metrics/Metrics.ts";
import { directBatch } from "../nats/directBatch.ts";
import { nextAtLeader } from "../nats/leaderRead.ts";
import { Nats } from "../nats/NatsConnection.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { commitIdHeader } from "./commitHeaders.ts";
import {
  AppendConflict,
  EventContinuityError,
  EventLog,
  LogClosed,
  LogUnavailable,
  type NewCommit,
  type StoredCommit,
} from "./EventLog.ts";
import { NatsCommitWriter } from "./NatsCommitWriter.ts";

/** Commits fetched by one request of a replay. */
const readPage = 500;

const stored = (message: StoredMsg): StoredCommit => ({
  sequence: message.seq,
  commitId: message.header.get(commitIdHeader),
  body: message.data,
});

const make = Effect.gen(function* () {
  const { connection, manager } = yield* Nats;
  const { addresses } = yield* Deployment;
  const settings = yield* Settings;
  const eventStream = addresses.streams.events;
  const writer = new NatsCommitWriter(connection, manager, { ...settings, eventStream });
  yield* Effect.addFinalizer(() => Effect.sync(() => writer.close()));

  const append = (commit: NewCommit) =>
    Effect.callback<{ readonly sequence: number }, AppendConflict | EventContinuityError | LogClosed>((resume) => {
      const { payment } = commit;
      writer.append(commit, addresses.append(payment), addresses.event(payment), (settled) => {
        switch (settled._tag) {
          case "Stored":
            count(metric.commits);
            return resume(Effect.succeed(settled));
          case "Conflict":
            count(metric.appendConflicts);
            return resume(Effect.fail(new AppendConflict({ lastSequence: settled.lastSequence })));
          case "Lost":
            return resume(Effect.fail(new EventContinuityError({ payment, reason: settled.reason })));
          case "Impossible":
            return resume(Effect.die(new Error(`a commit that no server takes: ${settled.reason}`)));
          case "Closed":
            return resume(Effect.fail(new LogClosed()));
        }
      });
    });

  const readPages = async (payment: PaymentRef): Promise<ReadonlyArray<StoredCommit>> => {
    const commits: Array<StoredCommit> = [];
    for (let from = 1; ; from = commits.at(-1)!.sequence + 1) {
      const page = await directBatch(connection, eventStream, from, addresses.event(payment), readPage);
      for (const { sequence, headers, data } of page) {
        commits.push({ sequence, commitId: headers.get(commitIdHeader), body: data });
      }
      if (page.length < readPage) return commits;
    }
  };

  const readAtLeader = async (payment: PaymentRef): Promise<ReadonlyArray<StoredCommit>> => {
    const commits: Array<StoredCommit> = [];
    for (let from = 1; ; from = commits.at(-1)!.sequence + 1) {
      const found = await nextAtLeader(manager, eventStream, from, addresses.event(payment));
      if (found === null) return commits;
      commits.push(stored(found));
    }
  };

  return EventLog.of({
    append,
    read: (payment, options) =>
      Effect.tryPromise({
        try: () => (options?.atLeader === true ? readAtLeader(payment) : readPages(payment)),
        catch: (cause) => new LogUnavailable({ cause }),
      }),
  });
});

export const layerNatsEventLog = Layer.effect(EventLog, make);
