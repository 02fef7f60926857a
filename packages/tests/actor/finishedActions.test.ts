import { makeAddressBook } from "@aegispay/core/addresses/AddressBook";
import { intents, type ChargeIntent } from "@aegispay/core/payment/intents";
import type { NewEvent } from "@aegispay/core/payment/PaymentEvent";
import { Gateways, type Gateway } from "@aegispay/gateways/Gateway";
import { defaultSettings, Settings } from "@aegispay/runtime/config/RuntimeSettings";
import { GatewayCalls, layerGatewayCalls } from "@aegispay/runtime/effects/GatewayCalls";
import { Deployment } from "@aegispay/runtime/nats/NatsTopology";
import { layerNoCrashPoints } from "@aegispay/runtime/seam/CrashPoints";
import { describe, expect, it } from "@effect/vitest";
import { Effect, Layer } from "effect";
import { commandRecord, waiting } from "../core/operationExamples.ts";
import { approved, deployment, north, payment, roundStarted, unknown } from "../core/paymentExamples.ts";
import { stateAfter } from "../core/specification.ts";
import { layerProtection, unprotected } from "./seededProtection.ts";
import { layerUnhurtGateways } from "./unhurtGateways.ts";

const reported: NewEvent = {
  type: "AuthenticationReported",
  data: { attempt: 1, brought: { redirectResult: "r" }, command: commandRecord("authenticate") },
};

/** The look-up that a payment owes whose customer has come back with something. */
const owed = intents(stateAfter([...waiting, reported, roundStarted(1, "lookUp")]))[0] as ChargeIntent;

/** Performs it at a gateway, and says what the gateway was asked and what came of it. */
const performed = (answers: Partial<Pick<Gateway, "finishAction" | "lookUp">>) =>
  Effect.gen(function* () {
    const asked: Array<unknown> = [];
    const { finishAction, lookUp = () => Effect.succeed(unknown) } = answers;
    const gateway: Gateway = {
      name: north.gateway,
      account: north.account,
      start: () => Effect.succeed(unknown),
      operate: () => Effect.succeed(unknown),
      lookUpOperation: () => Effect.succeed(unknown),
      lookUp: (request) => {
        asked.push("look-up");
        return lookUp(request);
      },
      ...(finishAction === undefined
        ? {}
        : {
            finishAction: (request, brought) => {
              asked.push(brought);
              return finishAction(request, brought);
            },
          }),
    };
    const around = { shard: 0, isDue: true, isMine: () => true, onCall: () => undefined };
    const recorded = yield* Effect.flatMap(GatewayCalls, ({ perform }) => perform(payment, owed, around)).pipe(
      Effect.provide(layerGatewayCalls),
      Effect.provide(
        Layer.mergeAll(
          layerNoCrashPoints,
          layerUnhurtGateways,
          layerProtection(unprotected),
          Layer.succeed(Settings, defaultSettings),
          Layer.succeed(Gateways, { candidates: [north], find: () => gateway }),
          Layer.succeed(Deployment, {
            addresses: makeAddressBook("payments"),
            shards: 1,
            deployment,
            commandStreamCreated: 0,
          }),
        ),
      ),
    );
    return { asked, outcome: recorded?.outcome };
  });

describe("what a customer brought back", () => {
  it.effect("is handed to a gateway that waits for it, whose answer is the look-up's", () =>
    Effect.gen(function* () {
      const { asked, outcome } = yield* performed({ finishAction: () => Effect.succeed(approved()) });
      expect(asked).toEqual([{ redirectResult: "r" }]);
      expect(outcome).toEqual(approved());
    }),
  );

  it.effect("decides nothing where the gateway cannot use it: the charge is looked up all the same", () =>
    Effect.gen(function* () {
      const { asked, outcome } = yield* performed({
        finishAction: () => Effect.succeed(unknown),
        lookUp: () => Effect.succeed(approved()),
      });
      expect(asked).toEqual([{ redirectResult: "r" }, "look-up"]);
      expect(outcome).toEqual(approved());
    }),
  );

  it.effect("is not handed to a gateway that hears of its customers by itself", () =>
    Effect.gen(function* () {
      const { asked } = yield* performed({ lookUp: () => Effect.succeed(approved()) });
      expect(asked).toEqual(["look-up"]);
    }),
  );
});
