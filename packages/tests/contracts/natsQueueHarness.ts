/** What the contracts of the command queue and the timers need of JetStream: a node behind a proxy, and an outside. */
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import type { RuntimeSettings } from "@aegispay/runtime/config/RuntimeSettings";
import { CommandQueue } from "@aegispay/runtime/ingress/CommandQueue";
import { layerNatsCommandQueue } from "@aegispay/runtime/ingress/NatsCommandQueue";
import { Nats } from "@aegispay/runtime/nats/NatsConnection";
import { Deployment } from "@aegispay/runtime/nats/NatsTopology";
import { layerNatsTimers } from "@aegispay/runtime/timers/NatsTimers";
import { Timers } from "@aegispay/runtime/timers/Timers";
import { headers as newHeaders } from "@nats-io/nats-core";
import { Context, Effect, Layer } from "effect";
import { CommandQueueHarness, type Publication } from "./commandQueueHarness.ts";
import { deploy, layerConnected, shards } from "./natsDeployment.ts";
import { NatsServer } from "./natsServer.ts";
import { tcpProxy } from "./tcpProxy.ts";
import { TimersHarness } from "./timersHarness.ts";

/** FNV-1a over the tokens, as the server's `partition()`: a test must know where a message will go. */
const shardOf = (payment: PaymentRef): number => {
  const bytes = [...Buffer.from(`${payment.merchant}${payment.paymentId}`)];
  return bytes.reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193) >>> 0, 0x811c9dc5) % shards;
};

const make = Effect.fnUntraced(function* (settings: Partial<RuntimeSettings>) {
  const server = yield* NatsServer;
  yield* deploy(server.url);
  const { proxy, url } = yield* tcpProxy(server.port);
  const node = yield* Layer.build(
    Layer.provide(Layer.merge(layerNatsCommandQueue, layerNatsTimers), layerConnected(url, settings)),
  );
  // Clients and operators have a connection of their own.
  const outside = yield* Layer.build(layerConnected(server.url));
  const { jetstream, manager } = Context.get(outside, Nats);
  const { addresses } = Context.get(outside, Deployment);

  const subjectOf = ({ source = "command", payment, verb = "create", version = 1 }: Publication): string =>
    source === "due" ? addresses.due(payment, verb, version) : addresses[source](payment, verb);

  const deleteConsumer = async (shard: number, of: string) => {
    for (const stream of [addresses.streams.commands, addresses.streams.timers]) {
      for await (const { name } of manager.consumers.list(stream)) {
        const read = addresses.parseEpochConsumer(name);
        if (read?.shard === shard && read.source === of) await manager.consumers.delete(stream, name);
      }
    }
  };

  /** Runs something with the proxy in a bad state, and cuts its connections afterwards, so that new ones work. */
  const disturbed = <A, E>(disturb: () => void, run: Effect.Effect<A, E>) =>
    Effect.suspend(() => {
      disturb();
      return Effect.ensuring(
        run,
        Effect.sync(() => proxy.cut()),
      );
    });

  const whileAway = <A, E>(run: Effect.Effect<A, E>) => disturbed(() => proxy.swallowAnswers(), run);

  const queue = CommandQueueHarness.of({
    queue: Context.get(node, CommandQueue),
    publish: (publication) =>
      Effect.promise(async () => {
        const { body = Buffer.from("{}"), headers = {} } = publication;
        const sent = newHeaders();
        for (const [name, value] of Object.entries(headers)) sent.set(name, value);
        return (await jetstream.publish(subjectOf(publication), body, { headers: sent })).seq;
      }),
    holds: (sequence, source = "command") =>
      Effect.promise(
        async () => (await manager.streams.getMessage(addresses.streamOf(source), { seq: sequence })) !== null,
      ),
    shardOf,
    deleteConsumer: (shard, source) => Effect.promise(() => deleteConsumer(shard, source)),
    whileAway,
    failingHalfWay: (run) => disturbed(() => proxy.refuse("CONSUMER.CREATE"), run),
    failingToDelete: (run) => disturbed(() => proxy.refuse("CONSUMER.DELETE"), run),
  });
  const timers = TimersHarness.of({ timers: Context.get(node, Timers), whileAway });
  return Context.make(CommandQueueHarness, queue).pipe(Context.add(TimersHarness, timers));
});

export const layerNatsQueueHarness = (settings: Partial<RuntimeSettings>) => Layer.effectContext(make(settings));
