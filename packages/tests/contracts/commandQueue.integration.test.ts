import type { PaymentRef } from "@aegispay/core/identity/Identity";
import { CommandQueue } from "@aegispay/runtime/ingress/CommandQueue";
import { layerNatsCommandQueue } from "@aegispay/runtime/ingress/NatsCommandQueue";
import { Nats } from "@aegispay/runtime/nats/NatsConnection";
import { Deployment } from "@aegispay/runtime/nats/NatsTopology";
import { expect, layer } from "@effect/vitest";
import { headers as newHeaders } from "@nats-io/nats-core";
import { Context, Effect, Layer } from "effect";
import { commandQueueContract, lostDeliveryContract, window } from "./commandQueue.contract.ts";
import { CommandQueueHarness, own, paymentsOf } from "./commandQueueHarness.ts";
import { deploy, layerConnected, shards } from "./natsDeployment.ts";
import { layerNatsServer, NatsServer } from "./natsServer.ts";
import { tcpProxy } from "./tcpProxy.ts";

/** FNV-1a over the tokens, as the server's `partition()`: a test must know where a command will go. */
const shardOf = (payment: PaymentRef): number => {
  const bytes = [...Buffer.from(`${payment.merchant}${payment.paymentId}`)];
  return bytes.reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193) >>> 0, 0x811c9dc5) % shards;
};

const make = (ackWaitMillis: number) =>
  Effect.gen(function* () {
    const server = yield* NatsServer;
    yield* deploy(server.url);
    const { proxy, url } = yield* tcpProxy(server.port);
    const node = yield* Layer.build(
      Layer.provide(layerNatsCommandQueue, layerConnected(url, { shardWindow: window, ackWaitMillis })),
    );
    // The client and the operator have a connection of their own.
    const outside = yield* Layer.build(layerConnected(server.url));
    const { jetstream, manager } = Context.get(outside, Nats);
    const { addresses } = Context.get(outside, Deployment);
    const stream = addresses.streams.commands;
    return CommandQueueHarness.of({
      queue: Context.get(node, CommandQueue),
      publish: ({ payment, verb = "create", body = Buffer.from("{}"), headers = {} }) =>
        Effect.promise(async () => {
          const sent = newHeaders();
          for (const [name, value] of Object.entries(headers)) sent.set(name, value);
          return (await jetstream.publish(addresses.command(payment, verb), body, { headers: sent })).seq;
        }),
      holds: (sequence) =>
        Effect.promise(async () => (await manager.streams.getMessage(stream, { seq: sequence })) !== null),
      shardOf,
      deleteConsumer: (shard) =>
        Effect.promise(async () => {
          for await (const { name } of manager.consumers.list(stream)) {
            if (name.startsWith(`shard-${shard}-`)) await manager.consumers.delete(stream, name);
          }
        }),
      whileAway: (run) =>
        Effect.gen(function* () {
          proxy.swallowAnswers();
          const outcome = yield* Effect.exit(run);
          proxy.cut();
          return yield* outcome;
        }),
    });
  });

const layerHarness = (ackWaitMillis: number) =>
  Layer.provideMerge(Layer.effect(CommandQueueHarness, make(ackWaitMillis)), layerNatsServer);

commandQueueContract("JetStream", layerHarness(300_000));
lostDeliveryContract("JetStream", layerHarness(100));

layer(layerHarness(300_000), { excludeTestServices: true, timeout: "30 seconds" })(
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
