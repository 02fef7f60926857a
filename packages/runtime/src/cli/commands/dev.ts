/** `aegispay dev`: all in one, as `npm start`: nats-server, simulator, workers, health, and the demonstration. */
import { startSimulator } from "@aegispay/gateways/simulator/SimulatorServer";
import { Config, Effect } from "effect";
import { Command, Flag } from "effect/cli";
import { join } from "node:path";
import { layerAegisClientOnNats } from "../../client/AegisClient.ts";
import { demonstrate, type DemonstrationResult } from "../../demonstration/Demonstration.ts";
import { layerNats, Nats } from "../../nats/NatsConnection.ts";
import { setUp } from "../../nats/NatsTopology.ts";
import { lockDataDir } from "../../supervisor/dataDirLock.ts";
import { serveHealth } from "../../supervisor/HealthServer.ts";
import { claimPort, startNatsServer } from "../../supervisor/NatsServerProcess.ts";
import { startWorkers } from "../../supervisor/Workers.ts";
import { checkRoot, jsonFlag, rootFlag } from "../connection.ts";
import { colour, FailedQuietly, printJson, printProgress, printResult, runUntilTold, table } from "../output.ts";
import { settingsOf } from "../settings.ts";
import { workersFlag } from "./node.ts";
import { nameFlag } from "./simulator.ts";

const demonstrationPayments = 500;
const shards = 16;

const portFlag = (name: string, port: number, what: string) =>
  Flag.Int(name).pipe(
    Flag.withDescription(`Port of ${what}; 0 = any free one (default ${port})`),
    Flag.filter(
      (given) => given >= 0 && given <= 65_535,
      () => "a port from 0 to 65535",
    ),
  );

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
    httpPort: portFlag("http-port", 8080, "/livez and /readyz (AEGISPAY_HTTP_PORT)").pipe(
      Flag.withFallbackConfig(Config.Int("AEGISPAY_HTTP_PORT")),
      Flag.withDefault(8080),
    ),
    simulatorPort: portFlag("simulator-port", 8081, "the gateway simulator").pipe(Flag.withDefault(8081)),
    workers: workersFlag,
    dataDir: Flag.String("data-dir").pipe(
      Flag.withDescription("Folder of all data (default .aegispay)"),
      Flag.withDefault(".aegispay"),
    ),
    natsServer: Flag.String("nats-server").pipe(
      Flag.withDescription("Path of a nats-server binary (AEGISPAY_NATS_SERVER)"),
      Flag.withFallbackConfig(Config.String("AEGISPAY_NATS_SERVER")),
      Flag.withDefault("nats-server"),
    ),
    root: rootFlag,
    nodeId: Flag.String("node-id").pipe(
      Flag.withDescription("Prefix of the workers' ids (AEGISPAY_NODE_ID, default node)"),
      Flag.withFallbackConfig(Config.String("AEGISPAY_NODE_ID")),
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
        const httpPort = yield* claimPort(flags.httpPort, "--http-port");
        yield* printProgress(
          `nats-server ${url}, gateway simulator ${simulator.url}; starting ${flags.workers} worker(s)`,
        );
        const workers = yield* startWorkers({
          count: flags.workers,
          node: {
            nats: { url, name: "aegispay" },
            settings,
            gateways: { gateways: [{ name: "simulator", type: "simulator", url: simulator.url }] },
          },
        });
        // A predecessor that was killed leaves leases behind: until they expire nothing would be taken.
        while (workers.served() < shards) yield* Effect.sleep(50);
        const { isConnected } = yield* Nats;
        yield* serveHealth(httpPort, { workers, isConnected });
        const http = `http://127.0.0.1:${httpPort}`;
        const where = {
          ready: true,
          nats: url,
          http,
          simulator: simulator.url,
          workers: workers.list(),
          natsPid: natsPid(),
        };
        const listening = `ready: NATS ${url}, health ${http}/readyz, simulator ${simulator.url}, data in ${dataDir}`;
        yield* flags.json ? printJson(where) : printResult(listening);
        if (!flags.noDemo) {
          const result = yield* demonstrate({
            payments: demonstrationPayments,
            simulator: simulator.url,
            workers,
            onProgress: (text) => printProgress(text),
          });
          yield* flags.json ? printJson({ demonstration: result }) : printResult(`\n${showResult(result)}\n`);
          if (flags.exit) return result.right ? undefined : yield* new FailedQuietly();
        } else if (flags.exit) return undefined;
        if (!flags.json) yield* printResult(`${listening}; Ctrl-C ends it`);
        return yield* runUntilTold;
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
