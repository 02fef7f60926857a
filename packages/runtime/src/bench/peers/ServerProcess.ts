/**
 * A peer's server as a process of its own. Owns what it starts: the process, and whatever that has started, ends with the
 * scope, and with this process however that dies.
 */
import { Effect } from "effect";
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { connect } from "node:net";
import { tiedToParent } from "../../supervisor/NatsServerProcess.ts";
import { endBy, failsWhenEnded } from "./ChildEnding.ts";
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

/** By closing what ties it to us. The group is its own: the shell that runs it, and the server. */
const end = (child: ChildProcess) =>
  endBy(child, (pid) => {
    const killing = setTimeout(() => process.kill(-pid, "SIGKILL"), endingMillis);
    child.once("exit", () => clearTimeout(killing));
    child.stdin?.destroy();
  });

/** Starts it; answers what fails when it ends before it is told to. */
export const startServer = Effect.fnUntraced(function* (options: ServerOptions) {
  const { title, command, args, env, user, cwd, logFile } = options;
  const { failed } = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const log = openSync(logFile, "a");
      const child = spawn("sh", ["-c", tiedToParent, command, ...args], {
        stdio: ["pipe", log, log],
        // Ctrl-C in a terminal must not reach it: it ends after those that use it.
        detached: true,
        cwd,
        env: { ...process.env, ...env },
        ...user,
      });
      closeSync(log);
      child.stdin?.on("error", () => undefined);
      // The shell's helper, which waits for this, goes with a server that has ended by itself.
      child.once("exit", () => child.stdin?.destroy());
      return { child, failed: failsWhenEnded(child, title, logFile) };
    }),
    ({ child }) => end(child),
  );
  return failed;
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
