/**
 * A primary like `aegispay node`, but with workers of another entry: the file of this folder that `AEGISPAY_TEST_ENTRY`
 * names. `AEGISPAY_TEST_RESPAWN_LIMIT` changes after how many ends in a row it gives up.
 */
import { defaultSettings } from "@aegispay/runtime/config/RuntimeSettings";
import { readSettings } from "@aegispay/runtime/config/readSettings";
import { layerNats, Nats } from "@aegispay/runtime/nats/NatsConnection";
import { serveHealth } from "@aegispay/runtime/supervisor/HealthServer";
import { makeWorkers } from "@aegispay/runtime/supervisor/Workers";
import * as NodeRuntime from "@effect/platform-node/NodeRuntime";
import { Effect, Logger } from "effect";

const env = (name: string): string => process.env[name]!;
const limit = process.env["AEGISPAY_TEST_RESPAWN_LIMIT"];
const nats = { url: env("AEGISPAY_NATS_URL"), name: "other-primary" };

const program = Effect.gen(function* () {
  const given = { nodeId: env("AEGISPAY_NODE_ID"), root: defaultSettings.root };
  const settings = yield* readSettings(given, process.env["AEGISPAY_SETTINGS"]);
  const simulator = { name: "simulator", type: "simulator", url: env("AEGISPAY_TEST_SIMULATOR") } as const;
  const workers = yield* makeWorkers({
    count: Number(env("AEGISPAY_TEST_WORKERS")),
    entry: new URL(`./${env("AEGISPAY_TEST_ENTRY")}`, import.meta.url),
    ...(limit === undefined ? {} : { respawnLimit: Number(limit) }),
    node: { nats, settings, gateways: { gateways: [simulator] } },
  });
  const { isConnected } = yield* Nats;
  const http = yield* serveHealth({ host: "127.0.0.1", port: 0 }, { workers, isConnected });
  const serve = Effect.gen(function* () {
    yield* workers.start;
    process.stdout.write(`${JSON.stringify({ ready: true, http })}\n`);
    return yield* Effect.never;
  });
  return yield* Effect.raceFirst(serve, workers.failed);
}).pipe(
  Effect.scoped,
  Effect.provide(layerNats(nats)),
  Effect.tapCause((cause) => Effect.logError(cause)),
  Effect.provideService(Logger.LogToStderr, true),
);

NodeRuntime.runMain(program, { disableErrorReporting: true });
