/** The command queue on a JetStream work queue: one pull consumer for each shard and epoch. */
import {
  JetStreamApiError,
  type Consumer,
  type ConsumerMessages,
  type ConsumerNotification,
  type JsMsg,
} from "@nats-io/jetstream";
import { headers as newHeaders, type MsgHdrs } from "@nats-io/nats-core";
import { Effect, Layer } from "effect";
import { Settings } from "../config/RuntimeSettings.ts";
import { Nats } from "../nats/NatsConnection.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { CommandQueue, TakeOverFailed, type Delivery, type ShardTakeOver } from "./CommandQueue.ts";

/** How long one request of a take-over may take before the next round begins, in milliseconds. */
const takeOverRequestMillis = 500;

/** Before a command that could not be erased is delivered again, in milliseconds. */
const eraseAgainMillis = 1_000;

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
  const stream = addresses.streams.commands;

  const deliveryOf = (message: JsMsg, epoch: number): Delivery | undefined => {
    const address = addresses.parseShardCommand(message.subject);
    if (address === undefined) return undefined;
    const headers = readHeaders(message);
    return {
      ...address,
      epoch,
      body: message.data,
      header: (name) => headers?.get(name) || undefined,
      headerText: () => headers && [...headers].flat().join("\n"),
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

  const deleteOlder = async (shard: number, epoch: number): Promise<void> => {
    const prefix = addresses.shardConsumer(shard, 0).slice(0, -1);
    for await (const name of consumerNames()) {
      if (name.startsWith(prefix) && Number(name.slice(prefix.length)) < epoch) {
        await manager.consumers.delete(stream, name).catch(ignoreMissing);
      }
    }
  };

  async function* consumerNames(): AsyncGenerator<string> {
    for await (const info of manager.consumers.list(stream)) yield info.name;
  }

  const open = async (shard: number, epoch: number): Promise<Consumer> => {
    const name = addresses.shardConsumer(shard, epoch);
    await deleteOlder(shard, epoch);
    await manager.consumers.add(stream, {
      durable_name: name,
      filter_subject: addresses.shardCommands(shard),
      ack_policy: "explicit",
      ack_wait: nanos(settings.ackWaitMillis),
      max_ack_pending: settings.shardWindow,
      max_deliver: -1,
    });
    return jetstream.consumers.get(stream, name);
  };

  /** Reports the consumer's end: a rival may have deleted it before the first pull, which nobody answers then (503). */
  const watch = async (messages: ConsumerMessages): Promise<void> => {
    for await (const notice of messages.status()) {
      if (endings.has(notice.type)) return;
    }
  };

  const takeOver = (order: ShardTakeOver) =>
    Effect.gen(function* () {
      const { shard, epoch } = order;
      const failed = (cause: unknown) => new TakeOverFailed({ shard, cause });
      const consumer = yield* Effect.tryPromise({ try: () => open(shard, epoch), catch: failed }).pipe(
        Effect.timeoutOrElse({
          duration: takeOverRequestMillis * 4,
          orElse: () => Effect.fail(failed("no answer in time")),
        }),
      );
      const messages = yield* Effect.acquireRelease(
        Effect.tryPromise({
          try: () =>
            consumer.consume({
              max_messages: settings.shardWindow,
              idle_heartbeat: idleHeartbeatMillis,
              callback: (message) => {
                const delivery = deliveryOf(message, epoch);
                if (delivery !== undefined) order.onDelivery(delivery);
              },
            }),
          catch: failed,
        }),
        (consuming) =>
          Effect.sync(() => {
            consuming.stop();
          }),
      );
      // Also where the pull ended without a notice, as it does when something in the callback throws.
      void watch(messages).then(order.onLost, order.onLost);
    });

  return CommandQueue.of({ takeOver });
});

/** The client decodes headers when they are first read, and throws at malformed ones; undefined says so. */
const readHeaders = (message: JsMsg): MsgHdrs | undefined => {
  try {
    return message.headers ?? noHeaders;
  } catch {
    return undefined;
  }
};

const noHeaders = newHeaders();

const ignoreMissing = (): boolean => false;

/** Whether an earlier delivery has erased the message already. */
const isGone = (cause: unknown): boolean => cause instanceof JetStreamApiError && cause.code === messageNotFound;

export const layerNatsCommandQueue = Layer.effect(CommandQueue, make);
