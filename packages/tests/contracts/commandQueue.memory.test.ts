import { defaultSettings, Settings } from "@aegispay/runtime/config/RuntimeSettings";
import { layerMemoryCommandQueue, MemoryCommandQueueControl } from "@aegispay/runtime/ingress/MemoryCommandQueue";
import { expect, layer } from "@effect/vitest";
import { Effect, Layer } from "effect";
import { commandQueueContract, lostDeliveryContract, window } from "./commandQueue.contract.ts";
import { own, paymentsOf } from "./commandQueueHarness.ts";
import { layerMemoryQueueHarness } from "./memoryQueueHarness.ts";
import { takeOverContract } from "./takeOver.contract.ts";

const shards = 2;

const layerHarness = (ackWaitMillis: number) =>
  layerMemoryQueueHarness.pipe(
    Layer.provideMerge(layerMemoryCommandQueue(shards)),
    Layer.provide(Layer.succeed(Settings, { ...defaultSettings, shardWindow: window, ackWaitMillis })),
  );

commandQueueContract("memory", layerHarness(300_000));
takeOverContract("memory", layerHarness(300_000));
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
      expect(control.waiting("command")).toContain(sequence);
      yield* owner.given(2);
      yield* owner.deliveries[1]!.erase;
      expect(control.waiting("command")).not.toContain(sequence);
    }),
  );
});
