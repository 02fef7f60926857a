/**
 * Group commit: the one writer of a node. Owns every append from the moment an actor hands it over until it is known to
 * be stored or refused.
 *
 * Invariants:
 * 1. One waiting commit leaves as a plain publish; several leave together as one atomic batch; while a write is in flight
 *    the next gathers (facts: a batch costs the same few fsyncs whatever its size).
 * 2. Commits of payments already under way leave before first commits: what was begun is finished before more begins.
 * 3. A batch that was refused, or not answered, says nothing about a member: each is sent alone and resolved alone.
 * 4. An append is settled exactly once: stored, in conflict, lost, impossible, or closed with the node. It is sent again,
 *    with the same expected sequence and commit id, until the server has answered (law 2).
 */
import type { JetStreamManager } from "@nats-io/jetstream";
import { errors, nuid, type NatsConnection } from "@nats-io/nats-core";
import { nextAtLeader } from "../nats/leaderRead.ts";
import { headerLine, wireHeaders } from "../nats/wireHeaders.ts";
import { commitHeaders, commitIdHeader } from "./commitHeaders.ts";
import type { NewCommit } from "./EventLog.ts";

export type Settled =
  | { readonly _tag: "Stored"; readonly sequence: number }
  | { readonly _tag: "Conflict"; readonly lastSequence: number }
  | { readonly _tag: "Lost"; readonly reason: string }
  | { readonly _tag: "Impossible"; readonly reason: string }
  | { readonly _tag: "Closed" };

/** What one publish came to. `Impossible`: no server will ever take this message. `NoAnswer` covers time-outs, missing responders and every refusal that says "again". */
type Answer =
  | { readonly _tag: "Stored"; readonly sequence: number; readonly count: number }
  | { readonly _tag: "WrongSequence"; readonly lastSequence: number }
  | { readonly _tag: "Impossible"; readonly reason: string }
  | { readonly _tag: "NoAnswer"; readonly reason: string };

interface Waiting {
  readonly subject: string;
  readonly eventSubject: string;
  readonly payload: Uint8Array;
  /** Lines of its header block; its place in a batch comes after them. */
  readonly headers: string;
  readonly commitId: string;
  readonly expectedSequence: number;
  readonly settle: (settled: Settled) => void;
}

export interface CommitWriterOptions {
  readonly batchMaxCommits: number;
  readonly batchMaxBytes: number;
  readonly batchesInFlight: number;
  readonly appendTimeoutMillis: number;
  readonly lossConfirmMillis: number;
  readonly eventStream: string;
}

/** The server's code for "wrong last sequence". */
const wrongLastSequence = 10071;

/** The server's codes for a message, or its headers, too large: the same message is refused for ever. */
const neverTaken: ReadonlySet<number | undefined> = new Set([10054, 10097]);

/** Rough size of a commit's headers on the wire, in bytes. */
const headerBytes = 400;

const pause = (millis: number) => new Promise<void>((resolve) => setTimeout(resolve, millis));

const retryPauseMillis = (tries: number): number => Math.min(20 * 2 ** tries, 1_000);

export class NatsCommitWriter {
  readonly #connection: NatsConnection;
  readonly #manager: JetStreamManager;
  readonly #options: CommitWriterOptions;
  /** Commits of payments that are under way; first commits wait behind them. */
  #continuing: Array<Waiting> = [];
  #beginning: Array<Waiting> = [];
  #writesInFlight = 0;
  #flushQueued = false;
  #closed = false;

  constructor(connection: NatsConnection, manager: JetStreamManager, options: CommitWriterOptions) {
    this.#connection = connection;
    this.#manager = manager;
    this.#options = options;
  }

  append(commit: NewCommit, subject: string, eventSubject: string, settle: (settled: Settled) => void): void {
    if (this.#closed) return settle({ _tag: "Closed" });
    const commitId = nuid.next();
    const waiting: Waiting = {
      subject,
      eventSubject,
      payload: Buffer.from(commit.body, "utf8"),
      headers:
        commitHeaders(commit, commitId) +
        headerLine("Nats-Expected-Last-Subject-Sequence", String(commit.expectedSequence)),
      commitId,
      expectedSequence: commit.expectedSequence,
      settle,
    };
    (commit.expectedSequence > 0 ? this.#continuing : this.#beginning).push(waiting);
    if (this.#flushQueued) return;
    this.#flushQueued = true;
    // One turn later, so that what several actors decide in the same turn leaves together.
    setImmediate(() => {
      this.#flushQueued = false;
      this.#flush();
    });
  }

  /** Settles what still waits as closed. Whether it was stored is for the payments' next owner to find out. */
  close(): void {
    this.#closed = true;
    for (const waiting of [...this.#continuing.splice(0), ...this.#beginning.splice(0)])
      waiting.settle({ _tag: "Closed" });
  }

  #flush(): void {
    while (this.#writesInFlight < this.#options.batchesInFlight) {
      const batch = this.#gather();
      if (batch.length === 0) return;
      this.#writesInFlight++;
      void this.#write(batch).finally(() => {
        this.#writesInFlight--;
        this.#flush();
      });
    }
  }

  #gather(): Array<Waiting> {
    const { batchMaxCommits, batchMaxBytes } = this.#options;
    const batch: Array<Waiting> = [];
    let bytes = 0;
    for (const queue of [this.#continuing, this.#beginning]) {
      let taken = 0;
      while (taken < queue.length && batch.length < batchMaxCommits) {
        const next = queue[taken]!;
        const size = next.payload.length + headerBytes;
        if (batch.length > 0 && bytes + size > batchMaxBytes) break;
        batch.push(next);
        bytes += size;
        taken++;
      }
      queue.splice(0, taken);
      // What did not fit must not be overtaken by a smaller one that may wait.
      if (queue.length > 0) break;
    }
    return batch;
  }

  /**
   * One write: done when the server has answered it once. What has to be resolved after that goes on outside of the
   * writes in flight, so that it holds up nobody else's commits.
   */
  async #write(batch: Array<Waiting>): Promise<void> {
    if (batch.length === 1) {
      const alone = batch[0]!;
      const answer = await this.#request(alone, "");
      void this.#resolve(alone, answer).then(alone.settle);
      return;
    }
    const answer = await this.#sendTogether(batch);
    if (answer._tag === "Stored" && answer.count === batch.length) {
      const first = answer.sequence - batch.length + 1;
      for (const [index, waiting] of batch.entries()) waiting.settle({ _tag: "Stored", sequence: first + index });
      return;
    }
    for (const waiting of batch) void this.#resolve(waiting, undefined).then(waiting.settle);
  }

  async #sendTogether(batch: ReadonlyArray<Waiting>): Promise<Answer> {
    const batchId = nuid.next();
    const last = batch.length - 1;
    const sameBatch = headerLine("Nats-Batch-Id", batchId);
    const place = (index: number): string => sameBatch + headerLine("Nats-Batch-Sequence", String(index + 1));
    try {
      for (let index = 0; index < last; index++) {
        const waiting = batch[index]!;
        const headers = wireHeaders(waiting.headers + place(index));
        this.#connection.publish(waiting.subject, waiting.payload, { headers });
      }
    } catch (cause) {
      return { _tag: "NoAnswer", reason: String(cause) };
    }
    return this.#request(batch[last]!, place(last) + headerLine("Nats-Batch-Commit", "1"));
  }

  /** Sends alone, again and again, until what became of the commit is known. `first`: the answer to the first sending. */
  async #resolve(waiting: Waiting, first: Answer | undefined): Promise<Settled> {
    /** Since when, on the monotonic clock, the server's refusals have named less than was acknowledged. */
    let belowSince: number | undefined;
    for (let tries = 0; ; tries++) {
      if (this.#closed && (tries > 0 || first === undefined)) return { _tag: "Closed" };
      const answer = tries === 0 && first !== undefined ? first : await this.#request(waiting, "");
      if (answer._tag === "Stored") return { _tag: "Stored", sequence: answer.sequence };
      if (answer._tag === "Impossible") return answer;
      if (answer._tag === "WrongSequence") {
        if (answer.lastSequence < waiting.expectedSequence) {
          belowSince ??= performance.now();
          if (performance.now() - belowSince >= this.#options.lossConfirmMillis) {
            const reason = `sequence ${waiting.expectedSequence} was acknowledged, the log now ends at ${answer.lastSequence}`;
            return { _tag: "Lost", reason };
          }
        } else {
          belowSince = undefined;
          const settled = await this.#whoseIsIt(waiting, answer.lastSequence);
          if (settled !== undefined) return settled;
        }
      }
      await pause(retryPauseMillis(tries));
    }
  }

  /** The first message after the expected sequence: mine only if the commit id is. Undefined: not to be seen yet. */
  async #whoseIsIt(waiting: Waiting, lastSequence: number): Promise<Settled | undefined> {
    try {
      const { eventStream } = this.#options;
      const found = await nextAtLeader(this.#manager, eventStream, waiting.expectedSequence + 1, waiting.eventSubject);
      if (found === null) return undefined;
      return found.header.get(commitIdHeader) === waiting.commitId
        ? { _tag: "Stored", sequence: found.seq }
        : { _tag: "Conflict", lastSequence: Math.max(lastSequence, found.seq) };
    } catch {
      return undefined;
    }
  }

  async #request(waiting: Waiting, moreHeaders: string): Promise<Answer> {
    try {
      const message = await this.#connection.request(waiting.subject, waiting.payload, {
        headers: wireHeaders(waiting.headers + moreHeaders),
        timeout: this.#options.appendTimeoutMillis,
      });
      return readAnswer(message.data);
    } catch (cause) {
      // Larger than a server takes at all: the client does not even send it.
      if (cause instanceof errors.InvalidArgumentError) return { _tag: "Impossible", reason: cause.message };
      return { _tag: "NoAnswer", reason: String(cause) };
    }
  }
}

interface PubAck {
  readonly error?: { readonly err_code?: number; readonly description?: string };
  readonly seq?: number;
  readonly count?: number;
}

const readAnswer = (data: Uint8Array): Answer => {
  const ack = JSON.parse(Buffer.from(data).toString("utf8")) as PubAck;
  if (ack.error === undefined && ack.seq !== undefined) {
    return { _tag: "Stored", sequence: ack.seq, count: ack.count ?? 1 };
  }
  const description = ack.error?.description ?? "no sequence in the acknowledgement";
  if (neverTaken.has(ack.error?.err_code)) return { _tag: "Impossible", reason: description };
  const named = /wrong last sequence: (\d+)/.exec(description);
  return ack.error?.err_code === wrongLastSequence && named !== null
    ? { _tag: "WrongSequence", lastSequence: Number(named[1]) }
    : { _tag: "NoAnswer", reason: description };
};
