import { defaultSettings, Settings } from "@aegispay/runtime/config/RuntimeSettings";
import { layerMemoryCommandQueue, MemoryCommandQueueControl } from "@aegispay/runtime/ingress/MemoryCommandQueue";
import { layerMemoryTimers, MemoryTimersControl } from "@aegispay/runtime/timers/MemoryTimers";
import { Timers } from "@aegispay/runtime/timers/Timers";
import { expect, layer } from "@effect/vitest";
import { Context, Effect, Layer } from "effect";
import { paymentsOf } from "./commandQueueHarness.ts";
import { shards } from "./natsDeployment.ts";
import { layerMemoryQueueHarness } from "./memoryQueueHarness.ts";
import { inMillis, timerOf, timersContract } from "./timers.contract.ts";
import { TimersHarness } from "./timersHarness.ts";

const harness = Effect.gen(function* () {
  const timers = yield* Timers;
  const control = yield* MemoryTimersControl;
  return TimersHarness.of({
    timers,
    whileAway: (run) =>
      Effect.suspend(() => {
        control.failArmings = 1;
        control.loseCancellations = 1;
        return run;
      }).pipe(
        Effect.ensuring(
          Effect.sync(() => {
            control.failArmings = 0;
            control.loseCancellations = 0;
          }),
        ),
      ),
  });
});

const layerHarness = Layer.effect(TimersHarness, harness).pipe(
  Layer.merge(layerMemoryQueueHarness),
  Layer.provideMerge(layerMemoryTimers),
  Layer.provideMerge(layerMemoryCommandQueue(shards)),
  Layer.provide(Layer.succeed(Settings, defaultSettings)),
);

timersContract("memory", layerHarness);

layer(layerHarness, { excludeTestServices: true })("the memory timers' faults", (it) => {
  it.effect("fail an arming that nevertheless holds", () =>
    Effect.gen(function* () {
      const [timers, control] = [yield* Timers, yield* MemoryTimersControl];
      const [payment] = yield* paymentsOf(1, 1);
      control.loseAnswers = 1;
      const error = yield* Effect.flip(timers.arm(timerOf(payment!), inMillis(60_000)));
      expect(error._tag).toBe("ArmingFailed");
      expect(control.armed()).toMatchObject([timerOf(payment!)]);
      yield* timers.cancel(timerOf(payment!));
      expect(control.armed()).toEqual([]);
    }),
  );

  it.effect("refuse a due time that is none", () =>
    Effect.gen(function* () {
      const timers = yield* Timers;
      const [payment] = yield* paymentsOf(1, 1);
      expect((yield* Effect.flip(timers.arm(timerOf(payment!), "soon")))._tag).toBe("ArmingFailed");
      expect(
        Context.get(yield* Effect.context<MemoryCommandQueueControl>(), MemoryCommandQueueControl).waiting("due"),
      ).toEqual([]);
    }),
  );
});
