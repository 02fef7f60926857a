/**
 * What a process holds in memory. A worker of the benchmark is asked by a signal: what passes between it and its primary is
 * production's, and stays so. It collects its garbage first, or the figure would be that of what is about to go.
 */
import { Data, Effect } from "effect";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

export class NotWeighed extends Data.TaggedError("NotWeighed")<{ readonly pid: number }> {
  override get message(): string {
    return `worker ${this.pid} has not said how much memory it holds within ${answerTimeoutMillis} ms`;
  }
}

const signal = "SIGUSR2";
const answerTimeoutMillis = 10_000;
const pollMillis = 20;
/** What the first collection lets go of, finalizers and weak references, only the next one frees. */
const collections = 3;

const answerFile = (pid: number): string => join(tmpdir(), `aegispay-bench-weight-${pid}.json`);

/** Makes this process answer whoever weighs it. */
export const answerWeighing = (): void => {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  process.on(signal, () => {
    for (let collection = 0; collection < collections; collection++) collectGarbage();
    const { heapUsed, external } = process.memoryUsage();
    const file = answerFile(process.pid);
    // Renamed into place, so that nobody reads half of it.
    writeFileSync(`${file}.new`, String(heapUsed + external));
    renameSync(`${file}.new`, file);
  });
};

/** Bytes on a worker's heap, and outside of it what its buffers hold, after a collection. */
export const weighWorker = Effect.fnUntraced(function* (pid: number) {
  const file = answerFile(pid);
  rmSync(file, { force: true });
  process.kill(pid, signal);
  for (let waited = 0; waited < answerTimeoutMillis; waited += pollMillis) {
    yield* Effect.sleep(pollMillis);
    const bytes = read(file);
    if (bytes === "") continue;
    rmSync(file, { force: true });
    return Number(bytes);
  }
  return yield* new NotWeighed({ pid });
});

/** Bytes of a process in main memory; 0 where the system does not say. */
export const residentBytes = (pid: number): number =>
  Number(/^VmRSS:\s*(\d+) kB$/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1_024;

const read = (file: string): string => {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
};
