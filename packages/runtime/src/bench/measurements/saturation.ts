/** As fast as it goes: rounds in turn, bare then runtime, so that what the machine does besides hits both. */
import { Effect } from "effect";
import { measure, type Side } from "../round.ts";
import type { Latency, Workload } from "../settings.ts";
import { rounded, roundedLatency } from "../statistics.ts";
import { nameOf, type MeasurementOptions } from "./options.ts";

/** Latency is the runtime's. */
export interface Round extends Workload, Latency {
  /** Payments a second. */
  readonly bare: number;
  readonly runtime: number;
  /** Of runtime to bare, in this round. */
  readonly ratio: number;
}

export const measureSaturation = Effect.fnUntraced(function* (options: MeasurementOptions) {
  const { workloads, load, rounds, natsServer, onProgress } = options;
  const side = Effect.fnUntraced(function* (which: Side, workload: Workload) {
    const measured = yield* measure(which, workload, load, natsServer);
    const { p50, p99 } = roundedLatency(measured);
    const rate = measured.rate.toFixed(0);
    // The bare side calls nobody, whatever the runtime is measured with.
    const where = which === "bare" ? nameOf({ ...workload, gateway: "none" }) : nameOf(workload);
    yield* onProgress(`${which}, ${where}: ${rate}/s, p50 ${p50} ms, p99 ${p99} ms`);
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
        ...roundedLatency(runtime),
      });
    }
  }
  return done;
});
