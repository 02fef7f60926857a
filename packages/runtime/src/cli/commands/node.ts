/** `aegispay node`: runtime nodes against a NATS that is there. */
import { Config, Effect } from "effect";
import { Command, Flag } from "effect/cli";
import { hostname } from "node:os";
import { layerNats } from "../../nats/NatsConnection.ts";
import { layerDeployment } from "../../nats/NatsTopology.ts";
import { startWorkers } from "../../supervisor/Workers.ts";
import { checkRoot, jsonFlag, natsAddress, natsFlags } from "../connection.ts";
import { gatewayFlags, readGateways } from "../gatewaysFile.ts";
import { printJson, printProgress, runUntilTold } from "../output.ts";
import { settingsOf } from "../settings.ts";

export const workersFlag = Flag.Int("workers").pipe(
  Flag.withDescription("Worker processes; each is a node (default 1)"),
  Flag.filter(
    (workers) => workers >= 1 && workers <= 64,
    () => "a whole number from 1 to 64",
  ),
  Flag.withDefault(1),
);

export const nodeIdFlag = Flag.String("node-id").pipe(
  Flag.withDescription(
    "Prefix of the workers' ids, of its own for each node group (AEGISPAY_NODE_ID, default <host>-<pid>)",
  ),
  Flag.withFallbackConfig(Config.String("AEGISPAY_NODE_ID")),
  Flag.withDefault(`${hostname().replaceAll(/[^A-Za-z0-9_-]/g, "-")}-${process.pid}`),
);

export const node = Command.make(
  "node",
  { ...natsFlags, ...gatewayFlags, workers: workersFlag, nodeId: nodeIdFlag, json: jsonFlag },
  Effect.fnUntraced(function* (flags) {
    yield* checkRoot(flags.root);
    const settings = yield* settingsOf(flags.nodeId, flags.root);
    const gateways = yield* readGateways(flags.gateways, flags.simulatorUrl);
    const nats = natsAddress(flags, `${flags.nodeId}-primary`);
    const run = Effect.gen(function* () {
      // Fails here, with one clear error, where there is no deployment, and not in every worker.
      yield* Effect.provide(Effect.void, layerDeployment(flags.root));
      const workers = yield* startWorkers({ count: flags.workers, node: { nats, settings, gateways } });
      if (flags.json) yield* printJson({ ready: true, nats: flags.natsUrl, workers: workers.list() });
      else
        yield* printProgress(
          `ready: ${workers
            .list()
            .map((worker) => `${worker.node} (pid ${worker.pid})`)
            .join(", ")}`,
        );
      return yield* runUntilTold;
    });
    return yield* run.pipe(Effect.scoped, Effect.provide(layerNats(nats)));
  }),
).pipe(Command.withDescription("Run nodes against a NATS that is there"));
