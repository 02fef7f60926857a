/** `aegispay dev`: all in one, as `npm start`: nats-server, simulator, workers, health, and the demonstration. */
import { layerFromConfig, type GatewaysConfig } from "@aegispay/gateways/GatewaysConfig";
import { startSimulator } from "@aegispay/gateways/simulator/SimulatorServer";
import { Config, ConfigProvider, Effect } from "effect";
import { Command, Flag } from "effect/cli";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { layerAegisClientOnNats } from "../../client/AegisClient.ts";
import { demonstrate, type DemonstrationResult } from "../../demonstration/Demonstration.ts";
import { layerNats, Nats } from "../../nats/NatsConnection.ts";
import { setUp } from "../../nats/NatsTopology.ts";
import { lockDataDir } from "../../supervisor/dataDirLock.ts";
import { restartOnHangUp } from "../../supervisor/hangUp.ts";
import { serveHealth } from "../../supervisor/HealthServer.ts";
import { startNatsServer } from "../../supervisor/NatsServerProcess.ts";
import { makeWorkers } from "../../supervisor/Workers.ts";
import { receiveWebhooks } from "../../webhooks/receiveWebhooks.ts";
import { checkRoot, jsonFlag, rootFlag } from "../connection.ts";
import { colour, FailedQuietly, printJson, printProgress, printResult, runUntilTold, table } from "../output.ts";
import { settingsOf } from "../settings.ts";
import { httpPortFlag, isNodeId, natsServerFlag, nodeIdRule, portFlag, workersFlag } from "./node.ts";
import { nameFlag } from "./simulator.ts";

const demonstrationPayments = 500;
const shards = 16;
const webhookSecretVariable = "AEGISPAY_SIMULATOR_WEBHOOK_SECRET";

const showResult = (result: DemonstrationResult): string => {
  const rows = result.fates.map((line) =>
    [line.payments, line.asExpected, line.chargedOnce, line.notCharged, line.chargedTwice, line.inFlight].map(String),
  );
  const lines = rows.map((cells, index) => [result.fates[index]!.fate, ...cells]);
  const verdict = result.right
    ? colour.green("every payment ended as it must, each charged at most once, none lost", process.stdout)
    : colour.red("NOT as it must be: see the table", process.stdout);
  return [
    table(["fate", "payments", "as expected", "charged once", "not charged", "charged twice", "in flight"], lines),
    "",
    table(
      ["payments", "charged once", "in flight", "node kills", "p50 ms", "p99 ms"],
      [
        [result.payments, result.chargedOnce, result.inFlight, result.kills, result.p50Millis, result.p99Millis].map(
          String,
        ),
      ],
    ),
    "",
    `judged by the gateway's ledger: ${verdict}`,
  ].join("\n");
};

export const dev = Command.make(
  "dev",
  {
    natsPort: portFlag("nats-port", 4222, "the embedded nats-server").pipe(Flag.withDefault(4222)),
    httpPort: httpPortFlag(8080),
    simulatorPort: portFlag("simulator-port", 8081, "the gateway simulator").pipe(Flag.withDefault(8081)),
    workers: workersFlag(2),
    dataDir: Flag.String("data-dir").pipe(
      Flag.withDescription("Folder of all data (default .aegispay)"),
      Flag.withDefault(".aegispay"),
    ),
    natsServer: natsServerFlag,
    root: rootFlag,
    nodeId: Flag.String("node-id").pipe(
      Flag.withDescription("Prefix of the workers' ids (AEGISPAY_NODE_ID, default node)"),
      Flag.withFallbackConfig(Config.String("AEGISPAY_NODE_ID")),
      Flag.filter(isNodeId, () => nodeIdRule),
      Flag.withDefault("node"),
    ),
    noDemo: Flag.Boolean("no-demo").pipe(Flag.withDescription("Leave the demonstration out"), Flag.withDefault(false)),
    exit: Flag.Boolean("exit").pipe(
      Flag.withDescription("End after the demonstration; exit 0 only if all of it was right"),
      Flag.withDefault(false),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* (flags) {
    yield* checkRoot(flags.root);
    const settings = yield* settingsOf(flags.nodeId, flags.root);
    const { dataDir, root } = flags;

    const withNats = (url: string, natsPid: () => number) =>
      Effect.gen(function* () {
        yield* setUp({ root, shards, replicas: 1, leaseTtlMillis: settings.leaseTtlMillis });
        const simulator = yield* startSimulator({
          port: flags.simulatorPort,
          dataDir: join(dataDir, "simulator"),
        }).pipe(Effect.mapError(nameFlag("--simulator-port")));
        const { isConnected } = yield* Nats;
        // Of this run alone: workers find it where every gateway's secrets are, in their environment.
        const webhookSecret = `whsec_${randomBytes(24).toString("base64")}`;
        process.env[webhookSecretVariable] = webhookSecret;
        const gateways: GatewaysConfig = {
          gateways: [
            {
              name: "simulator",
              type: "simulator",
              url: simulator.url,
              webhookSecret: { env: webhookSecretVariable },
            },
          ],
        };
        const workers = yield* makeWorkers({
          count: flags.workers,
          node: {
            nats: { url, name: "aegispay" },
            settings,
            gateways,
          },
        });
        // The environment was read before the secret was in it.
        const webhooks = yield* receiveWebhooks(root, layerFromConfig(gateways)).pipe(
          Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv()),
        );
        const http = yield* serveHealth(
          { host: "127.0.0.1", port: flags.httpPort },
          { workers, isConnected, webhooks },
        );
        // After the demonstration: what that measures are payments, and webhooks are as many durable writes beside them.
        const tellOfCharges = Effect.sync(() =>
          simulator.sendWebhooksTo({ url: `${http}/webhooks/simulator`, secret: webhookSecret }),
        );
        yield* restartOnHangUp(workers);
        yield* printProgress(
          `nats-server ${url}, gateway simulator ${simulator.url}, health ${http}/readyz; starting ${flags.workers} worker(s)`,
        );
        const where = { nats: url, http, simulator: simulator.url };
        const listening = `ready: NATS ${url}, health ${http}/readyz, simulator ${simulator.url}, data in ${dataDir}, primary ${process.pid}`;

        const serve = Effect.gen(function* () {
          if (flags.noDemo) yield* tellOfCharges;
          yield* workers.start;
          // A predecessor that was killed leaves leases behind: until they expire nothing would be taken.
          while (workers.served() < shards) yield* Effect.sleep(50);
          yield* flags.json
            ? printJson({ ready: true, ...where, workers: workers.list(), natsPid: natsPid() })
            : printResult(listening);
          if (!flags.noDemo) {
            const result = yield* demonstrate({
              payments: demonstrationPayments,
              simulator: simulator.url,
              workers,
              onProgress: (text) => printProgress(text),
            });
            yield* flags.json ? printJson({ demonstration: result }) : printResult(`\n${showResult(result)}\n`);
            if (flags.exit) return result.right ? undefined : yield* new FailedQuietly();
            yield* tellOfCharges;
          } else if (flags.exit) return undefined;
          if (!flags.json) yield* printResult(flags.noDemo ? "Ctrl-C ends it" : `${listening}; Ctrl-C ends it`);
          return yield* runUntilTold;
        });
        return yield* Effect.raceFirst(serve, workers.failed);
      }).pipe(
        Effect.scoped,
        Effect.provide(layerAegisClientOnNats(root)),
        Effect.provide(layerNats({ url, name: "aegispay-primary" })),
      );

    const all = Effect.gen(function* () {
      yield* lockDataDir(dataDir);
      const server = yield* startNatsServer({
        binary: flags.natsServer,
        port: flags.natsPort,
        dataDir,
        portFlag: "--nats-port",
      });
      return yield* withNats(server.url, server.pid);
    });
    return yield* Effect.scoped(all);
  }),
).pipe(Command.withDescription("Run everything on this machine, with a demonstration"));
