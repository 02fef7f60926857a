import type { RuntimeSettings } from "@aegispay/runtime/config/RuntimeSettings";
import { expect, layer } from "@effect/vitest";
import { Effect, Layer } from "effect";
import { commandQueueContract, lostDeliveryContract, window } from "./commandQueue.contract.ts";
import { CommandQueueHarness, own, paymentsOf } from "./commandQueueHarness.ts";
import { layerNatsQueueHarness } from "./natsQueueHarness.ts";
import { layerNatsServer, NatsServer } from "./natsServer.ts";
import { takeOverContract } from "./takeOver.contract.ts";

const layerHarness = (settings: Partial<RuntimeSettings>) =>
  Layer.provideMerge(layerNatsQueueHarness({ shardWindow: window, ...settings }), layerNatsServer);

commandQueueContract("JetStream", layerHarness({ ackWaitMillis: 300_000 }));
takeOverContract("JetStream", layerHarness({ ackWaitMillis: 300_000 }));
lostDeliveryContract("JetStream", layerHarness({ ackWaitMillis: 100 }));

layer(layerHarness({ ackWaitMillis: 300_000 }), { excludeTestServices: true, timeout: "30 seconds" })(
  "a command queue whose server is killed",
  (it) => {
    it.effect("has all that was accepted, and gives the next epoch what was delivered and not acked", () =>
      Effect.gen(function* () {
        const { publish, holds } = yield* CommandQueueHarness;
        const server = yield* NatsServer;
        const before = yield* own(1);
        const sequences = yield* Effect.forEach(yield* paymentsOf(1, window + 4), (payment) => publish({ payment }));
        yield* before.given(window);
        yield* server.kill;
        yield* server.startAgain;
        const after = yield* Effect.retry(own(1), { times: 20 });
        for (let acked = 0; acked < sequences.length; acked++) {
          yield* after.given(acked + 1);
          after.ack(after.deliveries[acked]!);
        }
        expect(after.sequences()).toEqual(sequences);
        expect(after.mostHeld()).toBeLessThanOrEqual(window);
        // An ack is on its way for a moment: what it has not reached yet would come to the next owner again.
        for (const sequence of sequences) yield* Effect.repeat(holds(sequence), { until: (held) => !held });
      }),
    );

    it.effect("stores each command under the shard that the address book and the server agree on", () =>
      Effect.gen(function* () {
        const { publish } = yield* CommandQueueHarness;
        const owners = [
          yield* Effect.retry(own(0), { times: 20 }),
          yield* Effect.retry(own(1), { times: 20 }),
        ] as const;
        const count = window / 2;
        for (const shard of [0, 1]) {
          yield* Effect.forEach(yield* paymentsOf(shard, count), (payment) => publish({ payment, verb: "refund" }));
        }
        for (const [shard, owner] of owners.entries()) {
          yield* owner.given(count);
          for (const delivery of owner.deliveries) expect([delivery.shard, delivery.verb]).toEqual([shard, "refund"]);
        }
      }),
    );
  },
);
