/**
 * Puts a delivery aside: parked, durably, then out of the queue, so that its payment owes nothing that nobody knows of
 * (law 5). What cannot be parked now stays in the queue and comes again.
 */
import { holdsCardNumber } from "@aegispay/core/identity/CardNumber";
import { isoTime } from "@aegispay/core/payment/Given";
import type { Rejection } from "@aegispay/core/payment/Rejection";
import { Clock, Context, Effect, Layer } from "effect";
import { HookCalls } from "../hooks/HookCalls.ts";
import type { Delivery } from "../ingress/CommandQueue.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { DeadLetters } from "./DeadLetters.ts";

/** A token of the address as it may be kept. */
const shown = (token: string): string => (holdsCardNumber(token) ? "_card-number" : token);

/**
 * What of a command's headers is kept. Not who waited for its answer: they have been told, and what comes of it when it is
 * tried again must not be sent to nobody instead of being parked.
 */
const keptHeaders = ["Aegis-Command-Id", "traceparent"] as const;

/** Before a delivery that could not be parked comes again, in milliseconds. */
export const parkAgainMillis = 2_000;

/** The most that is kept of a stack, in characters. */
const stackMax = 8_000;

export interface Parked {
  readonly rejection: Rejection;
  readonly stack?: string;
  /** As text; absent where it must not be kept. */
  readonly body?: string;
}

export class Parking extends Context.Service<
  Parking,
  {
    /** Parks and takes out of the queue by `leave` (an ack by default). Answers whether it is parked. */
    readonly park: (delivery: Delivery, parked: Parked, leave?: Effect.Effect<void>) => Effect.Effect<boolean>;
  }
>()("@aegispay/runtime/Parking") {}

const make = Effect.gen(function* () {
  const deadLetters = yield* DeadLetters;
  const clock = yield* Clock.Clock;
  const hooks = yield* HookCalls;
  const { commandStreamCreated } = yield* Deployment;

  /** A command that brought no identity keeps, parked, the one it had by its position. */
  const headersOf = (delivery: Delivery, message: string): Readonly<Record<string, string>> => {
    const headers: Record<string, string> = {};
    if (delivery.source === "command") headers["Aegis-Command-Id"] = message;
    for (const name of keptHeaders) {
      const value = delivery.header(name);
      if (value !== undefined && !holdsCardNumber(value)) headers[name] = value;
    }
    return headers;
  };

  return Parking.of({
    park: (delivery, { rejection, stack, body }, leave = Effect.sync(delivery.ack)) => {
      const { source, payment, verb, version } = delivery;
      const message =
        source === "command"
          ? `${commandStreamCreated}/${delivery.sequence}`
          : `${source}/${version ?? ""}/${delivery.sequence}`;
      const kept = { merchant: shown(payment.merchant), paymentId: shown(payment.paymentId) };
      return deadLetters
        .park({
          payment: kept,
          source,
          verb: shown(verb),
          code: rejection.code,
          reason: rejection.message,
          message,
          at: isoTime(clock.currentTimeMillisUnsafe()),
          headers: headersOf(delivery, message),
          ...(stack === undefined ? {} : { stack: stack.slice(0, stackMax) }),
          ...(body === undefined ? {} : { body }),
        })
        .pipe(
          Effect.andThen(leave),
          Effect.andThen(Effect.sync(() => hooks.failed("parked", kept, `${rejection.code}: ${rejection.message}`))),
          Effect.as(true),
          Effect.catchTag("ParkingFailed", (failed) => {
            delivery.returnLater(parkAgainMillis);
            return Effect.as(
              Effect.logWarning(`what cannot be done could not be parked, it comes again: ${String(failed.cause)}`),
              false,
            );
          }),
        );
    },
  });
});

export const layerParking = Layer.effect(Parking, make);
