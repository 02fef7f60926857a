/** SIGHUP, as services use it: all workers start afresh, one after the other, and no command fails of it. */
import { Effect, Queue } from "effect";
import { closeSync, openSync } from "node:fs";
import type { Workers } from "./Workers.ts";

const hasTerminal = (): boolean => {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
};

/**
 * Restarts the workers at each SIGHUP until the scope closes. A terminal that closes sends one too: nobody is left who
 * could press Ctrl-C then, so the process ends as if somebody had.
 */
export const restartOnHangUp = Effect.fnUntraced(function* (workers: Workers) {
  const begunInTerminal = hasTerminal();
  const signals = yield* Queue.sliding<void>(1);
  const onHangUp = (): void => {
    if (begunInTerminal && !hasTerminal()) process.kill(process.pid, "SIGTERM");
    else Queue.offerUnsafe(signals, undefined);
  };
  yield* Effect.acquireRelease(
    Effect.sync(() => process.on("SIGHUP", onHangUp)),
    () => Effect.sync(() => process.off("SIGHUP", onHangUp)),
  );
  // Each by a fiber of its own: one that comes while another is under way is refused, and said to be.
  yield* Effect.forkScoped(
    Effect.forever(Effect.andThen(Queue.take(signals), Effect.forkScoped(workers.rollingRestart))),
  );
});
