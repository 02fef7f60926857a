/**
 * The command queue in memory, for unit tests and simulation. Owns its messages and, for each shard and source, the one
 * consumer that is fed; delivers a turn later, as the real one never calls back from within a publish or an ack.
 */
import { sources, type Source } from "@aegispay/core/addresses/AddressBook";
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import { Context, Effect, FiberSet, Layer } from "effect";
import { Settings } from "../config/RuntimeSettings.ts";
import { shardOf } from "../shard/shardOf.ts";
import {
  CommandQueue,
  nothingLeftBehind,
  TakeOverFailed,
  type Delivery,
  type LeftBehind,
  type ShardTakeOver,
} from "./CommandQueue.ts";

export interface NewMessage {
  /** A command, if nothing else is said. */
  readonly source?: Source;
  readonly payment: PaymentRef;
  /** For a due timer: its kind. */
  readonly verb: string;
  readonly version?: number;
  readonly body: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The other side of a memory queue: what clients, operators and timers do, and orders to fail. */
export class MemoryCommandQueueControl extends Context.Service<
  MemoryCommandQueueControl,
  {
    /** Answers the message's sequence. */
    readonly publish: (message: NewMessage) => number;
    /** Sequences of what is still in the queue. */
    readonly waiting: (source: Source) => ReadonlyArray<number>;
    readonly shardOf: (payment: PaymentRef) => number;
    /** Deletes a shard's consumers, as an operator or a server that forgot them; or only that of one source. */
    readonly loseConsumer: (shard: number, source?: Source) => void;
    /** As many of the next take-overs fail before anything is done. */
    failTakeOvers: number;
    /** As many of the next take-overs fail when older consumers have gone, and none has come. */
    failTakeOversHalfWay: number;
    /** As many of the next erasures reach nothing: the message stays, and comes again. */
    failErasures: number;
  }
>()("@aegispay/runtime/MemoryCommandQueueControl") {}

interface Consumer {
  readonly epoch: number;
  /** Undefined once its scope has closed: a consumer that is not listened to keeps what it was given. */
  listener: ShardTakeOver | undefined;
  /** Un-acked deliveries by sequence; a later one of the same message replaces the one before it. */
  readonly delivered: Map<number, object>;
  /** What was given back and is not due yet: it keeps its place in the window. */
  readonly resting: Set<number>;
  /** The highest sequence it was given. */
  upTo: number;
}

/** What one consumer is fed from: the messages of one source of one shard, by sequence. */
interface ShardQueue {
  readonly source: Source;
  readonly shard: number;
  readonly messages: Map<number, NewMessage>;
  consumer: Consumer | undefined;
}

const emptyQueue = (source: Source, shard: number): ShardQueue => ({
  source,
  shard,
  messages: new Map(),
  consumer: undefined,
});

const unacked = (consumer: Consumer): number => consumer.delivered.size + consumer.resting.size;

export const layerMemoryCommandQueue = (
  shards: number,
): Layer.Layer<CommandQueue | MemoryCommandQueueControl, never, Settings> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const { shardWindow, ackWaitMillis } = yield* Settings;
      const run = yield* FiberSet.makeRuntime();
      const queues = Array.from({ length: shards }, (_, shard) => sources.map((source) => emptyQueue(source, shard)));
      const queueOf = (source: Source, shard: number) => queues[shard]![sources.indexOf(source)]!;
      /** Commands and internal commands are in one stream, timers in another. */
      const lastSequences = { commands: 0, timers: 0 };
      /** What rounds that failed half way have read of consumers that are gone since. */
      const gathered = new Map<number, LeftBehind>();

      const later = (millis: number, action: () => void) =>
        void run(Effect.andThen(millis > 0 ? Effect.sleep(millis) : Effect.yieldNow, Effect.sync(action)));

      const feed = (queue: ShardQueue): void => {
        const { consumer } = queue;
        if (consumer?.listener === undefined) return;
        for (const [sequence, message] of queue.messages) {
          if (unacked(consumer) >= shardWindow) return;
          const isFree = !consumer.delivered.has(sequence) && !consumer.resting.has(sequence);
          if (isFree) deliver(queue, consumer, sequence, message);
        }
      };

      const deliver = (queue: ShardQueue, consumer: Consumer, sequence: number, message: NewMessage): void => {
        const token = {};
        consumer.delivered.set(sequence, token);
        consumer.upTo = Math.max(consumer.upTo, sequence);
        const isOpen = () => queue.consumer === consumer && consumer.delivered.get(sequence) === token;
        const take = (keep: boolean): void => {
          if (!isOpen()) return;
          consumer.delivered.delete(sequence);
          if (!keep) queue.messages.delete(sequence);
          later(0, () => feed(queue));
        };
        const { payment, verb, version, body, headers = {} } = message;
        const delivery: Delivery = {
          source: queue.source,
          shard: queue.shard,
          epoch: consumer.epoch,
          payment,
          verb,
          ...(version === undefined ? {} : { version }),
          body,
          header: (name) => headers[name] || undefined,
          headerText: () => Object.values(headers).join("\n"),
          sequence,
          ack: () => take(false),
          erase: Effect.sync(() => {
            if (control.failErasures > 0) return void control.failErasures--;
            queue.messages.delete(sequence);
            queue.consumer?.delivered.delete(sequence);
            later(0, () => feed(queue));
          }),
          returnLater: (delayMillis) => {
            if (!isOpen()) return;
            consumer.resting.add(sequence);
            take(true);
            later(delayMillis, () => {
              consumer.resting.delete(sequence);
              feed(queue);
            });
          },
        };
        later(0, () => {
          if (isOpen()) consumer.listener?.onDelivery(delivery);
        });
        later(ackWaitMillis, () => take(true));
      };

      const lose = (queue: ShardQueue): void => {
        const lost = queue.consumer;
        queue.consumer = undefined;
        if (lost?.listener !== undefined) later(0, lost.listener.onLost);
      };

      const control = MemoryCommandQueueControl.of({
        publish: (message) => {
          const { source = "command", payment } = message;
          const sequence = ++lastSequences[source === "due" ? "timers" : "commands"];
          const queue = queueOf(source, shardOf(payment, shards));
          queue.messages.set(sequence, message);
          later(0, () => feed(queue));
          return sequence;
        },
        waiting: (source) => queues.flatMap((_, shard) => [...queueOf(source, shard).messages.keys()]),
        shardOf: (payment) => shardOf(payment, shards),
        loseConsumer: (shard, source) => {
          for (const one of source === undefined ? sources : [source]) lose(queueOf(one, shard));
        },
        failTakeOvers: 0,
        failTakeOversHalfWay: 0,
        failErasures: 0,
      });

      /** Reads what the consumers of lower epochs hold, then deletes them. */
      const deleteOlder = ({ shard, epoch, ownEpochs }: ShardTakeOver): LeftBehind => {
        let { ended, count, upTo } = gathered.get(epoch) ?? nothingLeftBehind;
        for (const queue of queues[shard]!) {
          const { consumer, source } = queue;
          if (consumer === undefined || consumer.epoch >= epoch) continue;
          const isOther = ownEpochs?.has(consumer.epoch) !== true;
          ended ||= isOther;
          if (isOther && unacked(consumer) > 0) {
            count += unacked(consumer);
            upTo = { ...upTo, [source]: Math.max(upTo[source], consumer.upTo) };
          }
          lose(queue);
        }
        return { ended, count, upTo };
      };

      const consume = (queue: ShardQueue, order: ShardTakeOver) =>
        Effect.acquireRelease(
          Effect.sync(() => {
            const { epoch } = order;
            // A round before this one may have made it, and what that was given counts on.
            const consumer = queue.consumer ?? { epoch, delivered: new Map(), resting: new Set(), upTo: 0 };
            const listened = Object.assign(consumer, { listener: order });
            queue.consumer = listened;
            feed(queue);
            return listened;
          }),
          (consumer: Consumer) =>
            Effect.sync(() => {
              if (consumer.listener === order) consumer.listener = undefined;
            }),
        );

      const takeOver = Effect.fnUntraced(function* (order: ShardTakeOver) {
        const { shard, epoch } = order;
        yield* Effect.yieldNow;
        if (control.failTakeOvers > 0) {
          control.failTakeOvers--;
          return yield* new TakeOverFailed({ shard, cause: "ordered to fail" });
        }
        const leftBehind = deleteOlder(order);
        gathered.set(epoch, leftBehind);
        if (control.failTakeOversHalfWay > 0) {
          control.failTakeOversHalfWay--;
          return yield* new TakeOverFailed({ shard, cause: "ordered to fail half way" });
        }
        const latest = Math.max(...queues[shard]!.map(({ consumer }) => consumer?.epoch ?? 0));
        if (latest > epoch) return yield* new TakeOverFailed({ shard, cause: `epoch ${latest} holds the shard` });
        gathered.delete(epoch);
        for (const queue of queues[shard]!) yield* consume(queue, order);
        return leftBehind;
      });

      const retire = (shard: number, epoch: number) =>
        Effect.sync(() => {
          for (const queue of queues[shard]!) if (queue.consumer?.epoch === epoch) lose(queue);
        });

      return Context.make(CommandQueue, CommandQueue.of({ takeOver, retire })).pipe(
        Context.add(MemoryCommandQueueControl, control),
      );
    }),
  );
