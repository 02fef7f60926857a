/** A peer's program as a process: what a user of the peer would write. Ends with the scope, and with this process. */
import { Effect } from "effect";
import { fork } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { endBy, failsWhenEnded } from "./ChildEnding.ts";
import { type PeerGateway, PeerUnavailable } from "./Peer.ts";
import type { PeerPackages } from "./peerPackages.ts";

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
  const { child, failed } = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const log = openSync(logFile, "a");
      const started = fork(join(programs, `${name}.mjs`), {
        cwd: folder,
        env: { ...process.env, AEGISPAY_BENCH_PEER: JSON.stringify(options), RESTATE_LOGGING: "ERROR" },
        stdio: ["ignore", log, log, "ipc"],
      });
      closeSync(log);
      return { child: started, failed: failsWhenEnded(started, "its program", logFile) };
    }),
    // There is nothing to drain: everything was answered, or nobody waits any more.
    ({ child: started }) => endBy(started, () => void started.kill("SIGKILL")),
  );
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
