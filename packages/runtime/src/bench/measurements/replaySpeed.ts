/** How fast logs become states: the runtime's own replay (read, hash chain, decoding, legality) in this one process. */
import { makeAddressBook } from "@aegispay/core/addresses/AddressBook";
import { Effect } from "effect";
import { replay } from "../../log/replay.ts";
import { layerBenchLog, prefill, prefilledPayment, type Prefill } from "../prefill.ts";
import { onServers, scratchFolder } from "../servers.ts";
import { benchRoot } from "../settings.ts";
import { rounded } from "../statistics.ts";
import type { MeasurementOptions } from "./options.ts";

export interface ReplayFigures {
  readonly commitsEach: number;
  /** Payments replayed at the same time. */
  readonly concurrency: number;
  readonly paymentsPerSecond: number;
  readonly commitsPerSecond: number;
}

/** What a payment usually has, and what one has whose outcome nobody could tell for weeks. */
const shapes: ReadonlyArray<Required<Prefill>> = [
  { from: 0, payments: 10_000, commitsEach: 2 },
  { from: 10_000, payments: 400, commitsEach: 50 },
];
const concurrencies = [1, 16, 128] as const;

const replayAll = Effect.fnUntraced(function* (
  { from, payments, commitsEach }: Required<Prefill>,
  concurrency: number,
) {
  const addresses = makeAddressBook(benchRoot);
  const numbers = Array.from({ length: payments }, (_, index) => from + index);
  const begun = performance.now();
  yield* Effect.forEach(numbers, (n) => replay(addresses, prefilledPayment(n)), { concurrency, discard: true });
  const rate = payments / ((performance.now() - begun) / 1_000);
  const commitsPerSecond = rounded(rate * commitsEach, 0);
  return { commitsEach, concurrency, paymentsPerSecond: rounded(rate, 0), commitsPerSecond } as ReplayFigures;
});

export const measureReplay = Effect.fnUntraced(function* ({ natsServer: binary, onProgress }: MeasurementOptions) {
  const dataDir = yield* scratchFolder;
  const all = Effect.gen(function* () {
    const done: Array<ReplayFigures> = [];
    for (const shape of shapes) {
      yield* prefill(shape);
      // Once to warm up, in the widest of the ways that are measured.
      yield* replayAll(shape, concurrencies.at(-1)!);
      for (const concurrency of concurrencies) {
        const figures = yield* replayAll(shape, concurrency);
        done.push(figures);
        yield* onProgress(
          `replay, ${figures.commitsEach} commits a payment, ${concurrency} at a time: ${figures.commitsPerSecond} commits/s`,
        );
      }
    }
    return done;
  });
  const place = { binary, dataDir, sync: "default", replicas: 1 } as const;
  return yield* onServers(place, () => Effect.provide(all, layerBenchLog));
}, Effect.scoped);
