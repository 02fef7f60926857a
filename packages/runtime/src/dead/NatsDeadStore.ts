/** What is parked, as an operator works with it: entries of the stream PAYMENTS_DEAD, read, put back, removed. */
import { JetStreamApiError } from "@nats-io/jetstream";
import { headers as newHeaders } from "@nats-io/nats-core";
import { Effect, Option, Stream } from "effect";
import { directBatch } from "../nats/directBatch.ts";
import { Nats, natsRequest } from "../nats/NatsConnection.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { readDeadEntry, type DeadEntry } from "./DeadEntry.ts";

/** Which entries are meant: of one merchant, one payment, one code; of all where it says nothing. Tokens, no patterns. */
export interface DeadFilter {
  readonly merchant?: string;
  readonly paymentId?: string;
  readonly code?: string;
}

/** Entries read by one request: with the largest bodies and stacks about 10 MB. */
const page = 50;

/** The server's code for deleting a message that is not there. */
const messageNotFound = 10057;

/** Sequence of the entry that was parked last. */
export const lastDeadId = Effect.gen(function* () {
  const { manager } = yield* Nats;
  const { addresses } = yield* Deployment;
  const info = yield* natsRequest("reading what is parked", () => manager.streams.info(addresses.streams.dead));
  return info.state.last_seq;
});

export interface ScannedEntry {
  readonly entry: DeadEntry;
  /** Entries of the filter's merchant and payment that come after it, whatever their code. */
  readonly following: number;
}

/**
 * The entries that a filter means, oldest first, from one id to another; a page of them in memory at a time. As any
 * replica has them: whoever acts on one reads it again at the leader.
 */
export const scanDead = (filter: DeadFilter, from = 1, until = Number.MAX_SAFE_INTEGER) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const { connection } = yield* Nats;
      const { addresses } = yield* Deployment;
      const subject = addresses.dead({ merchant: filter.merchant ?? "*", paymentId: filter.paymentId ?? "*" }, "*");
      const readPage = (start: number) =>
        natsRequest("reading what is parked", () =>
          directBatch(connection, addresses.streams.dead, start, subject, page),
        ).pipe(
          Effect.map((messages) => {
            const last = messages.at(-1)?.sequence;
            const next = last === undefined || last >= until ? Option.none<number>() : Option.some(last + 1);
            const scanned = messages
              .filter(({ sequence }) => sequence <= until)
              .map(({ sequence, headers, data }): ScannedEntry => {
                const text = Buffer.from(data).toString("utf8");
                const entry = readDeadEntry(
                  sequence,
                  headers.get("Nats-Subject"),
                  text,
                  headers.get("Nats-Time-Stamp"),
                );
                return { entry, following: Number(headers.get("Nats-Num-Pending")) };
              })
              .filter(({ entry }) => filter.code === undefined || entry.letter.code === filter.code);
            return [scanned, next] as const;
          }),
        );
      return Stream.paginate(from, readPage);
    }),
  );

/** One entry, as the leader has it. */
export const readDead = Effect.fnUntraced(function* (id: number) {
  const { manager } = yield* Nats;
  const { addresses } = yield* Deployment;
  const found = yield* natsRequest(`reading parked entry ${id}`, () =>
    manager.streams.getMessage(addresses.streams.dead, { seq: id }),
  );
  return found === null ? undefined : readDeadEntry(id, found.subject, found.string(), found.timestamp);
});

/** Removes an entry, also its bytes on the disk. One that has gone already is no failure. */
export const removeDead = Effect.fnUntraced(function* (id: number) {
  const { manager } = yield* Nats;
  const { addresses } = yield* Deployment;
  yield* natsRequest(`removing parked entry ${id}`, async () => {
    try {
      await manager.streams.deleteMessage(addresses.streams.dead, id, true);
    } catch (cause) {
      if (!(cause instanceof JetStreamApiError && cause.code === messageNotFound)) throw cause;
    }
  });
});

/**
 * Puts what was parked back to where it is worked on: a command as it was, with its identity; of anything else what
 * counts is that its payment is looked at. Done when it is durable. Without a Msg-Id: the copy that was parked may still
 * stand in the deduplication window, and would swallow this one.
 */
export const publishAgain = Effect.fnUntraced(function* ({ id, letter }: DeadEntry) {
  const { jetstream } = yield* Nats;
  const { addresses } = yield* Deployment;
  const { payment, source, verb, body = "", headers = {} } = letter;
  yield* natsRequest(`publishing parked entry ${id} again`, () => {
    if (source === "internal" && verb === "notify") return jetstream.publish(addresses.internal(payment, verb), body);
    if (source !== "command") return jetstream.publish(addresses.internal(payment, "resume"), "");
    const sent = newHeaders();
    for (const [name, value] of Object.entries(headers)) sent.set(name, value);
    return jetstream.publish(addresses.command(payment, verb), body, { headers: sent });
  });
});
