import { defaultSettings, Settings } from "@aegispay/runtime/config/RuntimeSettings";
import { CommandQueue } from "@aegispay/runtime/ingress/CommandQueue";
import { layerMemoryCommandQueue, MemoryCommandQueueControl } from "@aegispay/runtime/ingress/MemoryCommandQueue";
import { expect, layer } from "@effect/vitest";
import { Effect, Layer } from "effect";
import { commandQueueContract, lostDeliveryContract, window } from "./commandQueue.contract.ts";
import { CommandQueueHarness, own, paymentsOf } from "./commandQueueHarness.ts";

const shards = 2;

const harness = Effect.gen(function* () {
  const queue = yield* CommandQueue;
  const control = yield* MemoryCommandQueueControl;
  return CommandQueueHarness.of({
    queue,
    publish: ({ payment, verb = "create", body = Buffer.from("{}"), headers = {} }) =>
      Effect.sync(() => control.publish({ payment, verb, body, headers })),
    holds: (sequence) => Effect.sync(() => control.waiting().includes(sequence)),
    shardOf: control.shardOf,
    deleteConsumer: (shard) => Effect.sync(() => control.loseConsumer(shard)),
    whileAway: (run) =>
      Effect.suspend(() => {
        control.failTakeOvers = 1;
        return run;
      }),
  });
});

const layerHarness = (ackWaitMillis: number) =>
  Layer.effect(CommandQueueHarness, harness).pipe(
    Layer.provideMerge(layerMemoryCommandQueue(shards)),
    Layer.provide(Layer.succeed(Settings, { ...defaultSettings, shardWindow: window, ackWaitMillis })),
  );

commandQueueContract("memory", layerHarness(300_000));
lostDeliveryContract("memory", layerHarness(100));

layer(layerHarness(100), { excludeTestServices: true })("the memory queue's faults", (it) => {
  it.effect("let an erasure reach nothing: the command stays, and comes again", () =>
    Effect.gen(function* () {
      const control = yield* MemoryCommandQueueControl;
      const [payment] = yield* paymentsOf(1, 1);
      const owner = yield* own(1);
      const sequence = control.publish({ payment: payment!, verb: "create", body: Buffer.from("{}") });
      yield* owner.given(1);
      control.failErasures = 1;
      yield* owner.deliveries[0]!.erase;
      expect(control.waiting()).toContain(sequence);
      yield* owner.given(2);
      yield* owner.deliveries[1]!.erase;
      expect(control.waiting()).not.toContain(sequence);
    }),
  );
});
