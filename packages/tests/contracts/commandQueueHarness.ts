/** What the contract of the command queue needs of an implementation besides itself. */
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import type { CommandQueue, Delivery } from "@aegispay/runtime/ingress/CommandQueue";
import { Context, Effect, Exit, Scope } from "effect";
import { until } from "./eventLogHarness.ts";

export interface Publication {
  readonly payment: PaymentRef;
  readonly verb?: string;
  readonly body?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export class CommandQueueHarness extends Context.Service<
  CommandQueueHarness,
  {
    readonly queue: CommandQueue["Service"];
    /** Publishes a command as a client does. Answers its sequence once it is accepted. */
    readonly publish: (publication: Publication) => Effect.Effect<number>;
    /** Whether a command is still in the queue. */
    readonly holds: (sequence: number) => Effect.Effect<boolean>;
    readonly shardOf: (payment: PaymentRef) => number;
    /** Deletes a shard's consumer, as an operator might. */
    readonly deleteConsumer: (shard: number) => Effect.Effect<void>;
    /** Runs something while the queue gives no answer. */
    readonly whileAway: <A, E>(run: Effect.Effect<A, E>) => Effect.Effect<A, E>;
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

/** One owner of a shard, as a node would be: what it was given, and what it has acked of that. */
export interface Owner {
  readonly deliveries: Array<Delivery>;
  /** How often it was told that its consumer has gone. */
  readonly lost: () => number;
  /** Most that it held un-acked at once. */
  readonly mostHeld: () => number;
  readonly ack: (delivery: Delivery) => void;
  readonly sequences: () => ReadonlyArray<number>;
  /** Waits until it was given so many deliveries. */
  readonly given: (count: number) => Effect.Effect<void>;
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
  yield* Scope.provide(queue.takeOver(order), scope);
  const owner: Owner = {
    deliveries,
    lost: () => lost,
    mostHeld: () => mostHeld,
    ack: (delivery) => {
      acked++;
      delivery.ack();
    },
    sequences: () => deliveries.map(({ sequence }) => sequence),
    given: (count) =>
      until(
        `${count} commands are delivered`,
        Effect.sync(() => deliveries.length >= count),
      ),
    stop: Scope.close(scope, Exit.void),
  };
  return owner;
});

/** Empties a shard, so that the next test finds it so. */
export const emptied = Effect.fnUntraced(function* (shard: number, sequences: ReadonlyArray<number>) {
  const { holds } = yield* CommandQueueHarness;
  const owner = yield* own(shard);
  yield* until(
    "the shard is empty",
    Effect.gen(function* () {
      for (const delivery of owner.deliveries.splice(0)) delivery.ack();
      for (const sequence of sequences) if (yield* holds(sequence)) return false;
      return true;
    }),
  );
  yield* owner.stop;
});
