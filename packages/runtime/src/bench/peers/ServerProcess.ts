/**
 * A peer's server as a process of its own. Owns what it starts: the process, and whatever that has started, ends with the
 * scope, and with this process however that dies.
 */
import { Effect } from "effect";
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { tiedToParent } from "../../supervisor/NatsServerProcess.ts";
import { PeerUnavailable } from "./Peer.ts";

export interface ServerOptions {
  readonly title: string;
  readonly command: string;
  readonly args: ReadonlyArray<string>;
  readonly env?: NodeJS.ProcessEnv;
  /** Whom it runs as; as ourselves without. */
  readonly user?: { readonly uid: number; readonly gid: number };
  readonly cwd: string;
  /** Where both of its outputs go. */
  readonly logFile: string;
}

/** After that it is killed: what it holds is thrown away anyway. */
const endingMillis = 10_000;
const startMillis = 60_000;
const lastLines = 5;

export const lastLinesOf = (logFile: string): string =>
  readFileSync(logFile, "utf8").trim().split("\n").slice(-lastLines).join("\n");

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

const end = (child: ChildProcess) =>
  Effect.callback<void>((resume) => {
    if (hasEnded(child) || child.pid === undefined) return resume(Effect.void);
    const { pid } = child;
    // The whole group, since the server is the shell's child; it is a group of its own.
    const killing = setTimeout(() => process.kill(-pid, "SIGKILL"), endingMillis);
    child.once("exit", () => {
      clearTimeout(killing);
      resume(Effect.void);
    });
    child.stdin?.destroy();
  });

/** Starts it; answers what fails when it ends before it is told to. */
export const startServer = Effect.fnUntraced(function* (options: ServerOptions) {
  const { title, command, args, env, user, cwd, logFile } = options;
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const log = openSync(logFile, "a");
      const started = spawn("sh", ["-c", tiedToParent, command, ...args], {
        stdio: ["pipe", log, log],
        // Ctrl-C in a terminal must not reach it: it ends after those that use it.
        detached: true,
        cwd,
        env: { ...process.env, ...env },
        ...user,
      });
      closeSync(log);
      started.stdin?.on("error", () => undefined);
      started.once("exit", () => started.stdin?.destroy());
      return started;
    }),
    end,
  );
  return Effect.callback<never, PeerUnavailable>((resume) => {
    const ended = (ending: string) =>
      resume(Effect.fail(new PeerUnavailable({ message: `${title} ended with ${ending}: ${lastLinesOf(logFile)}` })));
    child.once("error", (error) => ended(error.message));
    if (hasEnded(child)) ended(String(child.signalCode ?? child.exitCode));
    else child.once("exit", (code, signal) => ended(String(signal ?? code)));
  });
});

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    const settle = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });

export const acceptsConnections = (port: number): Effect.Effect<boolean> => Effect.promise(() => accepts(port));

/** Waits until `isReady`, while whatever `failed` tells of has not failed. */
export const becomesReady = Effect.fnUntraced(function* (
  title: string,
  isReady: Effect.Effect<boolean>,
  failed: Effect.Effect<never, PeerUnavailable>,
) {
  const ready = Effect.gen(function* () {
    while (!(yield* isReady)) yield* Effect.sleep(50);
  });
  yield* ready.pipe(
    Effect.timeoutOrElse({
      duration: startMillis,
      orElse: () => Effect.fail(new PeerUnavailable({ message: `${title} was not ready within ${startMillis} ms` })),
    }),
    Effect.raceFirst(failed),
  );
});
