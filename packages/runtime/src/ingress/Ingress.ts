/** From a delivery to its actor, or to a refusal: the one place where what was published is looked at. */
import { isToken } from "@aegispay/core/identity/Identity";
import { reject } from "@aegispay/core/payment/Rejection";
import { Context, Effect, Layer } from "effect";
import { PaymentActors } from "../actor/PaymentActors.ts";
import type { Delivered } from "../actor/PaymentActor.ts";
import { Parking } from "../dead/Parking.ts";
import { GatewayCalls } from "../effects/GatewayCalls.ts";
import { count, metric } from "../metrics/Metrics.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { isCreateTimer, isWebhookTimer } from "../timers/Timers.ts";
import { decodeNotifyBody } from "../webhooks/NotifyBody.ts";
import { isUnaddressed, makeWaitingNotifications } from "../webhooks/waitingNotifications.ts";
import type { Delivery } from "./CommandQueue.ts";
import { decodeCommand } from "./decodeCommand.ts";
import { readDeferred } from "./deferredCreates.ts";
import { Refusals } from "./Refusals.ts";

export class Ingress extends Context.Service<
  Ingress,
  {
    /** Mail for the delivery's actor; undefined where it was refused, which then goes on by itself. */
    readonly read: (delivery: Delivery) => Delivered | undefined;
    readonly take: (delivery: Delivery) => void;
  }
>()("@aegispay/runtime/Ingress") {}

/** What nodes and operators may ask of a payment besides: to look at what it owes. */
const internalVerbs: ReadonlyMap<string, "Wake"> = new Map([["resume", "Wake"]]);

export const layerIngress = Layer.effect(
  Ingress,
  Effect.gen(function* () {
    const actors = yield* PaymentActors;
    const refusals = yield* Refusals;
    const parking = yield* Parking;
    const calls = yield* GatewayCalls;
    const waiting = yield* makeWaitingNotifications;
    const { commandStreamCreated } = yield* Deployment;
    const fork = Effect.runForkWith(yield* Effect.context());

    /** What a gateway's webhook has come to: a body, or nothing where an operator says "look at all of it". */
    const readNotified = (delivery: Delivery): Delivered | undefined => {
      if (delivery.body.length === 0) return { _tag: "Notified", delivery };
      const body = decodeNotifyBody(delivery.body);
      if (body === undefined) {
        fork(parking.park(delivery, { rejection: reject("InvalidCommand", "what was notified cannot be read") }));
        return undefined;
      }
      if (!isUnaddressed(delivery.payment)) return { _tag: "Notified", delivery, body };
      fork(waiting.address(delivery, body));
      return undefined;
    };

    const isNotified = ({ source, verb, payment }: Delivery): boolean =>
      isToken(payment.merchant) &&
      isToken(payment.paymentId) &&
      (source === "internal" ? verb === "notify" : source === "due" && isWebhookTimer(verb));

    const readOurs = (delivery: Delivery): Delivered | undefined => {
      if (isNotified(delivery)) return readNotified(delivery);
      const { source, payment, verb } = delivery;
      const { version = 1 } = delivery;
      const isDue = source === "due" && Number.isSafeInteger(version) && version > 0;
      const known = source === "due" ? (isDue ? "Wake" : undefined) : internalVerbs.get(verb);
      if (known !== undefined && isToken(payment.merchant) && isToken(payment.paymentId))
        return { _tag: known, delivery };
      const rejection = reject("InvalidCommand", `nothing here knows what ${source} "${verb}" means`);
      fork(parking.park(delivery, { rejection }));
      return undefined;
    };

    const read = (given: Delivery): Delivered | undefined => {
      const deferred = given.source === "due" && isCreateTimer(given.verb) ? readDeferred(given) : undefined;
      const delivery = deferred ?? given;
      const isCommand =
        delivery.source === "command" || (delivery.source === "internal" && delivery.verb === "resolve");
      if (!isCommand) return readOurs(delivery);
      const decoded = decodeCommand(delivery, `${commandStreamCreated}/${delivery.sequence}`, calls.given());
      if (decoded._tag === "Decoded") return { _tag: "Command", delivery, command: decoded.command };
      fork(refusals.refuse(delivery, decoded));
      return undefined;
    };

    return Ingress.of({
      read,
      take: (delivery) => {
        count(metric.commandsTaken(delivery.source));
        if (delivery.source === "due") count(metric.timersDue);
        const mail = read(delivery);
        if (mail !== undefined) actors.tell(mail);
      },
    });
  }),
);
