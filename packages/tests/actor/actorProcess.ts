/** The payment actors of one process: all real between the ingress and the ports. */
import { makeAddressBook } from "@aegispay/core/addresses/AddressBook";
import { layerPaymentActors } from "@aegispay/runtime/actor/PaymentActors";
import { layerPaymentSteps } from "@aegispay/runtime/actor/PaymentSteps";
import { layerGivingUp } from "@aegispay/runtime/actor/GivingUp";
import { Answers } from "@aegispay/runtime/answers/Answers";
import { Settings, type RuntimeSettings } from "@aegispay/runtime/config/RuntimeSettings";
import { layerParking } from "@aegispay/runtime/dead/Parking";
import { GatewayCalls, layerGatewayCalls } from "@aegispay/runtime/effects/GatewayCalls";
import { layerHookCalls } from "@aegispay/runtime/hooks/HookCalls";
import type { Hooks } from "@aegispay/runtime/hooks/Hooks";
import { layerHooks } from "@aegispay/runtime/hooks/HooksInForce";
import { Ingress, layerIngress } from "@aegispay/runtime/ingress/Ingress";
import { layerRefusals } from "@aegispay/runtime/ingress/Refusals";
import { Deployment } from "@aegispay/runtime/nats/NatsTopology";
import { CrashPoints } from "@aegispay/runtime/seam/CrashPoints";
import { Ownership } from "@aegispay/runtime/shard/Ownership";
import { Gateways } from "@aegispay/gateways/Gateway";
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import type { GatewayIntent } from "@aegispay/core/payment/intents";
import { Clock, Context, Effect, Layer, Random, References } from "effect";
import type { DurableWorld, Life } from "./DurableWorld.ts";
import { layerProtection, type Protecting } from "./seededProtection.ts";
import { layerUnhurtGateways } from "./unhurtGateways.ts";

export interface ProcessParts {
  readonly life: Life;
  readonly world: DurableWorld;
  readonly settings: RuntimeSettings;
  readonly gateways: Gateways["Service"];
  readonly protecting: Protecting;
  readonly answer: Answers["Service"]["answer"];
  readonly crashPoints: CrashPoints["Service"];
  readonly onCall: (payment: PaymentRef, intent: GatewayIntent) => void;
  readonly random: () => number;
  /** How far its clock is ahead of the timers'. */
  readonly aheadMillis: number;
  readonly hooks?: Hooks;
}

/** Sleeps as long as the other, and reads another time. */
const ahead = (clock: Clock.Clock, millis: number): Clock.Clock => {
  const nanos = BigInt(millis) * 1_000_000n;
  return {
    ...clock,
    currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + millis,
    currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now + millis),
    currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe() + nanos,
    currentTimeNanos: Effect.map(clock.currentTimeNanos, (now) => now + nanos),
  };
};

/** Tells of a call at the very moment it leaves, and of the round it is made for. */
const layerWatchedCalls = ({ life, onCall }: ProcessParts) =>
  Layer.effect(
    GatewayCalls,
    Effect.map(GatewayCalls, ({ given, perform }) =>
      GatewayCalls.of({
        given,
        perform: (payment, intent, around) =>
          perform(payment, intent, {
            ...around,
            onCall: () => {
              around.onCall();
              if (life.alive()) onCall(payment, intent);
            },
          }),
      }),
    ),
  ).pipe(Layer.provide(layerGatewayCalls), Layer.provide(layerUnhurtGateways));

const layerFakes = ({ life, settings, gateways, protecting, answer, crashPoints }: ProcessParts) =>
  Layer.mergeAll(
    Layer.succeed(Settings, settings),
    Layer.succeed(Deployment, {
      addresses: makeAddressBook("payments"),
      shards: 1,
      deployment: "DEPLOYMENT",
      commandStreamCreated: 0,
    }),
    Layer.succeed(Answers, { answer: (asker, reply) => void (life.alive() && answer(asker, reply)) }),
    Layer.succeed(Ownership, {
      now: () => ({ wallMillis: 0, monotonicNanos: 0n }),
      hold: () => undefined,
      drop: () => undefined,
      holds: () => life.alive(),
      held: () => [0],
    }),
    Layer.succeed(Gateways, gateways),
    layerProtection(protecting),
    Layer.succeed(CrashPoints, { reach: (...at) => void (life.alive() && crashPoints.reach(...at)) }),
  );

export const startProcess = (parts: ProcessParts) =>
  Effect.gen(function* () {
    const fakes = Layer.mergeAll(layerFakes(parts), parts.world.portsOf(parts.life));
    const layer = layerIngress.pipe(
      Layer.provide(layerPaymentActors),
      Layer.provide(layerPaymentSteps),
      Layer.provide(Layer.mergeAll(layerRefusals, layerGivingUp)),
      Layer.provide(Layer.mergeAll(layerWatchedCalls(parts), layerParking)),
      Layer.provide(parts.hooks === undefined ? Layer.empty : Layer.provide(layerHookCalls, layerHooks(parts.hooks))),
      Layer.provide(fakes),
    );
    const random = { nextDoubleUnsafe: parts.random, nextIntUnsafe: () => Math.floor(parts.random() * 2 ** 31) };
    const clock = ahead(yield* Clock.Clock, parts.aheadMillis);
    const services = yield* Layer.build(layer).pipe(
      Effect.provideService(Clock.Clock, clock),
      Effect.provideService(Random.Random, random),
      Effect.provideService(References.MinimumLogLevel, "None"),
    );
    return Context.get(services, Ingress);
  });
