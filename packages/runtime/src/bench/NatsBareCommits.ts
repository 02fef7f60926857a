/**
 * The bare hot path's group commit, of the shape that measured best: a few waiting commits leave as plain publishes, many as
 * one atomic batch; while writes are in flight the next gathers. Nothing is resolved and nothing sent twice: an answer
 * other than "stored" ends the benchmark.
 */
import { nuid, type Msg, type NatsConnection } from "@nats-io/nats-core";
import { headerLine, wireHeaders } from "../nats/wireHeaders.ts";

const batchFromCommits = 16;
const batchMaxCommits = 500;
const writesInFlight = 2;

interface Waiting {
  readonly subject: string;
  readonly body: string;
  /** As lines of a header block. */
  readonly headers: string;
  readonly stored: (sequence: number) => void;
}

const sequenceIn = (answer: Msg): number => {
  const ack = answer.json<{ readonly seq?: number; readonly error?: unknown }>();
  if (ack.seq === undefined) throw new Error(`a commit was not stored: ${JSON.stringify(ack)}`);
  return ack.seq;
};

export const makeBareCommits = (connection: NatsConnection) => {
  let waiting: Array<Waiting> = [];
  let inFlight = 0;
  let queued = false;

  const request = async (one: Waiting, more: string): Promise<number> =>
    sequenceIn(
      await connection.request(one.subject, one.body, { headers: wireHeaders(one.headers + more), timeout: 10_000 }),
    );

  const writeAlone = async (one: Waiting): Promise<void> => one.stored(await request(one, ""));

  const writeTogether = async (batch: ReadonlyArray<Waiting>): Promise<void> => {
    const id = headerLine("Nats-Batch-Id", nuid.next());
    const place = (index: number): string => id + headerLine("Nats-Batch-Sequence", String(index + 1));
    const last = batch.length - 1;
    for (const [index, one] of batch.slice(0, last).entries()) {
      connection.publish(one.subject, one.body, { headers: wireHeaders(one.headers + place(index)) });
    }
    const sequence = await request(batch[last]!, place(last) + headerLine("Nats-Batch-Commit", "1"));
    for (const [index, one] of batch.entries()) one.stored(sequence - last + index);
  };

  const write = async (batch: ReadonlyArray<Waiting>): Promise<void> => {
    if (batch.length < batchFromCommits) await Promise.all(batch.map(writeAlone));
    else await writeTogether(batch);
  };

  const flush = (): void => {
    queued = false;
    while (inFlight < writesInFlight && waiting.length > 0) {
      const batch = waiting.slice(0, batchMaxCommits);
      waiting = waiting.slice(batchMaxCommits);
      inFlight++;
      // A rejection ends the process, and with it the benchmark.
      void write(batch).then(() => {
        inFlight--;
        flush();
      });
    }
  };

  /** Stores a commit; answers its sequence. */
  return (subject: string, body: string, headers: string): Promise<number> =>
    new Promise((stored) => {
      waiting.push({ subject, body, headers, stored });
      if (queued) return;
      queued = true;
      setImmediate(flush);
    });
};
