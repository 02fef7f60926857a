/** A peer's program as a process: what a user of the peer would write. Ends with the scope, and with this process. */
import { Effect } from "effect";
import { fork } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { type PeerGateway, PeerUnavailable } from "./Peer.ts";
import type { PeerPackages } from "./peerPackages.ts";
import { lastLinesOf } from "./ServerProcess.ts";

/** What a program is told, through its environment. */
export type ProgramOptions = PeerGateway & {
  /** Where its PostgreSQL is, and how many connections to open to it. */
  readonly postgres?: string;
  readonly connections?: number;
};

const startMillis = 60_000;

/** Starts it; answers where it listens. */
export const startProgram = Effect.fnUntraced(function* (
  { folder: programs }: PeerPackages,
  name: "restate" | "dbos" | "effect",
  options: ProgramOptions,
  folder: string,
) {
  const logFile = join(folder, `${name}-program.log`);
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const log = openSync(logFile, "a");
      const started = fork(join(programs, `${name}.mjs`), {
        cwd: folder,
        env: { ...process.env, AEGISPAY_BENCH_PEER: JSON.stringify(options), RESTATE_LOGGING: "ERROR" },
        stdio: ["ignore", log, log, "ipc"],
      });
      closeSync(log);
      return started;
    }),
    (started) =>
      Effect.callback<void>((resume) => {
        if (started.exitCode !== null || started.signalCode !== null) return resume(Effect.void);
        started.once("exit", () => resume(Effect.void));
        started.kill("SIGKILL");
      }),
  );
  const failed = Effect.callback<never, PeerUnavailable>((resume) => {
    const ended = (ending: unknown) =>
      resume(
        Effect.fail(
          new PeerUnavailable({ message: `its program ended with ${String(ending)}: ${lastLinesOf(logFile)}` }),
        ),
      );
    if (child.exitCode !== null || child.signalCode !== null) return ended(child.signalCode ?? child.exitCode);
    child.once("error", ended);
    child.once("exit", (code, signal) => ended(signal ?? code));
  });
  const port = yield* Effect.callback<number>((resume) => {
    child.once("message", (message) => resume(Effect.succeed((message as { readonly port: number }).port)));
  }).pipe(
    Effect.timeoutOrElse({
      duration: startMillis,
      orElse: () => Effect.fail(new PeerUnavailable({ message: `its program was not ready within ${startMillis} ms` })),
    }),
    Effect.raceFirst(failed),
  );
  return { origin: `http://127.0.0.1:${port}`, failed };
});
