/**
 * Notifications whose payment is not there: they wait on durable timers, are tried again at each, and are parked in the end.
 *
 * 1. A notification is acked only when its next timer, or its parked entry, is durable.
 * 2. One kept webhook has one timer for each try, named by its sequence: it has one due time for ever.
 * 3. One that names only a key waits at an address of its own until the key is known, then goes to its payment.
 */
import { isGatewayKey, type PaymentRef } from "@aegispay/core/identity/Identity";
import { isoTime } from "@aegispay/core/payment/Given";
import { reject, type Rejection } from "@aegispay/core/payment/Rejection";
import { Clock, Effect } from "effect";
import { Settings } from "../config/RuntimeSettings.ts";
import { DeadLetters, type ParkingFailed } from "../dead/DeadLetters.ts";
import type { Delivery } from "../ingress/CommandQueue.ts";
import { count, metric } from "../metrics/Metrics.ts";
import { Timers, type ArmingFailed } from "../timers/Timers.ts";
import { GatewayKeys } from "./GatewayKeys.ts";
import { encodeNotifyBody, notificationNumber, type NotifyBody } from "./NotifyBody.ts";

/** The merchant of the address at which those wait that name no payment; its payment id is the gateway's name. */
const unaddressedMerchant = "_webhooks";
export const unaddressed = (gateway: string): PaymentRef => ({ merchant: unaddressedMerchant, paymentId: gateway });
export const isUnaddressed = ({ merchant }: PaymentRef): boolean => merchant === unaddressedMerchant;

/** Before one that could be neither armed nor parked is delivered again, in milliseconds. */
const againMillis = 2_000;

const notThere = (body: NotifyBody, payment: PaymentRef): Rejection =>
  reject(
    "PaymentNotFound",
    isUnaddressed(payment)
      ? `a webhook of ${body.about.gateway} names a key that no payment here has used`
      : `a webhook of ${body.about.gateway} is about a payment that is not there`,
  );

export const makeWaitingNotifications = Effect.gen(function* () {
  const { webhookTriesAtMillis } = yield* Settings;
  const clock = yield* Clock.Clock;
  const timers = yield* Timers;
  const deadLetters = yield* DeadLetters;
  const keys = yield* GatewayKeys;

  const armAt = (payment: PaymentRef, body: NotifyBody, tries: number, dueMillis: number) =>
    timers.arm(
      { payment, kind: `webhook-${tries}`, version: notificationNumber(body) },
      isoTime(dueMillis),
      encodeNotifyBody({ ...body, tries }),
    );

  const parkIt = (payment: PaymentRef, body: NotifyBody) => {
    const rejection = notThere(body, payment);
    const { tries: _, ...again } = body;
    return deadLetters.park({
      payment,
      source: "internal",
      verb: "notify",
      code: rejection.code,
      reason: rejection.message,
      message: `webhook/${body.about.gateway}/${notificationNumber(body)}`,
      at: isoTime(clock.currentTimeMillisUnsafe()),
      body: encodeNotifyBody(again),
    });
  };

  /** Its payment is not there: it waits for its next try, or is parked. What nobody sent by a webhook is forgotten. */
  const wait = (delivery: Delivery, body: NotifyBody): Effect.Effect<void> => {
    const { payment } = delivery;
    const tries = body.tries ?? 0;
    const afterMillis = webhookTriesAtMillis[tries];
    if (tries === 0) count(metric.webhooks(body.about.gateway, "unknown_payment"));
    const held: Effect.Effect<void, ArmingFailed | ParkingFailed> =
      body.webhook === undefined
        ? Effect.void
        : afterMillis === undefined
          ? parkIt(payment, body)
          : armAt(payment, body, tries + 1, body.webhook.receivedAt + afterMillis);
    return Effect.matchEffect(held, {
      onSuccess: () => Effect.sync(delivery.ack),
      onFailure: () => Effect.sync(() => delivery.returnLater(againMillis)),
    });
  };

  /** One that names no payment: to the payment of its key, where that is known by now. */
  const address = (delivery: Delivery, body: NotifyBody): Effect.Effect<void> => {
    const key = body.about.idempotencyKey;
    if (key === undefined || !isGatewayKey(key)) return wait(delivery, body);
    const goOn = Effect.flatMap(keys.find(key), (payment) =>
      payment === undefined
        ? wait(delivery, body)
        : Effect.andThen(
            armAt(payment, body, body.tries ?? 0, clock.currentTimeMillisUnsafe()),
            Effect.sync(delivery.ack),
          ),
    );
    return Effect.catch(goOn, () => Effect.sync(() => delivery.returnLater(againMillis)));
  };

  return { wait, address };
});
