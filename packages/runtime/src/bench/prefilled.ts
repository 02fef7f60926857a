/**
 * Logs that hold payments before anything is measured. A log is written once and copied for each measurement, so that each
 * has the same one before it, however long it took to write.
 */
import { Effect, type Scope } from "effect";
import { execFile } from "node:child_process";
import { constants, cpSync } from "node:fs";
import { promisify } from "node:util";
import type { Nats } from "../nats/NatsConnection.ts";
import { layerBenchLog, prefill } from "./prefill.ts";
import { onServers, scratchFolder, type BenchServers } from "./servers.ts";
import type { Sync } from "./settings.ts";

export interface Prefilled extends BenchServers {
  readonly dataDir: string;
}

/**
 * A folder, until the scope closes, that holds a log of so many payments. Written with the server's default sync: with the
 * other a million payments would take their time.
 */
export const prefilledFolder = Effect.fnUntraced(function* (binary: string, payments: number) {
  const dataDir = yield* scratchFolder;
  yield* onServers({ binary, dataDir, sync: "default", replicas: 1 }, () =>
    Effect.provide(prefill({ from: 0, payments }), layerBenchLog),
  );
  return dataDir;
});

/** What was written before must not be on its way to the disk while others are measured by their writes. */
const settleDisk = (folder: string) =>
  Effect.ignore(Effect.tryPromise(() => promisify(execFile)("sync", ["--file-system", folder])));

/** Starts a server on a copy of the log, with the sync that is asked for. */
export const onCopyOf = <A, E, R>(
  folder: string,
  { binary, sync }: { readonly binary: string; readonly sync: Sync },
  use: (prefilled: Prefilled) => Effect.Effect<A, E, R | Nats | Scope.Scope>,
) =>
  Effect.gen(function* () {
    const dataDir = yield* scratchFolder;
    cpSync(folder, dataDir, { recursive: true, mode: constants.COPYFILE_FICLONE });
    yield* settleDisk(dataDir);
    return yield* onServers({ binary, dataDir, sync, replicas: 1 }, (servers) => use({ ...servers, dataDir }));
  }).pipe(Effect.scoped);
