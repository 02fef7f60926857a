/**
 * Which of a payment's debts wait on durable timers, and which are done here and now.
 *
 * Invariants:
 * 1. What nothing un-acked holds is armed by this actor's own life before anything else is done about it (law 5).
 * 2. A timer is cancelled only when its debt is settled or has a later round, and that is held by something else.
 */
import { expirySet, intents, type GatewayIntent, type Intent } from "@aegispay/core/payment/intents";
import { Clock, Effect } from "effect";
import { Settings } from "../config/RuntimeSettings.ts";
import { GatewayProtection } from "../resilience/GatewayProtection.ts";
import { CrashPoints } from "../seam/CrashPoints.ts";
import { Ownership } from "../shard/Ownership.ts";
import { timerKindOf, Timers } from "../timers/Timers.ts";
import { OwnershipLost } from "./commitDecision.ts";
import type { PaymentActor } from "./PaymentActor.ts";

/** Before a timer that is not known to be durable is armed again, in milliseconds. */
const armAgainMillis = 200;

export const owedBy = (actor: PaymentActor): ReadonlyArray<Intent> => intents(actor.position.state);

/** Whether the round, by its version, is still what the payment owes. */
export const isOwed = (actor: PaymentActor, version: number): boolean =>
  owedBy(actor).some(({ round }) => round.version === version);

export const makeDebtTimers = Effect.gen(function* () {
  const { timerFromMillis } = yield* Settings;
  const protection = yield* GatewayProtection;
  const clock = yield* Clock.Clock;
  const timers = yield* Timers;
  const ownership = yield* Ownership;
  const crash = yield* CrashPoints;
  const fork = Effect.runForkWith(yield* Effect.context());

  const millisUntilDue = ({ round }: Intent): number => Date.parse(round.due) - clock.currentTimeMillisUnsafe();

  /** Its gateway, or its merchant, has as many payments here as may be: what is not due yet makes room. */
  const isCrowded = ({ shard, payment }: PaymentActor, { attempt, round }: GatewayIntent): boolean => {
    const circuit = round.action === "lookUp" ? "lookUp" : "money";
    return protection.isCrowded({ shard, gateway: attempt.gateway, merchant: payment.merchant, circuit });
  };

  /**
   * What nothing un-acked holds, what waits long, and what waits while others are waited for; an expiry is never waited for
   * here. To be asked once for each look at what is owed: the next answer may be another.
   */
  const waits = (actor: PaymentActor, debt: Intent): boolean => {
    if (actor.held.size === 0) return true;
    if (actor.due.has(debt.round.version)) return false;
    if (debt.kind === "expiry") return true;
    const millis = millisUntilDue(debt);
    return millis > timerFromMillis || (millis > 0 && !actor.calls.has(debt.round.version) && isCrowded(actor, debt));
  };

  const arm = Effect.fnUntraced(function* (actor: PaymentActor, debt: Intent) {
    crash.reach("beforeArming", actor.payment, actor.position.state.name);
    const { version, due } = debt.round;
    const kind = timerKindOf(debt);
    const armed = timers.arm({ payment: actor.payment, kind, version }, due);
    while ((yield* Effect.result(armed))._tag === "Failure") {
      if (actor.dropped || !ownership.holds(actor.shard)) return yield* new OwnershipLost({ payment: actor.payment });
      yield* Effect.sleep(armAgainMillis);
    }
    actor.armed.set(version, kind);
  });

  return {
    millisUntilDue,
    waits,
    /** Arms all of what waits that this actor's own life has not armed. */
    armWaiting: Effect.fnUntraced(function* (actor: PaymentActor, waiting: ReadonlyArray<Intent>) {
      for (const debt of waiting) if (!actor.armed.has(debt.round.version)) yield* arm(actor, debt);
    }),
    /** An expiry that may not come yet keeps its timer. */
    cancelMoot: (actor: PaymentActor): void => {
      if (actor.armed.size === 0) return;
      const expiry = expirySet(actor.position.state)?.version;
      for (const [version, kind] of actor.armed) {
        if (version === expiry || isOwed(actor, version)) continue;
        actor.armed.delete(version);
        fork(timers.cancel({ payment: actor.payment, kind, version }));
      }
    },
  };
});
