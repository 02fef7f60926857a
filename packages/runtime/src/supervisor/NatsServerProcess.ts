/**
 * An embedded nats-server for development: every commit on disk before it is acknowledged (`sync_interval: always`), its
 * data in a folder of the project, respawned when it ends. A server that a killed primary left behind on the same data
 * is ended first.
 */
import { Data, Deferred, Effect, Exit, Scope } from "effect";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, connect as connectTcp } from "node:net";
import { join } from "node:path";

export class NatsServerFailed extends Data.TaggedError("NatsServerFailed")<{ readonly message: string }> {}

export interface NatsServerOptions {
  /** Path of the binary. */
  readonly binary: string;
  /** 0: any free one. */
  readonly port: number;
  readonly dataDir: string;
  /** The flag an error names when the port is taken. */
  readonly portFlag: string;
  /** `default`: the server's own, every two minutes; only to be measured against. */
  readonly sync?: "always" | "default";
  /** Its place in a cluster; without it the server stands alone. */
  readonly cluster?: {
    readonly name: string;
    /** Of its own in the cluster. */
    readonly serverName: string;
    readonly port: number;
    /** Ports of all its servers, this one's too. */
    readonly ports: ReadonlyArray<number>;
  };
}

const startTimeoutMillis = 20_000;
const respawnMillis = 200;

/**
 * For `sh -c`, then a server and its arguments: runs it until it ends by itself or standard input is closed, which also
 * the death of this process does, however it dies: a server that nobody looks after would keep its port and its data.
 */
export const tiedToParent = `
  exec 3<&0
  "$0" "$@" 3<&- &
  server=$!
  (read -r line <&3; kill -TERM "$server" 2>/dev/null) &
  wait "$server"
`
  .split("\n")
  .map((line) => line.trim())
  .join("\n");

/** Whether a port can be listened on; 0 answers a free one. */
export const claimPort = (port: number, flag: string): Effect.Effect<number, NatsServerFailed> =>
  Effect.callback((resume) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) =>
      resume(
        Effect.fail(
          new NatsServerFailed({
            message:
              error.code === "EADDRINUSE"
                ? `port ${port} is taken: choose another with ${flag} (0 takes any free one)`
                : `port ${port} cannot be used (${error.message}): choose another with ${flag}`,
          }),
        ),
      ),
    );
    probe.listen(port, "127.0.0.1", () => {
      const address = probe.address();
      const free = typeof address === "object" && address !== null ? address.port : port;
      probe.close(() => resume(Effect.succeed(free)));
    });
  });

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connectTcp({ host: "127.0.0.1", port });
    // The server greets with INFO once it is up.
    socket.once("data", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
    socket.setTimeout(500, () => {
      socket.destroy();
      resolve(false);
    });
  });

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Ends the server whose pid the data folder remembers, if that process still runs on this very folder. */
const endLeftBehind = Effect.fnUntraced(function* (pidFile: string, configFile: string) {
  const pid = Number(readOr(pidFile, ""));
  if (!Number.isInteger(pid) || pid <= 1 || !isAlive(pid)) return;
  if (!readOr(`/proc/${pid}/cmdline`, "").includes(configFile)) return;
  process.kill(pid, "SIGTERM");
  for (let tries = 0; tries < 100 && isAlive(pid); tries++) yield* Effect.sleep(50);
});

const readOr = (file: string, otherwise: string): string => {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return otherwise;
  }
};

const clusterConfig = (cluster: NatsServerOptions["cluster"]): ReadonlyArray<string> => {
  if (cluster === undefined) return [];
  const routes = cluster.ports.map((port) => JSON.stringify(`nats://127.0.0.1:${port}`));
  return [
    `server_name: ${JSON.stringify(cluster.serverName)}`,
    `cluster { name: ${JSON.stringify(cluster.name)}, listen: "127.0.0.1:${cluster.port}", routes: [${routes.join(", ")}] }`,
  ];
};

/** Starts the server and keeps it alive until the scope closes; done when it takes connections. */
export const startNatsServer = Effect.fnUntraced(function* (options: NatsServerOptions) {
  const folder = join(options.dataDir, "nats");
  mkdirSync(folder, { recursive: true });
  const configFile = join(folder, "server.conf");
  const pidFile = join(folder, "server.pid");
  yield* endLeftBehind(pidFile, configFile);
  const port = yield* claimPort(options.port, options.portFlag);
  const sync = options.sync === "default" ? "" : ", sync_interval: always";
  const config = [
    `listen: "127.0.0.1:${port}"`,
    `jetstream { store_dir: ${JSON.stringify(join(folder, "jetstream"))}${sync} }`,
    `max_payload: 1MB`,
    `logfile: ${JSON.stringify(join(folder, "server.log"))}`,
    `pid_file: ${JSON.stringify(pidFile)}`,
    ...clusterConfig(options.cluster),
  ];
  writeFileSync(configFile, `${config.join("\n")}\n`);

  let stopping = false;
  const live = Effect.callback<string>((resume) => {
    // A group of its own: Ctrl-C in a terminal must reach it only after the workers have drained.
    const child: ChildProcess = spawn("sh", ["-c", tiedToParent, options.binary, "-c", configFile], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    child.stdin?.on("error", () => undefined);
    child.once("error", (error) => resume(Effect.succeed(error.message)));
    child.once("exit", (code, signal) => {
      child.stdin?.destroy();
      resume(Effect.succeed(String(signal ?? code)));
    });
    return Effect.callback<void>((ended) => {
      if (child.exitCode !== null || child.signalCode !== null) return ended(Effect.void);
      child.once("exit", () => ended(Effect.void));
      child.stdin?.destroy();
    });
  });
  const failed = yield* Deferred.make<never, NatsServerFailed>();
  let ready = false;
  const keepAlive = Effect.gen(function* () {
    for (;;) {
      const reason = yield* live;
      if (stopping) return;
      if (!ready) {
        const message = ["126", "127"].includes(reason)
          ? `${options.binary} cannot be run: name a nats-server with --nats-server or AEGISPAY_NATS_SERVER`
          : `${options.binary} ended with ${reason}: see ${join(folder, "server.log")}`;
        return yield* Deferred.fail(failed, new NatsServerFailed({ message }));
      }
      yield* Effect.logWarning(`nats-server ended with ${reason}, it starts again`);
      yield* Effect.sleep(respawnMillis);
    }
  });
  const loop = yield* Scope.make();
  yield* Effect.addFinalizer(() =>
    Effect.gen(function* () {
      stopping = true;
      yield* Scope.close(loop, Exit.void);
      rmSync(pidFile, { force: true });
    }),
  );
  yield* Effect.forkIn(keepAlive, loop);

  const becomesReady = Effect.gen(function* () {
    while (!(yield* Effect.promise(() => accepts(port)))) yield* Effect.sleep(50);
  });
  yield* becomesReady.pipe(
    Effect.timeoutOrElse({
      duration: startTimeoutMillis,
      orElse: () =>
        Effect.fail(
          new NatsServerFailed({ message: `nats-server takes no connections: see ${join(folder, "server.log")}` }),
        ),
    }),
    Effect.raceFirst(Deferred.await(failed)),
  );
  ready = true;
  return { url: `nats://127.0.0.1:${port}`, pid: () => Number(readOr(pidFile, "0")) };
});
