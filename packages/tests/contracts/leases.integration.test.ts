import { defaultSettings } from "@aegispay/runtime/config/RuntimeSettings";
import { Nats } from "@aegispay/runtime/nats/NatsConnection";
import { Deployment } from "@aegispay/runtime/nats/NatsTopology";
import { Leases } from "@aegispay/runtime/shard/Leases";
import { layerNatsLeases, leaseKey } from "@aegispay/runtime/shard/NatsLeases";
import { expect, layer } from "@effect/vitest";
import { Kvm } from "@nats-io/kv";
import { Context, Effect, Fiber, Layer } from "effect";
import { until } from "./eventLogHarness.ts";
import { leaseExpiryContract, leasesContract } from "./leases.contract.ts";
import { LeasesHarness } from "./leasesHarness.ts";
import { deploy, layerConnected } from "./natsDeployment.ts";
import { layerNatsServer, NatsServer } from "./natsServer.ts";
import { tcpProxy } from "./tcpProxy.ts";

const make = Effect.fnUntraced(function* (leaseTtlMillis: number) {
  const server = yield* NatsServer;
  yield* deploy(server.url, leaseTtlMillis);
  const { proxy, url } = yield* tcpProxy(server.port);
  const open = Effect.fnUntraced(function* (nodeId: string, nodeUrl: string) {
    const connected = layerConnected(nodeUrl, { nodeId, leaseTtlMillis });
    return Context.get(yield* Layer.build(Layer.provide(Layer.orDie(layerNatsLeases), connected)), Leases);
  });
  const outside = yield* Layer.build(layerConnected(server.url));
  const { connection } = Context.get(outside, Nats);
  const { addresses } = Context.get(outside, Deployment);
  const bucket = yield* Effect.promise(() => new Kvm(connection).open(addresses.buckets.leases));
  const revisionOf = (shard: number) => Effect.promise(async () => (await bucket.get(leaseKey(shard)))?.revision ?? 0);
  return LeasesHarness.of({
    nodes: [
      yield* open("node-0", url),
      yield* open("node-1", server.url),
      yield* open("node-2", server.url),
      yield* open("node-2", server.url),
    ],
    ttlMillis: leaseTtlMillis,
    losingAnswer: Effect.fnUntraced(function* (shard, run) {
      const before = yield* revisionOf(shard);
      proxy.swallowAnswers();
      const fiber = yield* Effect.forkChild(Effect.exit(run));
      yield* until(
        "it is stored",
        Effect.map(revisionOf(shard), (revision) => revision > before),
      );
      yield* Fiber.interrupt(fiber);
      proxy.cut();
    }),
    whileAway: (run) =>
      Effect.suspend(() => {
        proxy.swallowAnswers();
        return Effect.ensuring(
          run,
          Effect.sync(() => proxy.cut()),
        );
      }),
  });
});

const layerHarness = (leaseTtlMillis: number) =>
  Layer.provideMerge(Layer.effect(LeasesHarness, make(leaseTtlMillis)), layerNatsServer);

leasesContract("JetStream", layerHarness(60_000));
leaseExpiryContract("JetStream", layerHarness(1_000));

layer(layerHarness(defaultSettings.leaseTtlMillis), { excludeTestServices: true, timeout: "30 seconds" })(
  "a renewal that gets no answer",
  (it) => {
    it.effect("fails soon enough for three tries in the life of a lease", () =>
      Effect.gen(function* () {
        const { nodes, ttlMillis, whileAway } = yield* LeasesHarness;
        const lease = yield* nodes[0].acquire(1);
        const sentAt = performance.now();
        yield* whileAway(Effect.flip(nodes[0].renew(lease!)));
        expect(performance.now() - sentAt).toBeLessThan(ttlMillis / 3);
      }),
    );
  },
);
