/** Reads that go to a stream's leader, of a kind that the client's types do not name. */
import type { JetStreamManager, MsgRequest, StoredMsg } from "@nats-io/jetstream";

/** The first message at or after `sequence` on the subject, as the leader has it; null when there is none. */
export const nextAtLeader = (
  manager: JetStreamManager,
  stream: string,
  sequence: number,
  subject: string,
): Promise<StoredMsg | null> =>
  // The server has taken `next_by_subj` together with `seq` since 2.9; the client's type lists them as alternatives.
  manager.streams.getMessage(stream, { seq: sequence, next_by_subj: subject } as MsgRequest);
