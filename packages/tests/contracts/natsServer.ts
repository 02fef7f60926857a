/**
 * A real nats-server for one test file: a free port, a scratch folder, every write on disk before it is acknowledged. It
 * can be killed and started again on the same port and data. Ended by its own process handle, never by name.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { cp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Context, Effect, Layer, type Scope } from "effect";

const startTimeoutMillis = 20_000;

interface Running {
  readonly child: ChildProcess;
  readonly port: number;
  readonly ended: Promise<void>;
}

/** Starts it and waits until it says that it is ready. Port -1: the server takes a free one and says which. */
const launch = async (folder: string, port: number): Promise<Running> => {
  const configFile = join(folder, "server.conf");
  const storeDir = JSON.stringify(join(folder, "jetstream"));
  await writeFile(
    configFile,
    `listen: "127.0.0.1:${port}"\njetstream { store_dir: ${storeDir}, sync_interval: always }\nmax_payload: 1MB\n`,
  );
  const child = spawn(process.env["AEGISPAY_NATS_SERVER"] ?? "nats-server", ["-c", configFile], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
  const said: Array<string> = [];
  const ready = new Promise<number>((resolve, reject) => {
    let listening = port;
    const failed = (why: string) => reject(new Error(`nats-server ${why}:\n${said.slice(-20).join("\n")}`));
    const timer = setTimeout(() => failed("is not ready in time"), startTimeoutMillis);
    child.once("error", (error) => failed(error.message));
    void ended.then(() => failed("ended before it was ready"));
    createInterface({ input: child.stderr! }).on("line", (line) => {
      if (said.length < 1_000) said.push(line);
      const named = /Listening for client connections on .*:(\d+)$/.exec(line);
      if (named !== null) listening = Number(named[1]);
      if (!line.endsWith("Server is ready")) return;
      clearTimeout(timer);
      resolve(listening);
    });
  });
  try {
    return { child, port: await ready, ended };
  } catch (error) {
    child.kill("SIGKILL");
    await ended;
    throw error;
  }
};

export class NatsServer extends Context.Service<
  NatsServer,
  {
    readonly url: string;
    readonly port: number;
    /** SIGKILL; done when the process has gone. */
    readonly kill: Effect.Effect<void>;
    /** Starts it again where it was: same port, same data. Done when it is ready. */
    readonly startAgain: Effect.Effect<void>;
    /** Of a server that is not running: keeps a copy of its data, and puts the latest copy back. */
    readonly backUp: Effect.Effect<void>;
    readonly restore: Effect.Effect<void>;
  }
>()("@aegispay/tests/NatsServer") {}

const make: Effect.Effect<NatsServer["Service"], never, Scope.Scope> = Effect.gen(function* () {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "aegispay-nats-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true })),
  );
  let running = yield* Effect.acquireRelease(
    Effect.promise(() => launch(folder, -1)),
    () => Effect.suspend(() => kill),
  );
  const kill: Effect.Effect<void> = Effect.promise(async () => {
    running.child.kill("SIGKILL");
    await running.ended;
  });
  return NatsServer.of({
    url: `nats://127.0.0.1:${running.port}`,
    port: running.port,
    kill,
    startAgain: Effect.promise(async () => {
      running = await launch(folder, running.port);
    }),
    backUp: Effect.promise(() => cp(join(folder, "jetstream"), join(folder, "backup"), { recursive: true })),
    restore: Effect.promise(async () => {
      await rm(join(folder, "jetstream"), { recursive: true });
      await cp(join(folder, "backup"), join(folder, "jetstream"), { recursive: true });
    }),
  });
});

export const layerNatsServer: Layer.Layer<NatsServer> = Layer.effect(NatsServer, make);
