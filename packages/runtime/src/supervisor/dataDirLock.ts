/** One primary a data folder: two would end each other's nats-server and write into one another's streams. */
import { Data, Effect } from "effect";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export class DataDirInUse extends Data.TaggedError("DataDirInUse")<{ readonly message: string }> {}

/** Whether the process that wrote the lock still runs; a pid that another program has got since does not count. */
const isRunning = (pid: number): boolean => {
  if (!Number.isInteger(pid) || pid <= 1 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("node");
  } catch {
    return true;
  }
};

/** Holds the folder until the scope closes. A dead primary's lock is taken over. */
export const lockDataDir = (dataDir: string) =>
  Effect.acquireRelease(
    Effect.suspend(() => {
      const lock = join(dataDir, "primary.pid");
      for (;;) {
        try {
          mkdirSync(dataDir, { recursive: true });
          writeFileSync(lock, String(process.pid), { flag: "wx" });
          return Effect.succeed(lock);
        } catch (cause) {
          if ((cause as NodeJS.ErrnoException).code !== "EEXIST") {
            return Effect.fail(
              new DataDirInUse({ message: `the data folder ${dataDir} cannot be written: ${String(cause)}` }),
            );
          }
          const holder = Number(readFileSync(lock, "utf8"));
          if (isRunning(holder)) {
            const message = `the data folder ${dataDir} is in use by process ${holder}: end that one, or choose another with --data-dir`;
            return Effect.fail(new DataDirInUse({ message }));
          }
          rmSync(lock, { force: true });
        }
      }
    }),
    (lock) => Effect.sync(() => rmSync(lock, { force: true })),
  );
