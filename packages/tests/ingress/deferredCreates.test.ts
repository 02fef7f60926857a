/** Creates that wait for a gateway on timers: which ones, as what they come again, and for how long. */
import { reject } from "@aegispay/core/payment/Rejection";
import type { Create } from "@aegispay/core/payment/PaymentCommand";
import { defaultSettings, Settings } from "@aegispay/runtime/config/RuntimeSettings";
import type { Delivery } from "@aegispay/runtime/ingress/CommandQueue";
import { decodeCommand } from "@aegispay/runtime/ingress/decodeCommand";
import { makeDeferredCreates, readDeferred } from "@aegispay/runtime/ingress/deferredCreates";
import { ArmingFailed, Timers, type Timer } from "@aegispay/runtime/timers/Timers";
import { expect, it } from "@effect/vitest";
import { Effect, Layer } from "effect";
import { TestClock } from "effect/testing";
import { givenAt, payment } from "../core/paymentExamples.ts";

const body = JSON.stringify({ amount: { value: 1999, currency: "USD" }, method: { type: "card", token: "tok_visa" } });
const noGateway = reject("NoGatewayAvailable", "their breakers are open", true);
const { resendForMillis, createAgainDelaysMillis } = defaultSettings.policy;

const world = Effect.gen(function* () {
  const armed: Array<{ readonly timer: Timer; readonly due: string; readonly body: string }> = [];
  const told: Array<string> = [];
  const orders = { failArmings: 0 };
  const timers = Layer.succeed(
    Timers,
    Timers.of({
      arm: (timer, due, said = "") =>
        Effect.suspend(() => {
          if (orders.failArmings-- > 0) return Effect.fail(new ArmingFailed({ cause: "ordered to fail" }));
          armed.push({ timer, due, body: said });
          return Effect.void;
        }),
      cancel: () => Effect.void,
    }),
  );
  const deferred = yield* Effect.provide(
    makeDeferredCreates,
    Layer.merge(timers, Layer.succeed(Settings, defaultSettings)),
  );
  const delivery = (given: Partial<Delivery> = {}): Delivery => ({
    source: "command",
    shard: 3,
    epoch: 1,
    payment,
    verb: "create",
    body: Buffer.from(body),
    header: (name) => (name === "Aegis-Command-Id" ? "order-17" : undefined),
    headerText: () => "Aegis-Command-Id\norder-17\n",
    sequence: 17,
    ack: () => void told.push("ack"),
    erase: Effect.void,
    returnLater: () => void told.push("returned"),
    ...given,
  });
  /** The latest timer, as it fires. */
  const fired = (): Delivery => {
    const { timer, body: said } = armed.at(-1)!;
    const { kind, version } = timer;
    return delivery({
      source: "due",
      verb: kind,
      version,
      sequence: 4711,
      body: Buffer.from(said),
      header: () => undefined,
    });
  };
  return { deferred, delivery, fired, armed, told, orders };
});

const commandOf = (delivery: Delivery): Create => {
  const decoded = decodeCommand(delivery, `1/${delivery.sequence}`, givenAt());
  if (decoded._tag !== "Decoded" || decoded.command.type !== "Create") throw new Error("that is no create");
  return decoded.command;
};

it.effect("leaves its queue when its timer is armed, and is the same command when that fires", () =>
  Effect.gen(function* () {
    const { deferred, delivery, fired, armed, told } = yield* world;
    const command = commandOf(delivery());
    expect(deferred.isDeferred(delivery(), command, noGateway)).toBe(true);
    yield* deferred.defer(delivery());
    expect(told).toEqual(["ack"]);
    expect(armed).toMatchObject([{ timer: { payment, kind: "create-1", version: 17 } }]);
    const again = readDeferred(fired())!;
    expect(again).toMatchObject({ source: "command", verb: "create", sequence: 17, deferred: { times: 1 } });
    expect(commandOf(again)).toEqual(command);
  }),
);

it.effect("waits longer each time", () =>
  Effect.gen(function* () {
    const { deferred, delivery, fired, armed } = yield* world;
    yield* deferred.defer(delivery());
    for (const [times, delay] of createAgainDelaysMillis.entries()) {
      const due = Date.parse(armed.at(-1)!.due);
      expect(due).toBeGreaterThanOrEqual(delay / 2);
      expect(due).toBeLessThanOrEqual(delay);
      yield* deferred.defer(readDeferred(fired())!);
      expect(armed.at(-1)!.timer.kind).toBe(`create-${times + 2}`);
    }
  }),
);

it.effect("is not deferred for longer than a request may be sent again", () =>
  Effect.gen(function* () {
    const { deferred, delivery, fired } = yield* world;
    yield* deferred.defer(delivery());
    const again = readDeferred(fired())!;
    yield* TestClock.adjust(resendForMillis - 1);
    expect(deferred.isDeferred(again, commandOf(again), noGateway)).toBe(true);
    yield* TestClock.adjust(1);
    expect(deferred.isDeferred(again, commandOf(again), noGateway)).toBe(false);
  }),
);

it.effect("is refused where somebody waits for the answer, or where no gateway will ever take it", () =>
  Effect.gen(function* () {
    const { deferred, delivery } = yield* world;
    const command = commandOf(delivery());
    const asked = { ...command, replyTo: { token: "a".repeat(22), when: "completed" as const } };
    expect(deferred.isDeferred(delivery(), asked, noGateway)).toBe(false);
    expect(deferred.isDeferred(delivery(), command, reject("NoGatewayAvailable", "none takes XYZ"))).toBe(false);
    expect(deferred.isDeferred(delivery(), command, reject("Overloaded", "too much"))).toBe(false);
  }),
);

it.effect("stays in its queue where its timer could not be armed", () =>
  Effect.gen(function* () {
    const { deferred, delivery, told, orders, armed } = yield* world;
    orders.failArmings = 1;
    yield* deferred.defer(delivery());
    expect(told).toEqual(["returned"]);
    expect(armed).toEqual([]);
  }),
);

it.effect("is nothing where a timer of its name carries something else", () =>
  Effect.gen(function* () {
    const { delivery } = yield* world;
    expect(
      readDeferred(delivery({ source: "due", verb: "create-1", version: 17, body: Buffer.from("{}") })),
    ).toBeUndefined();
  }),
);
