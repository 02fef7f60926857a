/**
 * Batched direct get of one subject's messages. By hand, because the client's `getBatch` keeps a subscription open for
 * each call that uses its iterator and reports an empty result as an error (@nats-io/jetstream 3.4.0, jsm_direct.js).
 */
import type { Msg, MsgHdrs, NatsConnection } from "@nats-io/nats-core";

export interface DirectMessage {
  readonly sequence: number;
  readonly headers: MsgHdrs;
  readonly data: Uint8Array;
}

/** How long one batch may take, in milliseconds. */
const batchTimeoutMillis = 5_000;

/** The statuses that end a batch well: end of batch, and nothing found. */
const endings: ReadonlyArray<number> = [204, 404];

/** Up to `batch` messages of the subject, from a sequence on, as any replica of the stream has them. */
export const directBatch = async (
  connection: NatsConnection,
  stream: string,
  from: number,
  subject: string,
  batch: number,
): Promise<ReadonlyArray<DirectMessage>> => {
  const request = JSON.stringify({ seq: from, next_by_subj: subject, batch });
  const answers = await connection.requestMany(`$JS.API.DIRECT.GET.${stream}`, request, {
    strategy: "sentinel",
    maxWait: batchTimeoutMillis,
  });
  const found: Array<DirectMessage> = [];
  let ending: Msg | undefined;
  for await (const message of answers) {
    const sequence = message.headers?.get("Nats-Sequence") ?? "";
    if (sequence === "") {
      ending = message;
      break;
    }
    found.push({ sequence: Number(sequence), headers: message.headers!, data: message.data });
  }
  // The client takes a stored message without a body for the end. No commit is empty: whoever reads sees the damage.
  if (found.at(-1)?.data.length === 0) return found;
  if (ending === undefined) throw new Error("a direct get did not end in time");
  const status = ending.headers?.code ?? 0;
  if (!endings.includes(status)) {
    throw new Error(`a direct get ended with ${status} ${ending.headers?.description ?? ""}`);
  }
  return found;
};
