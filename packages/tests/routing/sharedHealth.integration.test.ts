/** How nodes tell each other of their gateways, over a real NATS, each with a connection of its own. */
import { liveKey } from "@aegispay/core/routing/LiveFigures";
import { Nats } from "@aegispay/runtime/nats/NatsConnection";
import { Deployment } from "@aegispay/runtime/nats/NatsTopology";
import { Breakers } from "@aegispay/runtime/resilience/Breakers";
import { GatewayHealth } from "@aegispay/runtime/routing/GatewayHealth";
import { layerNatsGatewayHealth } from "@aegispay/runtime/routing/NatsGatewayHealth";
import { readHealth } from "@aegispay/runtime/routing/NatsHealthOverview";
import { layerNatsLeases } from "@aegispay/runtime/shard/NatsLeases";
import { expect, layer } from "@effect/vitest";
import { Context, Effect, Layer } from "effect";
import { until } from "../contracts/eventLogHarness.ts";
import { deploy, layerConnected } from "../contracts/natsDeployment.ts";
import { layerNatsServer, NatsServer } from "../contracts/natsServer.ts";
import { tcpProxy } from "../contracts/tcpProxy.ts";
import { candidate } from "./tables.ts";

const noBreaker = Layer.succeed(Breakers, { isOpen: () => false, circuits: () => new Map() });
const candidates = [candidate("alpha")];
const approved = { _tag: "Approved" };
const unknown = { _tag: "Unknown" };

const openNode = (url: string, nodeId: string) =>
  Effect.map(
    Layer.build(
      layerNatsGatewayHealth.pipe(
        Layer.provide(Layer.orDie(layerNatsLeases)),
        Layer.provide(noBreaker),
        Layer.provide(layerConnected(url, { nodeId })),
      ),
    ),
    (built) => {
      const health = Context.get(built, GatewayHealth);
      return {
        see: (heard: typeof approved, times: number) => {
          for (let time = 0; time < times; time++) health.observe("alpha", "default", true, heard, 40);
        },
        figures: () => health.live(candidates).get(liveKey("alpha", "default")),
      };
    },
  );

layer(layerNatsServer, { excludeTestServices: true, timeout: "60 seconds" })("nodes that share a deployment", (it) => {
  it.effect("add up what each has seen, also what was said before they came, and are read from outside", () =>
    Effect.gen(function* () {
      const server = yield* NatsServer;
      yield* deploy(server.url);
      const first = yield* openNode(server.url, "node-1");
      const second = yield* openNode(server.url, "node-2");
      first.see(approved, 3);
      second.see(unknown, 4);
      const together = { attempts: 7, successes: 3, calls: 7 };
      const knowAll = (node: typeof first) => Effect.sync(() => node.figures()?.attempts === together.attempts);
      yield* until("the first has heard of the second", knowAll(first));
      yield* until("the second has heard of the first", knowAll(second));
      expect(first.figures()).toMatchObject(together);
      expect(second.figures()).toEqual(first.figures());
      const third = yield* openNode(server.url, "node-3");
      yield* until("a late comer knows what was said", knowAll(third));
      const shown = yield* Effect.provide(readHealth, layerConnected(server.url));
      expect(shown.nodes).toEqual(["node-1", "node-2"]);
      expect(shown.figures.get("alpha/default")).toEqual(first.figures());
    }),
  );

  it.effect("go by what they have seen themselves while NATS is away, and hear of the others again afterwards", () =>
    Effect.gen(function* () {
      const server = yield* NatsServer;
      yield* deploy(server.url);
      const { proxy, url } = yield* tcpProxy(server.port);
      const away = yield* openNode(url, "node-4");
      const other = yield* openNode(server.url, "node-5");
      const before = away.figures()?.attempts ?? 0;
      proxy.cut();
      away.see(approved, 2);
      expect(away.figures()?.attempts).toBe(before + 2);
      other.see(unknown, 5);
      yield* until(
        "it has heard of the other",
        Effect.sync(() => (away.figures()?.attempts ?? 0) >= before + 7),
      );
    }),
  );

  it.effect("do without the bucket of a deployment that was set up before there was one", () =>
    Effect.gen(function* () {
      const server = yield* NatsServer;
      yield* deploy(server.url);
      const outside = yield* Layer.build(layerConnected(server.url));
      const { manager } = Context.get(outside, Nats);
      const { addresses } = Context.get(outside, Deployment);
      yield* Effect.promise(() => manager.streams.delete(`KV_${addresses.buckets.health}`));
      const alone = yield* openNode(server.url, "node-6");
      alone.see(approved, 2);
      yield* Effect.sleep(1_500);
      expect(alone.figures()).toMatchObject({ attempts: 2, successes: 2 });
    }),
  );
});
