/** The logs that the benchmark writes quickly are logs like any other: replay takes them as they are. */
import { makeAddressBook } from "@aegispay/core/addresses/AddressBook";
import { layerBenchLog, prefill, prefilledPayment } from "@aegispay/runtime/bench/prefill";
import { onCopyOf, prefilledFolder } from "@aegispay/runtime/bench/prefilled";
import { benchRoot } from "@aegispay/runtime/bench/settings";
import { replay } from "@aegispay/runtime/log/replay";
import { expect, it } from "@effect/vitest";
import { Effect } from "effect";

const binary = process.env["AEGISPAY_NATS_SERVER"] ?? "nats-server";
const addresses = makeAddressBook(benchRoot);

it.live("a payment of a prefilled log replays to its end, on a copy that another server reads", () =>
  Effect.gen(function* () {
    const folder = yield* prefilledFolder(binary, 50);
    yield* onCopyOf(folder, { binary, sync: "always" }, () =>
      Effect.gen(function* () {
        yield* prefill({ from: 50, payments: 2, commitsEach: 20 });
        const short = yield* replay(addresses, prefilledPayment(49));
        expect(short.state.name).toBe("SUCCESS");
        expect(short.events.map(({ type }) => type)).toEqual([
          "PaymentInitiated",
          "PaymentAuthenticated",
          "AttemptStarted",
          "PaymentSucceeded",
        ]);
        const long = yield* replay(addresses, prefilledPayment(51));
        expect(long.state.name).toBe("NEEDS_REVIEW");
        expect(long.events.length).toBeGreaterThan(20);
      }).pipe(Effect.provide(layerBenchLog)),
    );
  }).pipe(Effect.scoped),
);

it.live("what is there already is refused, not written over", () =>
  Effect.gen(function* () {
    const folder = yield* prefilledFolder(binary, 10);
    yield* onCopyOf(folder, { binary, sync: "default" }, () =>
      Effect.gen(function* () {
        const again = yield* Effect.flip(prefill({ from: 9, payments: 2 }));
        expect(again._tag).toBe("PrefillRefused");
      }).pipe(Effect.provide(layerBenchLog)),
    );
  }).pipe(Effect.scoped),
);
