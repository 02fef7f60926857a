/**
 * The command queue in memory, for unit tests and simulation. Owns its commands and, for each shard, the one consumer
 * that is fed; delivers a turn later, as the real one never calls back from within a publish or an ack.
 */
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import { Context, Effect, FiberSet, Layer } from "effect";
import { Settings } from "../config/RuntimeSettings.ts";
import { CommandQueue, TakeOverFailed, type Delivery, type ShardTakeOver } from "./CommandQueue.ts";

export interface NewCommand {
  readonly payment: PaymentRef;
  readonly verb: string;
  readonly body: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The other side of a memory queue: what clients and operators do, and orders to fail. */
export class MemoryCommandQueueControl extends Context.Service<
  MemoryCommandQueueControl,
  {
    /** Answers the command's sequence. */
    readonly publish: (command: NewCommand) => number;
    /** Sequences of what is still in the queue. */
    readonly waiting: () => ReadonlyArray<number>;
    readonly shardOf: (payment: PaymentRef) => number;
    /** Deletes a shard's consumer, as an operator or a server that forgot it. */
    readonly loseConsumer: (shard: number) => void;
    /** As many of the next take-overs fail. */
    failTakeOvers: number;
    /** As many of the next erasures reach nothing: the command stays, and comes again. */
    failErasures: number;
  }
>()("@aegispay/runtime/MemoryCommandQueueControl") {}

interface Consumer {
  readonly order: ShardTakeOver;
  /** Un-acked deliveries by sequence; a later one of the same command replaces the one before it. */
  readonly delivered: Map<number, object>;
  /** What was given back and is not due yet. */
  readonly resting: Set<number>;
  /** Whether its scope is open: a consumer that is not listened to keeps what it was given. */
  listening: boolean;
}

/** FNV-1a, as the server's `partition()`. */
const shardOf = (payment: PaymentRef, shards: number): number => {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(`${payment.merchant}${payment.paymentId}`))
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash % shards;
};

export const layerMemoryCommandQueue = (
  shards: number,
): Layer.Layer<CommandQueue | MemoryCommandQueueControl, never, Settings> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const { shardWindow, ackWaitMillis } = yield* Settings;
      const run = yield* FiberSet.makeRuntime();
      const commands = new Map<number, NewCommand>();
      const consumers = new Map<number, Consumer>();
      let sequence = 0;

      const later = (millis: number, action: () => void) =>
        void run(Effect.andThen(millis > 0 ? Effect.sleep(millis) : Effect.yieldNow, Effect.sync(action)));

      const isLatest = (consumer: Consumer): boolean => consumers.get(consumer.order.shard) === consumer;

      const feed = (shard: number): void => {
        const consumer = consumers.get(shard);
        if (consumer === undefined || !consumer.listening) return;
        for (const [position, command] of commands) {
          if (consumer.delivered.size >= shardWindow) return;
          const isFree = !consumer.delivered.has(position) && !consumer.resting.has(position);
          if (isFree && shardOf(command.payment, shards) === shard) deliver(consumer, position, command);
        }
      };

      const deliver = (consumer: Consumer, position: number, command: NewCommand): void => {
        const { shard, onDelivery } = consumer.order;
        const token = {};
        consumer.delivered.set(position, token);
        const isOpen = () => isLatest(consumer) && consumer.delivered.get(position) === token;
        const take = (keep: boolean): void => {
          if (!isOpen()) return;
          consumer.delivered.delete(position);
          if (!keep) commands.delete(position);
          later(0, () => feed(shard));
        };
        const delivery: Delivery = {
          shard,
          epoch: consumer.order.epoch,
          payment: command.payment,
          verb: command.verb,
          body: command.body,
          header: (name) => command.headers?.[name] || undefined,
          headerText: () => Object.values(command.headers ?? {}).join("\n"),
          sequence: position,
          ack: () => take(false),
          erase: Effect.sync(() => {
            if (control.failErasures > 0) return void control.failErasures--;
            commands.delete(position);
            for (const { delivered } of consumers.values()) delivered.delete(position);
            later(0, () => feed(shard));
          }),
          returnLater: (delayMillis) => {
            if (!isOpen()) return;
            consumer.resting.add(position);
            take(true);
            later(delayMillis, () => {
              consumer.resting.delete(position);
              feed(shard);
            });
          },
        };
        later(0, () => {
          if (isOpen() && consumer.listening) onDelivery(delivery);
        });
        later(ackWaitMillis, () => take(true));
      };

      const control = MemoryCommandQueueControl.of({
        publish: (command) => {
          commands.set(++sequence, command);
          later(0, () => feed(shardOf(command.payment, shards)));
          return sequence;
        },
        waiting: () => [...commands.keys()],
        shardOf: (payment) => shardOf(payment, shards),
        loseConsumer: (shard) => {
          const lost = consumers.get(shard);
          consumers.delete(shard);
          if (lost?.listening === true) later(0, lost.order.onLost);
        },
        failTakeOvers: 0,
        failErasures: 0,
      });

      const takeOver = Effect.fnUntraced(function* (order: ShardTakeOver) {
        const { shard, epoch } = order;
        yield* Effect.yieldNow;
        if (control.failTakeOvers > 0) {
          control.failTakeOvers--;
          return yield* new TakeOverFailed({ shard, cause: "ordered to fail" });
        }
        const before = consumers.get(shard);
        if (before !== undefined && before.order.epoch > epoch) {
          return yield* new TakeOverFailed({ shard, cause: `epoch ${before.order.epoch} holds the shard` });
        }
        const consumer: Consumer = { order, delivered: new Map(), resting: new Set(), listening: true };
        yield* Effect.acquireRelease(
          Effect.sync(() => {
            if (before?.order.epoch !== epoch) control.loseConsumer(shard);
            consumers.set(shard, consumer);
            feed(shard);
          }),
          () => Effect.sync(() => void (consumer.listening = false)),
        );
      });

      return Context.make(CommandQueue, CommandQueue.of({ takeOver })).pipe(
        Context.add(MemoryCommandQueueControl, control),
      );
    }),
  );
