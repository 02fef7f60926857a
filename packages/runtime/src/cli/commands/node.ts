/** `aegispay node`: runtime nodes against a NATS that is there. */
import { layerFromConfig } from "@aegispay/gateways/GatewaysConfig";
import { Config, Effect } from "effect";
import { Command, Flag } from "effect/cli";
import { hostname } from "node:os";
import { layerNats, Nats } from "../../nats/NatsConnection.ts";
import { layerDeployment } from "../../nats/NatsTopology.ts";
import { restartOnHangUp } from "../../supervisor/hangUp.ts";
import { serveHealth } from "../../supervisor/HealthServer.ts";
import { makeWorkers } from "../../supervisor/Workers.ts";
import { receiveWebhooks } from "../../webhooks/receiveWebhooks.ts";
import { checkRoot, jsonFlag, natsAddress, natsFlags } from "../connection.ts";
import { gatewayFlags, readGateways } from "../gatewaysFile.ts";
import { printJson, printProgress, runUntilTold } from "../output.ts";
import { settingsOf } from "../settings.ts";

export const workersFlag = (workers: number) =>
  Flag.Int("workers").pipe(
    Flag.withDescription(`Worker processes; each is a node (default ${workers})`),
    Flag.filter(
      (given) => given >= 1 && given <= 64,
      () => "a whole number from 1 to 64",
    ),
    Flag.withDefault(workers),
  );

export const portFlag = (name: string, port: number, what: string) =>
  Flag.Int(name).pipe(
    Flag.withDescription(`Port of ${what}; 0 = any free one (default ${port})`),
    Flag.filter(
      (given) => given >= 0 && given <= 65_535,
      () => "a port from 0 to 65535",
    ),
  );

export const httpPortFlag = (port: number) =>
  portFlag("http-port", port, "/livez, /readyz, /metrics and /webhooks (AEGISPAY_HTTP_PORT)").pipe(
    Flag.withFallbackConfig(Config.Int("AEGISPAY_HTTP_PORT")),
    Flag.withDefault(port),
  );

export const natsServerFlag = Flag.String("nats-server").pipe(
  Flag.withDescription("Path of a nats-server binary (AEGISPAY_NATS_SERVER)"),
  Flag.withFallbackConfig(Config.String("AEGISPAY_NATS_SERVER")),
  Flag.withDefault("nats-server"),
);

/** It becomes part of the keys of buckets. */
export const isNodeId = (text: string): boolean => /^[A-Za-z0-9_-]{1,64}$/.test(text);
export const nodeIdRule = "1 to 64 characters of [A-Za-z0-9_-]";

export const nodeIdFlag = Flag.String("node-id").pipe(
  Flag.withDescription(
    "Prefix of the workers' ids, of its own for each node group (AEGISPAY_NODE_ID, default <host>-<pid>)",
  ),
  Flag.withFallbackConfig(Config.String("AEGISPAY_NODE_ID")),
  Flag.filter(isNodeId, () => nodeIdRule),
  Flag.withDefault(`${hostname().replaceAll(/[^A-Za-z0-9_-]/g, "-")}-${process.pid}`),
);

export const node = Command.make(
  "node",
  {
    ...natsFlags,
    ...gatewayFlags,
    workers: workersFlag(1),
    nodeId: nodeIdFlag,
    httpPort: httpPortFlag(0),
    httpHost: Flag.String("http-host").pipe(
      Flag.withDescription("Address to serve them on (AEGISPAY_HTTP_HOST, default 127.0.0.1); 0.0.0.0 for any"),
      Flag.withFallbackConfig(Config.String("AEGISPAY_HTTP_HOST")),
      Flag.withDefault("127.0.0.1"),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* (flags) {
    yield* checkRoot(flags.root);
    const settings = yield* settingsOf(flags.nodeId, flags.root);
    const gateways = yield* readGateways(flags.gateways, flags.simulatorUrl);
    const nats = natsAddress(flags, `${flags.nodeId}-primary`);
    const run = Effect.gen(function* () {
      // Fails here, with one clear error, where there is no deployment, and not in every worker.
      yield* Effect.provide(Effect.void, layerDeployment(flags.root));
      const { isConnected } = yield* Nats;
      const workers = yield* makeWorkers({ count: flags.workers, node: { nats, settings, gateways } });
      // Before the workers: whoever waits for them to be ready asks here.
      const webhooks = yield* receiveWebhooks(flags.root, layerFromConfig(gateways));
      const http = yield* serveHealth(
        { host: flags.httpHost, port: flags.httpPort },
        { workers, isConnected, webhooks },
      );
      yield* restartOnHangUp(workers);
      yield* printProgress(`health ${http}/readyz; starting ${flags.workers} worker(s)`);
      const serve = Effect.gen(function* () {
        yield* workers.start;
        const who = workers.list();
        yield* flags.json
          ? printJson({ ready: true, nats: flags.natsUrl, http, workers: who })
          : printProgress(`ready: ${who.map((worker) => `${worker.node} (pid ${worker.pid})`).join(", ")}`);
        return yield* runUntilTold;
      });
      return yield* Effect.raceFirst(serve, workers.failed);
    });
    return yield* run.pipe(Effect.scoped, Effect.provide(layerNats(nats)));
  }),
).pipe(Command.withDescription("Run nodes against a NATS that is there"));
