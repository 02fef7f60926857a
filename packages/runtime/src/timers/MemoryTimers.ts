/**
 * Durable timers in memory, for unit tests and simulation: they fire into the memory command queue. Owns what is armed for
 * as long as its scope is open.
 */
import { paymentKey } from "@aegispay/core/identity/Identity";
import { Clock, Context, Effect, FiberSet, Layer } from "effect";
import { MemoryCommandQueueControl } from "../ingress/MemoryCommandQueue.ts";
import { ArmingFailed, Timers, type Timer } from "./Timers.ts";

export interface ArmedTimer extends Timer {
  readonly body: string;
  /** ISO 8601. */
  readonly due: string;
}

/** A look at memory timers, and orders to fail. */
export class MemoryTimersControl extends Context.Service<
  MemoryTimersControl,
  {
    readonly armed: () => ReadonlyArray<ArmedTimer>;
    /** As many of the next armings fail, and reach nothing. */
    failArmings: number;
    /** As many of the next armings fail although the timer is armed: the answer was lost. */
    loseAnswers: number;
    /** As many of the next cancellations reach nothing. */
    loseCancellations: number;
  }
>()("@aegispay/runtime/MemoryTimersControl") {}

const nameOf = ({ payment, kind, version }: Timer): string => `${paymentKey(payment)}/${kind}/${version}`;

export const layerMemoryTimers: Layer.Layer<Timers | MemoryTimersControl, never, MemoryCommandQueueControl> =
  Layer.effectContext(
    Effect.gen(function* () {
      const queue = yield* MemoryCommandQueueControl;
      const clock = yield* Clock.Clock;
      const run = yield* FiberSet.makeRuntime();
      const timers = new Map<string, ArmedTimer>();

      const fire = ({ payment, kind, version, body }: ArmedTimer): void =>
        void queue.publish({ source: "due", payment, verb: kind, version, body: Buffer.from(body) });

      const wait = Effect.fnUntraced(function* (name: string, armed: ArmedTimer) {
        const due = Date.parse(armed.due);
        // A sleep may end a moment early by the wall clock, a timer never does.
        for (;;) {
          const restMillis = due - clock.currentTimeMillisUnsafe();
          if (restMillis <= 0) break;
          yield* Effect.sleep(restMillis);
        }
        // Armed again or cancelled meanwhile: then it is not this one's to fire.
        if (timers.get(name) !== armed) return;
        timers.delete(name);
        fire(armed);
      });

      const control = MemoryTimersControl.of({
        armed: () => [...timers.values()],
        failArmings: 0,
        loseAnswers: 0,
        loseCancellations: 0,
      });

      const arm = Effect.fnUntraced(function* (timer: Timer, due: string, body = "") {
        yield* Effect.yieldNow;
        if (Number.isNaN(Date.parse(due))) return yield* new ArmingFailed({ cause: `"${due}" is no time` });
        if (control.failArmings > 0) {
          control.failArmings--;
          return yield* new ArmingFailed({ cause: "ordered to fail" });
        }
        const armed: ArmedTimer = { ...timer, due, body };
        timers.set(nameOf(timer), armed);
        void run(wait(nameOf(timer), armed));
        if (control.loseAnswers === 0) return;
        control.loseAnswers--;
        return yield* new ArmingFailed({ cause: "ordered to lose the answer" });
      });

      const cancel = Effect.fnUntraced(function* (timer: Timer) {
        yield* Effect.yieldNow;
        if (control.loseCancellations > 0) control.loseCancellations--;
        else timers.delete(nameOf(timer));
      });

      return Context.make(Timers, Timers.of({ arm, cancel })).pipe(Context.add(MemoryTimersControl, control));
    }),
  );
