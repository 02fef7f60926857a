/** What the contract of the command queue needs of an implementation besides itself. */
import type { Source } from "@aegispay/core/addresses/AddressBook";
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import type { CommandQueue, Delivery } from "@aegispay/runtime/ingress/CommandQueue";
import { Context, Effect, Exit, Scope } from "effect";
import { until } from "./eventLogHarness.ts";

export interface Publication {
  /** A command, if nothing else is said. */
  readonly source?: Source;
  readonly payment: PaymentRef;
  readonly verb?: string;
  /** Of a due timer. */
  readonly version?: number;
  readonly body?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export class CommandQueueHarness extends Context.Service<
  CommandQueueHarness,
  {
    readonly queue: CommandQueue["Service"];
    /** Publishes as a client, a node or a timer does. Answers the message's sequence once it is accepted. */
    readonly publish: (publication: Publication) => Effect.Effect<number>;
    /** Whether a message is still in the queue. */
    readonly holds: (sequence: number, source?: Source) => Effect.Effect<boolean>;
    readonly shardOf: (payment: PaymentRef) => number;
    /** Deletes a shard's consumer of one source, as an operator might. */
    readonly deleteConsumer: (shard: number, source: Source) => Effect.Effect<void>;
    /** Runs something while the queue gives no answer. */
    readonly whileAway: <A, E>(run: Effect.Effect<A, E>) => Effect.Effect<A, E>;
    /** Runs a take-over that deletes the older consumers and then fails. */
    readonly failingHalfWay: <A, E>(run: Effect.Effect<A, E>) => Effect.Effect<A, E>;
    /** Runs a take-over whose requests to delete the older consumers do not arrive. */
    readonly failingToDelete: <A, E>(run: Effect.Effect<A, E>) => Effect.Effect<A, E>;
  }
>()("@aegispay/tests/CommandQueueHarness") {}

let payments = 0;

/** Payments of one shard that no other test knows. */
export const paymentsOf = (
  shard: number,
  count: number,
): Effect.Effect<ReadonlyArray<PaymentRef>, never, CommandQueueHarness> =>
  Effect.map(CommandQueueHarness, ({ shardOf }) => {
    const found: Array<PaymentRef> = [];
    while (found.length < count) {
      const payment = { merchant: "shop", paymentId: `command-${++payments}` };
      if (shardOf(payment) === shard) found.push(payment);
    }
    return found;
  });

/** Publishes for so many new payments of a shard; answers the sequences. */
export const publishTo = Effect.fnUntraced(function* (shard: number, count: number, source: Source = "command") {
  const { publish } = yield* CommandQueueHarness;
  const sequences: Array<number> = [];
  for (const payment of yield* paymentsOf(shard, count)) sequences.push(yield* publish({ source, payment }));
  return sequences;
});

/** One owner of a shard, as a node would be: what it was given, and what it has acked of that. */
export interface Owner {
  readonly deliveries: Array<Delivery>;
  /** What it was told of earlier owners when it took over. */
  readonly leftBehind: Effect.Success<ReturnType<CommandQueue["Service"]["takeOver"]>>;
  /** How often it was told that a consumer has gone. */
  readonly lost: () => number;
  /** Most that it held un-acked at once. */
  readonly mostHeld: () => number;
  readonly ack: (delivery: Delivery) => void;
  readonly sequences: (source?: Source) => ReadonlyArray<number>;
  /** Waits until it was given so many deliveries; of one source, if one is named. */
  readonly given: (count: number, source?: Source) => Effect.Effect<void>;
  readonly stop: Effect.Effect<void>;
}

/** Epochs rise over all tests, as lease revisions do. */
let epochs = 0;
export const nextEpoch = (): number => ++epochs;

/** Takes a shard over and keeps what is delivered, un-acked. */
export const own = Effect.fnUntraced(function* (shard: number, epoch = nextEpoch()) {
  const { queue } = yield* CommandQueueHarness;
  const scope = yield* Scope.make();
  yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void));
  const deliveries: Array<Delivery> = [];
  let lost = 0;
  let acked = 0;
  let mostHeld = 0;
  const order = {
    shard,
    epoch,
    onLost: () => void lost++,
    onDelivery: (delivery: Delivery) => {
      deliveries.push(delivery);
      mostHeld = Math.max(mostHeld, deliveries.length - acked);
    },
  };
  const leftBehind = yield* Scope.provide(queue.takeOver(order), scope);
  const of = (source: Source | undefined) =>
    deliveries.filter((delivery) => source === undefined || delivery.source === source);
  const owner: Owner = {
    deliveries,
    leftBehind,
    lost: () => lost,
    mostHeld: () => mostHeld,
    ack: (delivery) => {
      acked++;
      delivery.ack();
    },
    sequences: (source) => of(source).map(({ sequence }) => sequence),
    given: (count, source) =>
      until(
        `${count} of ${source ?? "all"} are delivered`,
        Effect.sync(() => of(source).length >= count),
      ),
    stop: Scope.close(scope, Exit.void),
  };
  return owner;
});

/** Empties a shard, so that the next test finds it so, and retires. */
export const emptied = Effect.fnUntraced(function* (
  shard: number,
  sequences: ReadonlyArray<number>,
  source: Source = "command",
) {
  const { holds, queue } = yield* CommandQueueHarness;
  const epoch = nextEpoch();
  const owner = yield* own(shard, epoch);
  yield* until(
    "the shard is empty",
    Effect.gen(function* () {
      for (const delivery of owner.deliveries.splice(0)) delivery.ack();
      for (const sequence of sequences) if (yield* holds(sequence, source)) return false;
      return true;
    }),
  );
  yield* owner.stop;
  yield* queue.retire(shard, epoch);
});
