/**
 * What a measurement stands on: a nats-server of its own, or a cluster of three on this machine, in a scratch folder, with
 * the streams of a deployment. All of it ends with the measurement.
 */
import { Effect, Schedule, type Scope } from "effect";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultSettings } from "../config/RuntimeSettings.ts";
import type { Nats } from "../nats/NatsConnection.ts";
import { layerNats } from "../nats/NatsConnection.ts";
import { setUp } from "../nats/NatsTopology.ts";
import { claimPort, startNatsServer } from "../supervisor/NatsServerProcess.ts";
import { benchRoot, benchShards, type Sync } from "./settings.ts";

export interface ServersOptions {
  /** Path of the nats-server binary. */
  readonly binary: string;
  readonly dataDir: string;
  readonly sync: Sync;
  /** As many servers as copies of a stream. */
  readonly replicas: number;
}

export interface BenchServers {
  /** All of them, with commas between. */
  readonly url: string;
  readonly pids: () => ReadonlyArray<number>;
}

/** A cluster agrees on its leader before it makes streams: how long that may take, in milliseconds. */
const readyTimeoutMillis = 30_000;
const portFlag = "--nats-server";

export const scratchFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "aegispay-bench-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true })),
);

/** A port is free again as soon as it has been looked at, so the next look may find the same one. */
const distinctPorts = Effect.fnUntraced(function* (count: number) {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(yield* claimPort(0, portFlag));
  return [...ports];
});

const startServers = Effect.fnUntraced(function* ({ binary, dataDir, sync, replicas }: ServersOptions) {
  const common = { binary, port: 0, portFlag, sync };
  if (replicas === 1) {
    const alone = yield* startNatsServer({ ...common, dataDir });
    return { url: alone.url, pids: () => [alone.pid()] } as BenchServers;
  }
  const ports = yield* distinctPorts(replicas);
  const servers = yield* Effect.forEach(
    ports,
    (port, index) => {
      const serverName = `bench-${index + 1}`;
      const cluster = { name: "bench", serverName, port, ports };
      return startNatsServer({ ...common, dataDir: join(dataDir, serverName), cluster });
    },
    { concurrency: "unbounded" },
  );
  return { url: servers.map(({ url }) => url).join(","), pids: () => servers.map((server) => server.pid()) };
});

const setUpWhenReady = (replicas: number) =>
  setUp({ root: benchRoot, shards: benchShards, replicas, leaseTtlMillis: defaultSettings.leaseTtlMillis }).pipe(
    Effect.retry({ schedule: Schedule.spaced(200), while: ({ _tag }) => _tag === "NatsRequestFailed" }),
    Effect.timeout(readyTimeoutMillis),
  );

/** Starts the servers, makes the streams or finds them there, and ends what was started when `use` has ended. */
export const onServers = <A, E, R>(
  options: ServersOptions,
  use: (servers: BenchServers) => Effect.Effect<A, E, R | Nats | Scope.Scope>,
) =>
  Effect.gen(function* () {
    const servers = yield* startServers(options);
    return yield* Effect.andThen(setUpWhenReady(options.replicas), use(servers)).pipe(
      Effect.scoped,
      Effect.provide(layerNats({ url: servers.url, name: "bench-load" })),
    );
  }).pipe(Effect.scoped);
