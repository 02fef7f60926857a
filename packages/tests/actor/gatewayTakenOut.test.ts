import { makeAddressBook } from "@aegispay/core/addresses/AddressBook";
import { intents, type GatewayIntent } from "@aegispay/core/payment/intents";
import type { NewEvent } from "@aegispay/core/payment/PaymentEvent";
import { Gateways } from "@aegispay/gateways/Gateway";
import { defaultSettings, Settings } from "@aegispay/runtime/config/RuntimeSettings";
import { GatewayCalls, layerGatewayCalls } from "@aegispay/runtime/effects/GatewayCalls";
import { Deployment } from "@aegispay/runtime/nats/NatsTopology";
import { layerNoCrashPoints } from "@aegispay/runtime/seam/CrashPoints";
import { describe, expect, it } from "@effect/vitest";
import { Effect, Layer } from "effect";
import { authorized, captureRequested } from "../core/operationExamples.ts";
import { deployment, lookingUp, payment, resending, south, started } from "../core/paymentExamples.ts";
import { stateAfter } from "../core/specification.ts";
import { layerProtection, unprotected } from "./seededProtection.ts";
import { layerUnhurtGateways } from "./unhurtGateways.ts";

/** What comes of what the payment owes to north, where only south is configured, and how often a call was to leave. */
const performed = (history: ReadonlyArray<NewEvent>) =>
  Effect.gen(function* () {
    let calls = 0;
    const around = { shard: 0, isDue: true, isMine: () => true, onCall: () => void calls++ };
    const owed = intents(stateAfter(history))[0] as GatewayIntent;
    const { perform } = yield* GatewayCalls;
    const recorded = yield* perform(payment, owed, around);
    return { calls, outcome: recorded?.outcome };
  }).pipe(
    Effect.provide(layerGatewayCalls),
    Effect.provide(
      Layer.mergeAll(
        layerNoCrashPoints,
        layerUnhurtGateways,
        layerProtection(unprotected),
        Layer.succeed(Settings, defaultSettings),
        Layer.succeed(Gateways, { candidates: [south], find: () => undefined }),
        Layer.succeed(Deployment, {
          addresses: makeAddressBook("payments"),
          shards: 1,
          deployment,
          commandStreamCreated: 0,
        }),
      ),
    ),
  );

const reason = "gateway north (account n1) is not configured here";
const retryAfterMillis = defaultSettings.timerFromMillis + 1;

describe("a gateway that was taken out of the configuration", () => {
  it.effect("surely was not sent what it was to be sent", () =>
    Effect.gen(function* () {
      const outcome = { _tag: "NotSent", reason, retryAfterMillis, heldBack: true };
      expect(yield* performed(started)).toEqual({ calls: 0, outcome });
      expect(yield* performed(resending)).toEqual({ calls: 0, outcome });
      expect(yield* performed([...authorized, captureRequested(1, 600)])).toEqual({ calls: 0, outcome });
    }),
  );

  it.effect("gives no answer to a look-up", () =>
    Effect.gen(function* () {
      expect(yield* performed(lookingUp)).toEqual({ calls: 0, outcome: { _tag: "Unknown", reason } });
    }),
  );
});
