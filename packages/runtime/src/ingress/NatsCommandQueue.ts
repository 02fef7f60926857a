/** The command queue on JetStream work queues: for each shard and epoch one pull consumer a source. */
import { sources, type Source } from "@aegispay/core/addresses/AddressBook";
import {
  JetStreamApiError,
  type Consumer,
  type ConsumerInfo,
  type ConsumerMessages,
  type ConsumerNotification,
  type JsMsg,
} from "@nats-io/jetstream";
import { Effect, Layer } from "effect";
import { Settings } from "../config/RuntimeSettings.ts";
import { Nats } from "../nats/NatsConnection.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import {
  CommandQueue,
  nothingLeftBehind,
  TakeOverFailed,
  type Delivery,
  type LeftBehind,
  type ShardTakeOver,
} from "./CommandQueue.ts";

/** How long one request of a take-over may take before the next round begins, in milliseconds. */
const takeOverRequestMillis = 500;

/** Before a command that could not be erased is delivered again, in milliseconds. */
const eraseAgainMillis = 1_000;

/** The server's code for a consumer that is not there. */
const consumerNotFound = 10014;

/** The server's code for deleting a message that is not there. */
const messageNotFound = 10057;

/** Notices that say the consumer is gone or does not answer. */
const endings: ReadonlySet<ConsumerNotification["type"]> = new Set([
  "consumer_deleted",
  "consumer_not_found",
  "stream_not_found",
  "no_responders",
]);

/**
 * Between two signs of life of an idle pull, in milliseconds. Two missed ones have the client look for its consumer: the
 * only thing that tells of a pull which the server dropped without an answer, since it came together with the consumer's
 * deletion (seen on 2.15.1), and of a change of the consumer's leader, which the client passes over (409).
 */
const idleHeartbeatMillis = 2_000;

const nanos = (millis: number): number => millis * 1e6;

const make = Effect.gen(function* () {
  const { jetstream, manager } = yield* Nats;
  const { addresses } = yield* Deployment;
  const settings = yield* Settings;

  const deliveryOf = (message: JsMsg, epoch: number): Delivery | undefined => {
    const address = addresses.parseDelivery(message.subject);
    if (address === undefined) return undefined;
    const headers = readHeaders(message);
    const stream = addresses.streamOf(address.source);
    return {
      ...address,
      epoch,
      body: message.data,
      header: (name) => headers?.first.get(name) || undefined,
      headerText: () => headers?.text,
      sequence: message.seq,
      ack: () => message.ack(),
      erase: Effect.promise(() =>
        manager.streams.deleteMessage(stream, message.seq, true).then(
          // The place in the window is free at once, not only when the delivery times out.
          () => message.ack(),
          (cause: unknown) => (isGone(cause) ? message.ack() : message.nak(eraseAgainMillis)),
        ),
      ),
      returnLater: (delayMillis) => message.nak(delayMillis),
    };
  };

  /** The shard's consumers of lower epochs, with what they had delivered. */
  const findOlder = async (shard: number, epoch: number) => {
    const found: Array<{ readonly source: Source; readonly stream: string; readonly info: ConsumerInfo }> = [];
    for (const stream of [addresses.streams.commands, addresses.streams.timers]) {
      for await (const info of manager.consumers.list(stream)) {
        const read = addresses.parseEpochConsumer(info.name);
        if (read?.shard === shard && read.epoch < epoch) found.push({ source: read.source, stream, info });
      }
    }
    return found;
  };

  /** What the rounds of a take-over have read of older consumers, by epoch and name: those of earlier rounds may be gone. */
  const gathered = new Map<number, Map<string, { readonly source: Source; readonly info: ConsumerInfo }>>();

  const open = async ({ shard, epoch, ownEpochs }: ShardTakeOver) => {
    const older = await findOlder(shard, epoch);
    const seen = gathered.get(epoch) ?? new Map<string, { readonly source: Source; readonly info: ConsumerInfo }>();
    gathered.set(epoch, seen);
    for (const { source, info } of older) seen.set(info.name, { source, info });
    let { ended, count, upTo } = nothingLeftBehind;
    for (const { source, info } of seen.values()) {
      const { epoch: before } = addresses.parseEpochConsumer(info.name)!;
      if (ownEpochs?.has(before) === true) continue;
      ended = true;
      if (info.num_ack_pending === 0) continue;
      count += info.num_ack_pending;
      upTo = { ...upTo, [source]: Math.max(upTo[source], info.delivered.stream_seq) };
    }
    const leftBehind: LeftBehind = { ended, count, upTo };
    await Promise.all(
      older.map(({ stream, info }) => manager.consumers.delete(stream, info.name).catch(ignoreMissing)),
    );
    const consumers = await Promise.all(
      sources.map(async (source) => {
        const stream = addresses.streamOf(source);
        const name = addresses.epochConsumer(source, shard, epoch);
        await manager.consumers.add(stream, {
          durable_name: name,
          filter_subject: addresses.shardSubject(source, shard),
          ack_policy: "explicit",
          ack_wait: nanos(settings.ackWaitMillis),
          max_ack_pending: settings.shardWindow,
          max_deliver: -1,
        });
        return jetstream.consumers.get(stream, name);
      }),
    );
    gathered.delete(epoch);
    return { consumers, leftBehind };
  };

  /** Reports the consumer's end: a rival may have deleted it before the first pull, which nobody answers then (503). */
  const watch = async (messages: ConsumerMessages): Promise<void> => {
    for await (const notice of messages.status()) {
      if (endings.has(notice.type)) return;
    }
  };

  const consume = (consumer: Consumer, order: ShardTakeOver) =>
    Effect.acquireRelease(
      Effect.tryPromise({
        try: () =>
          consumer.consume({
            max_messages: settings.shardWindow,
            idle_heartbeat: idleHeartbeatMillis,
            callback: (message) => {
              const delivery = deliveryOf(message, order.epoch);
              if (delivery !== undefined) order.onDelivery(delivery);
            },
          }),
        catch: (cause) => new TakeOverFailed({ shard: order.shard, cause }),
      }),
      (consuming) => Effect.sync(() => consuming.stop()),
    );

  const takeOver = Effect.fnUntraced(function* (order: ShardTakeOver) {
    const { shard } = order;
    const failed = (cause: unknown) => new TakeOverFailed({ shard, cause });
    const { consumers, leftBehind } = yield* Effect.tryPromise({
      try: () => open(order),
      catch: failed,
    }).pipe(
      Effect.timeoutOrElse({
        duration: takeOverRequestMillis * 4,
        orElse: () => Effect.fail(failed("no answer in time")),
      }),
    );
    for (const consumer of consumers) {
      const messages = yield* consume(consumer, order);
      // Also where the pull ended without a notice, as it does when something in the callback throws.
      void watch(messages).then(order.onLost, order.onLost);
    }
    return leftBehind;
  });

  const retire = (shard: number, epoch: number) =>
    Effect.promise(() =>
      Promise.all(
        sources.map((source) =>
          manager.consumers
            .delete(addresses.streamOf(source), addresses.epochConsumer(source, shard, epoch))
            .catch(() => false),
        ),
      ),
    ).pipe(Effect.asVoid);

  return CommandQueue.of({ takeOver, retire });
});

/** What is asked of headers, read in one pass: the client's own `get` goes through all names each time. */
interface ReadHeaders {
  readonly first: ReadonlyMap<string, string>;
  readonly text: string;
}

/** The client decodes headers when they are first read, and throws at malformed ones; undefined says so. */
const readHeaders = (message: JsMsg): ReadHeaders | undefined => {
  const first = new Map<string, string>();
  let text = "";
  try {
    for (const [name, values] of message.headers ?? []) {
      if (values.length > 0) first.set(name, values[0]!);
      text += `${name}\n${values.join("\n")}\n`;
    }
  } catch {
    return undefined;
  }
  return { first, text };
};

/** A consumer that is not there has been deleted; any other refusal, or none at all, says nothing. */
const ignoreMissing = (cause: unknown): boolean => {
  if (cause instanceof JetStreamApiError && cause.code === consumerNotFound) return false;
  throw cause;
};

/** Whether an earlier delivery has erased the message already. */
const isGone = (cause: unknown): boolean => cause instanceof JetStreamApiError && cause.code === messageNotFound;

export const layerNatsCommandQueue = Layer.effect(CommandQueue, make);
