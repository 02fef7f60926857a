/**
 * Executes what a committed state owes to a gateway, and turns whatever comes of it into the next command. It is given an
 * intent only after the commit that announced it is durable (law 1).
 */
import { Gateways } from "@aegispay/gateways/Gateway";
import type { GatewayOutcome, LookUpOutcome } from "@aegispay/core/payment/GatewayOutcome";
import type { Given } from "@aegispay/core/payment/Given";
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import type { Intent } from "@aegispay/core/payment/intents";
import type { RecordLookUp, RecordOutcome } from "@aegispay/core/payment/PaymentCommand";
import { Clock, Context, Effect, Layer, Random, Semaphore } from "effect";
import { Settings } from "../config/RuntimeSettings.ts";
import { count, metric } from "../metrics/Metrics.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { CrashPoints } from "../seam/CrashPoints.ts";

/**
 * Backstop behind the adapters' own time-outs (10 s for a connection, 10 s for the answer), in milliseconds: longer than
 * both, so that an adapter still says itself what was not sent.
 */
const callTimeoutMillis = 25_000;

export class GatewayCalls extends Context.Service<
  GatewayCalls,
  {
    /** What a decision is given now. */
    readonly given: () => Given;
    /** Waits until the round is due and has a place, looks at the lease once more, calls. Undefined: no longer mine. */
    readonly perform: (
      payment: PaymentRef,
      intent: Intent,
      around: {
        /** Its timer has fired: it is not waited for, whatever this machine's clock says. */
        readonly isDue: boolean;
        readonly isMine: () => boolean;
        /** Told just before the call leaves. */
        readonly onCall: () => void;
      },
    ) => Effect.Effect<RecordOutcome | RecordLookUp | undefined>;
  }
>()("@aegispay/runtime/GatewayCalls") {}

const make = Effect.gen(function* () {
  const gateways = yield* Gateways;
  const clock = yield* Clock.Clock;
  const random = yield* Random.Random;
  const { deployment } = yield* Deployment;
  const settings = yield* Settings;
  const crash = yield* CrashPoints;
  const places = new Map<string, Semaphore.Semaphore>();
  const placesAt = (gateway: string): Semaphore.Semaphore => {
    const found = places.get(gateway) ?? Semaphore.makeUnsafe(settings.gatewayConcurrency);
    places.set(gateway, found);
    return found;
  };
  const given = (): Given => ({
    at: clock.currentTimeMillisUnsafe(),
    deployment,
    candidates: gateways.candidates,
    policy: settings.policy,
    jitter: random.nextDoubleUnsafe(),
  });

  /** A call that dies or takes too long may have left: its outcome is unknown. */
  const bounded = <Outcome>(call: () => Effect.Effect<Outcome>) =>
    Effect.suspend(call).pipe(
      Effect.timeoutOrElse({
        duration: callTimeoutMillis,
        orElse: () => Effect.succeed({ _tag: "Unknown", reason: "no answer in time" } as const),
      }),
      Effect.catchDefect((defect) =>
        Effect.succeed({ _tag: "Unknown", reason: `the call failed: ${String(defect)}` } as const),
      ),
    );

  const call = (payment: PaymentRef, { attempt, round }: Intent): Effect.Effect<RecordOutcome | RecordLookUp> => {
    const about = { payment, attempt: attempt.number, round: round.round };
    const gateway = gateways.find(attempt.gateway, attempt.account);
    const unconfigured = {
      _tag: "Unknown",
      reason: `gateway ${attempt.gateway} (account ${attempt.account}) is not configured here`,
    } as const;
    if (round.action === "lookUp") {
      const outcome: Effect.Effect<LookUpOutcome> =
        gateway === undefined ? Effect.succeed(unconfigured) : bounded(() => gateway.lookUp(attempt.idempotencyKey));
      return Effect.map(
        outcome,
        (found) => ({ type: "RecordLookUp", ...about, outcome: found, given: given() }) as const,
      );
    }
    const { idempotencyKey, request } = attempt;
    const outcome: Effect.Effect<GatewayOutcome> =
      gateway === undefined
        ? Effect.succeed(unconfigured)
        : bounded(() => gateway.start({ idempotencyKey, ...request }));
    return Effect.map(
      outcome,
      (found) => ({ type: "RecordOutcome", ...about, outcome: found, given: given() }) as const,
    );
  };

  return GatewayCalls.of({
    given,
    perform: (payment, intent, { isDue, isMine, onCall }) =>
      Effect.gen(function* () {
        const wait = isDue ? 0 : Date.parse(intent.round.due) - clock.currentTimeMillisUnsafe();
        if (wait > 0) yield* Effect.sleep(wait);
        const place = placesAt(intent.attempt.gateway);
        return yield* place.withPermit(
          Effect.suspend(() => {
            if (!isMine()) return Effect.succeed(undefined);
            onCall();
            crash.reach("beforeCall", payment, intent.round.action);
            return Effect.tap(call(payment, intent), ({ outcome }) =>
              Effect.sync(() => {
                count(metric.gatewayCalls(intent.attempt.gateway, intent.round.action, outcome._tag));
                crash.reach("afterCall", payment, intent.round.action);
              }),
            );
          }),
        );
      }),
  });
});

export const layerGatewayCalls = Layer.effect(GatewayCalls, make);
