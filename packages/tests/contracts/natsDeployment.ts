/** A deployment set up on a nats-server, and connections to it that are as separate as two nodes'. */
import { defaultSettings, Settings, type RuntimeSettings } from "@aegispay/runtime/config/RuntimeSettings";
import { layerNatsEventLog } from "@aegispay/runtime/log/NatsEventLog";
import { EventLog } from "@aegispay/runtime/log/EventLog";
import { layerNats, Nats } from "@aegispay/runtime/nats/NatsConnection";
import { Deployment, layerDeployment, setUp } from "@aegispay/runtime/nats/NatsTopology";
import type { Msg, NatsConnection } from "@nats-io/nats-core";
import { Context, Effect, Layer } from "effect";

export const shards = 2;
const root = defaultSettings.root;

/** Creates the streams and buckets. */
export const deploy = (url: string, leaseTtlMillis = defaultSettings.leaseTtlMillis) =>
  setUp({ root, shards, replicas: 1, leaseTtlMillis }).pipe(
    Effect.provide(layerNats({ url, name: "set-up" })),
    Effect.orDie,
  );

/** A short wait for a lost answer, so that tests which lose some are quick. */
const testSettings: RuntimeSettings = { ...defaultSettings, appendTimeoutMillis: 500, lossConfirmMillis: 300 };

/** One node's connection, with what it reads of the deployment. */
export const layerConnected = (url: string, changes: Partial<RuntimeSettings> = {}) =>
  Layer.provideMerge(layerDeployment(root), layerNats({ url, name: "test" })).pipe(
    Layer.merge(Layer.succeed(Settings, { ...testSettings, ...changes })),
    Layer.orDie,
  );

/**
 * An event log with a connection of its own: a writer as separate from others as another node. Its batches begin at two
 * commits, so that little load is enough to try them.
 */
export const openEventLog = (url: string, changes: Partial<RuntimeSettings> = {}) =>
  Effect.map(
    Layer.build(Layer.provideMerge(layerNatsEventLog, layerConnected(url, { batchFromCommits: 2, ...changes }))),
    (context) => ({
      log: Context.get(context, EventLog),
      nats: Context.get(context, Nats),
      addresses: Context.get(context, Deployment).addresses,
    }),
  );

/** Everything published under a pattern from now on, as a plain subscriber sees it. */
export const observe = (connection: NatsConnection, pattern: string) =>
  Effect.promise(async () => {
    const seen: Array<Msg> = [];
    connection.subscribe(pattern, { callback: (_error, message) => void seen.push(message) });
    await connection.flush();
    return seen;
  });
