import { readCircuit } from "@aegispay/runtime/resilience/Breakers";
import { layerNatsSharedCircuits } from "@aegispay/runtime/resilience/NatsSharedCircuits";
import { Nats } from "@aegispay/runtime/nats/NatsConnection";
import { Deployment } from "@aegispay/runtime/nats/NatsTopology";
import { Kvm } from "@nats-io/kv";
import { Context, Effect, Layer } from "effect";
import { circuitStoreContract } from "./circuitStore.contract.ts";
import { CircuitStoreHarness, openStore } from "./circuitStoreHarness.ts";
import { deploy, layerConnected } from "./natsDeployment.ts";
import { layerNatsServer, NatsServer } from "./natsServer.ts";
import { tcpProxy } from "./tcpProxy.ts";

const make = Effect.gen(function* () {
  const server = yield* NatsServer;
  yield* deploy(server.url);
  const { proxy, url } = yield* tcpProxy(server.port);
  const open = (node: string, nodeUrl: string) =>
    openStore(node, Layer.provide(layerNatsSharedCircuits, layerConnected(nodeUrl, { nodeId: node })));
  const outside = yield* Layer.build(layerConnected(server.url));
  const { connection, manager } = Context.get(outside, Nats);
  const name = Context.get(outside, Deployment).addresses.buckets.breakers;
  const bucket = yield* Effect.promise(() => new Kvm(connection).open(name));
  return CircuitStoreHarness.of({
    nodes: [yield* open("node-0", url), yield* open("node-1", server.url)],
    shared: (key) =>
      Effect.promise(async () => {
        const entry = await bucket.get(key);
        return entry?.operation === "PUT" ? readCircuit(entry.string()) : undefined;
      }),
    writes: Effect.promise(async () => (await manager.streams.info(`KV_${name}`)).state.last_seq),
    cutOff: Effect.sync(() => proxy.swallowAnswers()),
    reconnect: Effect.sync(() => proxy.cut()),
  });
});

circuitStoreContract("JetStream", Layer.provideMerge(Layer.effect(CircuitStoreHarness, make), layerNatsServer));
