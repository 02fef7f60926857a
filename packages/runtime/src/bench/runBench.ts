/** The benchmark: the measurements that were asked for, one after the other. */
import { Effect } from "effect";
import { measureGrowth, smallestGrowth } from "./measurements/growth.ts";
import { measureMemory } from "./measurements/memory.ts";
import { measureMixedOutcomes } from "./measurements/mixedOutcomes.ts";
import { measureOpenLoop } from "./measurements/openLoop.ts";
import type { MeasurementOptions } from "./measurements/options.ts";
import { measureReplay } from "./measurements/replaySpeed.ts";
import { measureSaturation } from "./measurements/saturation.ts";
import { measureTakeOver } from "./measurements/takeOver.ts";
import type { Measurements } from "./report.ts";
import type { Part, Sync } from "./settings.ts";

export interface BenchOptions extends MeasurementOptions {
  readonly parts: ReadonlySet<Part>;
  /** Where only one is measured with. */
  readonly sync: Sync;
  /** Payments in the longest log. */
  readonly growth: number;
}

export const runBench = Effect.fnUntraced(function* (options: BenchOptions) {
  const { parts, sync, growth } = options;
  const lengths = [...new Set([smallestGrowth, growth])];
  // Long enough to differ from the short log that it is held against.
  const weighedLog = Math.max(growth, 10 * smallestGrowth);
  const measured: Measurements = {
    rounds: parts.has("saturation") ? yield* measureSaturation(options) : [],
    ...(parts.has("mixed") ? { mixed: yield* measureMixedOutcomes(options) } : {}),
    ...(parts.has("openLoop") ? { openLoop: yield* measureOpenLoop(options) } : {}),
    ...(parts.has("takeOver") ? { takeOver: yield* measureTakeOver(options, sync, lengths) } : {}),
    ...(parts.has("replay") ? { replay: yield* measureReplay(options) } : {}),
    ...(parts.has("memory") ? { memory: yield* measureMemory(options, weighedLog) } : {}),
    ...(parts.has("growth") ? { growth: yield* measureGrowth(options, sync, growth) } : {}),
  };
  return measured;
});
