/** What the nodes of a cluster have said of the gateways' health: for people and scripts, never for a decision. */
import type { Figures } from "@aegispay/core/routing/LiveFigures";
import { Kvm } from "@nats-io/kv";
import { Effect, Option } from "effect";
import { Nats, natsRequest } from "../nats/NatsConnection.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { addNodes, figuresFrom, readNodeSums, type NodeSums } from "./ClusterFigures.ts";

/** By `liveKey`, over all nodes; `nodes`: those that have said anything within the last 30 s. */
export const readHealth = Effect.gen(function* () {
  const { connection } = yield* Nats;
  const { addresses } = yield* Deployment;
  return yield* natsRequest("reading the gateways' health", async () => {
    const bucket = await new Kvm(connection).open(addresses.buckets.health);
    const said = new Map<string, NodeSums>();
    for await (const node of await bucket.keys()) {
      const entry = await bucket.get(node);
      const sums = entry?.operation === "PUT" ? readNodeSums(entry.string()) : Option.none();
      if (Option.isSome(sums)) said.set(node, sums.value);
    }
    const figures = new Map<string, Figures>();
    for (const [key, sums] of addNodes([...said.values()])) figures.set(key, figuresFrom(sums));
    return { nodes: [...said.keys()].toSorted(), figures };
  });
});
