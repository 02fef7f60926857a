/** The end of a process that a peer needs: awaited when it was told to end, the reason for no figure when it was not. */
import { Effect } from "effect";
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { PeerUnavailable } from "./Peer.ts";

const lastLines = 5;

const lastSaid = (logFile: string): string =>
  readFileSync(logFile, "utf8").trim().split("\n").slice(-lastLines).join(" | ");

/** To be called as soon as it is spawned: a child that cannot start says so once, and to nobody if nobody listens. */
export const failsWhenEnded = (
  child: ChildProcess,
  title: string,
  logFile: string,
): Effect.Effect<never, PeerUnavailable> => {
  const ending = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(String(signal ?? code)));
  });
  return Effect.flatMap(
    Effect.promise(() => ending),
    (how) => Effect.fail(new PeerUnavailable({ message: `${title} ended with ${how}: ${lastSaid(logFile)}` })),
  );
};

/** Tells it to end by `tell`, and waits until it has. */
export const endBy = (child: ChildProcess, tell: (pid: number) => void): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const { pid, exitCode, signalCode } = child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return resume(Effect.void);
    child.once("exit", () => resume(Effect.void));
    tell(pid);
  });
