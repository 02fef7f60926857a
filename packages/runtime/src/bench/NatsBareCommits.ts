/**
 * The bare hot path's group commit: what waits leaves as one atomic batch, while writes are in flight the next gathers.
 * Nothing is resolved and nothing sent twice: an answer other than "stored" ends the benchmark.
 */
import { headers as newHeaders, nuid, type NatsConnection } from "@nats-io/nats-core";

const batchMaxCommits = 500;
const writesInFlight = 2;

interface Waiting {
  readonly subject: string;
  readonly body: string;
  readonly headers: ReadonlyArray<readonly [string, string]>;
  readonly stored: (sequence: number) => void;
}

export const makeBareCommits = (connection: NatsConnection) => {
  let waiting: Array<Waiting> = [];
  let inFlight = 0;
  let queued = false;

  const headersOf = ({ headers }: Waiting, more: ReadonlyArray<readonly [string, string]>) => {
    const all = newHeaders();
    for (const [name, value] of headers) all.set(name, value);
    for (const [name, value] of more) all.set(name, value);
    return all;
  };

  const write = async (batch: ReadonlyArray<Waiting>): Promise<void> => {
    const batchId = nuid.next();
    const last = batch.length - 1;
    const place = (index: number): ReadonlyArray<readonly [string, string]> =>
      last === 0
        ? []
        : [
            ["Nats-Batch-Id", batchId],
            ["Nats-Batch-Sequence", String(index + 1)],
          ];
    for (const [index, one] of batch.slice(0, last).entries()) {
      connection.publish(one.subject, one.body, { headers: headersOf(one, place(index)) });
    }
    const commit: ReadonlyArray<readonly [string, string]> = last === 0 ? [] : [["Nats-Batch-Commit", "1"]];
    const answer = await connection.request(batch[last]!.subject, batch[last]!.body, {
      headers: headersOf(batch[last]!, [...place(last), ...commit]),
      timeout: 10_000,
    });
    const ack = answer.json<{ readonly seq?: number; readonly error?: unknown }>();
    if (ack.seq === undefined) throw new Error(`a commit was not stored: ${JSON.stringify(ack)}`);
    for (const [index, one] of batch.entries()) one.stored(ack.seq - last + index);
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
  return (subject: string, body: string, headers: ReadonlyArray<readonly [string, string]>): Promise<number> =>
    new Promise((stored) => {
      waiting.push({ subject, body, headers, stored });
      if (queued) return;
      queued = true;
      setImmediate(flush);
    });
};
