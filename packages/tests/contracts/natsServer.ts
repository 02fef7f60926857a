/**
 * A real nats-server for one test file, as a layer: it can be killed and started again on the same port and data, and its
 * data backed up and put back.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { cp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Context, Effect, Layer, type Scope } from "effect";
import { startNatsProcess } from "../support/natsProcess.ts";

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
  const server = yield* Effect.acquireRelease(
    Effect.promise(() => startNatsProcess(folder)),
    (process) => Effect.promise(process.kill),
  );
  return NatsServer.of({
    url: server.url,
    port: Number(new URL(server.url).port),
    kill: Effect.promise(server.kill),
    startAgain: Effect.promise(server.startAgain),
    backUp: Effect.promise(() => cp(join(folder, "jetstream"), join(folder, "backup"), { recursive: true })),
    restore: Effect.promise(async () => {
      await rm(join(folder, "jetstream"), { recursive: true });
      await cp(join(folder, "backup"), join(folder, "jetstream"), { recursive: true });
    }),
  });
});

export const layerNatsServer: Layer.Layer<NatsServer> = Layer.effect(NatsServer, make);
