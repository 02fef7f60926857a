/** What the contracts of the command queue and the timers need of the memory queue. */
import { CommandQueue } from "@aegispay/runtime/ingress/CommandQueue";
import { MemoryCommandQueueControl } from "@aegispay/runtime/ingress/MemoryCommandQueue";
import { Effect, Layer } from "effect";
import { CommandQueueHarness } from "./commandQueueHarness.ts";

const make = Effect.gen(function* () {
  const queue = yield* CommandQueue;
  const control = yield* MemoryCommandQueueControl;
  const ordered = <A, E>(order: () => void, run: Effect.Effect<A, E>) => Effect.andThen(Effect.sync(order), run);
  return CommandQueueHarness.of({
    queue,
    publish: ({ verb = "create", body = Buffer.from("{}"), ...publication }) =>
      Effect.sync(() => control.publish({ ...publication, verb, body })),
    holds: (sequence, source = "command") => Effect.sync(() => control.waiting(source).includes(sequence)),
    shardOf: control.shardOf,
    deleteConsumer: (shard, source) => Effect.sync(() => control.loseConsumer(shard, source)),
    whileAway: (run) => ordered(() => void (control.failTakeOvers = 1), run),
    failingHalfWay: (run) => ordered(() => void (control.failTakeOversHalfWay = 1), run),
    failingToDelete: (run) => ordered(() => void (control.failTakeOvers = 1), run),
  });
});

export const layerMemoryQueueHarness = Layer.effect(CommandQueueHarness, make);
