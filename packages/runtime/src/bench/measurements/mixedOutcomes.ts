/** What declines and lost answers cost: rounds in turn, all payments approved and some of them not, at the simulator. */
import { Effect } from "effect";
import { measure } from "../round.ts";
import type { Latency, Mix, Saturated, Workload } from "../settings.ts";
import { median, rounded } from "../statistics.ts";
import { headlines, nameOf, type MeasurementOptions } from "./options.ts";

/** More declines than a shop has on a usual day, and more lost answers than a gateway on a bad one. */
export const mix: Mix = { declinedPercent: 10, answerLostPercent: 2 };

export interface MixedFigures extends Workload, Mix, Latency {
  /** Payments a second when all are approved, and when they are mixed. */
  readonly approved: number;
  readonly mixed: number;
  /** Of mixed to approved. */
  readonly ratio: number;
  /** Those whose answer was lost: with the look-up that finds out. */
  readonly answerLost: Latency;
}

export const measureMixedOutcomes = Effect.fnUntraced(function* (options: MeasurementOptions) {
  const { load, natsServer, rounds, onProgress } = options;
  const done: Array<MixedFigures> = [];
  for (const workload of headlines(options.workloads, "simulator")) {
    const pairs: Array<{ readonly approved: Saturated; readonly mixed: Saturated }> = [];
    for (let round = 0; round < rounds; round++) {
      const approved = yield* measure("runtime", workload, load, natsServer);
      const mixed = yield* measure("runtime", workload, load, natsServer, mix);
      pairs.push({ approved, mixed });
    }
    const of = (pick: (pair: (typeof pairs)[number]) => number, digits: number) =>
      rounded(median(pairs.map(pick)), digits);
    const figures: MixedFigures = {
      ...workload,
      ...mix,
      approved: of(({ approved }) => approved.rate, 0),
      mixed: of(({ mixed }) => mixed.rate, 0),
      ratio: of(({ approved, mixed }) => mixed.rate / approved.rate, 3),
      p50: of(({ mixed }) => mixed.p50, 1),
      p99: of(({ mixed }) => mixed.p99, 1),
      answerLost: {
        p50: of(({ mixed }) => mixed.answerLost.p50, 1),
        p99: of(({ mixed }) => mixed.answerLost.p99, 1),
      },
    };
    done.push(figures);
    yield* onProgress(
      `mixed outcomes, ${nameOf(workload)}: ${figures.mixed}/s, ${figures.approved}/s when all are approved`,
    );
  }
  return done;
});
