/** The benchmark: for each workload rounds in turn, bare then runtime, so that what the machine does besides hits both. */
import { Effect } from "effect";
import { measure, type Side } from "./round.ts";
import type { Load, Workload } from "./settings.ts";

export interface Round extends Workload {
  /** Payments a second. */
  readonly bare: number;
  readonly runtime: number;
  /** Of runtime to bare, in this round. */
  readonly ratio: number;
  /** The runtime's, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

export interface BenchOptions extends Load {
  readonly workloads: ReadonlyArray<Workload>;
  readonly rounds: number;
  readonly natsServer: string;
  readonly onProgress: (text: string) => Effect.Effect<void>;
}

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

export const runBench = Effect.fnUntraced(function* (options: BenchOptions) {
  const { workloads, rounds, natsServer, onProgress } = options;
  const side = Effect.fnUntraced(function* (which: Side, workload: Workload) {
    const measured = yield* measure(which, workload, options, natsServer);
    const { sync, gateway, workers } = workload;
    yield* onProgress(
      `${which}, sync ${sync}, gateway ${which === "bare" ? "none" : gateway}, ${workers} worker(s): ` +
        `${measured.rate.toFixed(0)}/s, p50 ${measured.p50.toFixed(1)} ms, p99 ${measured.p99.toFixed(1)} ms`,
    );
    return measured;
  });
  const done: Array<Round> = [];
  for (const workload of workloads) {
    for (let round = 0; round < rounds; round++) {
      const bare = yield* side("bare", workload);
      const runtime = yield* side("runtime", workload);
      done.push({
        ...workload,
        bare: rounded(bare.rate, 0),
        runtime: rounded(runtime.rate, 0),
        ratio: rounded(runtime.rate / bare.rate, 3),
        p50: rounded(runtime.p50, 1),
        p99: rounded(runtime.p99, 1),
      });
    }
  }
  return done;
});
