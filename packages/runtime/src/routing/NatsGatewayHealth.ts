/**
 * The gateways' health over the whole cluster: each node tells the others about once a second what it has seen, in the bucket
 * `payments_health`, whose entries live for 30 s. They are heard as what they are, messages on the bucket's subjects; a node
 * that hears nothing, since NATS or the bucket is away, goes on by what it has seen itself.
 */
import { Kvm } from "@nats-io/kv";
import { Effect, Layer, Option } from "effect";
import { metric, set } from "../metrics/Metrics.ts";
import { Nats, natsRequest } from "../nats/NatsConnection.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { Leases } from "../shard/Leases.ts";
import { readNodeSums, type ClusterFigures } from "./ClusterFigures.ts";
import { GatewayHealth, makeHealth } from "./GatewayHealth.ts";

/** Between two announcements of a node that has seen something new, in milliseconds. */
const tellMillis = 1_000;
/** After this a node that has seen nothing new tells it again, so that its entry does not run out. */
const tellAgainMillis = 10_000;

/** Gauges of each gateway, for whoever watches. */
const show = (cluster: ClusterFigures, nowMillis: number): void => {
  for (const [key, { score, attempts, successes, latencyMillis }] of cluster.figures(nowMillis)) {
    set(metric.gatewayHealthScore(key), score);
    if (attempts > 0) set(metric.gatewaySuccessRate(key), successes / attempts);
    if (latencyMillis !== undefined) set(metric.gatewayLatencySeconds(key), latencyMillis / 1_000);
  }
};

const make = Effect.gen(function* () {
  const { connection } = yield* Nats;
  const { addresses } = yield* Deployment;
  const { me } = yield* Leases;
  const { health, cluster, nowMillis } = yield* makeHealth;
  const name = addresses.buckets.health;
  const subjectPrefix = `$KV.${name}.`;

  const hear = (node: string, operation: string | undefined, text: string): void => {
    if (node === me.node) return;
    const sums = operation === undefined ? readNodeSums(text) : Option.none();
    if (Option.isSome(sums)) cluster.hear(nowMillis(), node, sums.value);
    else cluster.forget(node);
  };
  yield* Effect.acquireRelease(
    Effect.sync(() =>
      connection.subscribe(`${subjectPrefix}*`, {
        callback: (error, message) => {
          if (error !== null) return;
          const operation = message.headers?.get("KV-Operation") || undefined;
          hear(message.subject.slice(subjectPrefix.length), operation, message.string());
        },
      }),
    ),
    (subscription) => Effect.sync(() => subscription.unsubscribe()),
  );

  const openBucket = natsRequest("opening the bucket of the gateways' health", () => new Kvm(connection).open(name));
  /** What was said before this node listened. */
  const readAll = Effect.flatMap(openBucket, (bucket) =>
    natsRequest("reading the gateways' health", async () => {
      for await (const node of await bucket.keys()) {
        const entry = await bucket.get(node);
        if (entry?.operation === "PUT") hear(node, undefined, entry.string());
      }
    }),
  );
  let told = "{}";
  let toldAtMillis = nowMillis();
  const tell = Effect.suspend(() => {
    show(cluster, nowMillis());
    const text = JSON.stringify(cluster.own(nowMillis()));
    const isKnown = text === told && (text === "{}" || nowMillis() - toldAtMillis < tellAgainMillis);
    if (isKnown) return Effect.void;
    return Effect.flatMap(openBucket, (bucket) =>
      natsRequest("telling the gateways' health", async () => {
        await bucket.put(me.node, text);
        told = text;
        toldAtMillis = nowMillis();
      }),
    );
  });
  const warn = ({ message }: { readonly message: string }) =>
    Effect.logWarning(
      `each node goes by what it has seen of the gateways itself: ${message}; is \`setup\` to be run again?`,
    );
  yield* Effect.forkScoped(Effect.catch(readAll, warn));
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(tellMillis), Effect.ignore(tell))));
  return health;
});

export const layerNatsGatewayHealth = Layer.effect(GatewayHealth, make);
