/**
 * What happens to a command that cannot be done: whoever waits is told, what nobody waits for is parked, card data is
 * erased; only then does it leave the queue.
 */
import { holdsCardNumber } from "@aegispay/core/identity/CardNumber";
import { isoTime } from "@aegispay/core/payment/Given";
import { Clock, Context, Effect, Layer } from "effect";
import { Answers } from "../answers/Answers.ts";
import { DeadLetters } from "../dead/DeadLetters.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import type { Delivery } from "./CommandQueue.ts";
import type { Refused } from "./decodeCommand.ts";

/** A token of the address as it may be kept. */
const shown = (token: string): string => (holdsCardNumber(token) ? "_card-number" : token);

/** Before a command that could not be parked is delivered again, in milliseconds. */
const parkAgainMillis = 2_000;

export class Refusals extends Context.Service<
  Refusals,
  { readonly refuse: (delivery: Delivery, refused: Refused) => Effect.Effect<void> }
>()("@aegispay/runtime/Refusals") {}

const make = Effect.gen(function* () {
  const answers = yield* Answers;
  const deadLetters = yield* DeadLetters;
  const clock = yield* Clock.Clock;
  const { commandStreamCreated } = yield* Deployment;

  const park = (delivery: Delivery, refused: Refused) =>
    deadLetters.park({
      payment: { merchant: shown(delivery.payment.merchant), paymentId: shown(delivery.payment.paymentId) },
      verb: shown(delivery.verb),
      code: refused.rejection.code,
      reason: refused.rejection.message,
      message: `${commandStreamCreated}/${delivery.sequence}`,
      at: isoTime(clock.currentTimeMillisUnsafe()),
      ...(refused.body === undefined ? {} : { body: refused.body }),
    });

  const leaveQueue = (delivery: Delivery, refused: Refused) =>
    refused.rejection.code === "CardDataRefused" ? delivery.erase : Effect.sync(delivery.ack);

  return Refusals.of({
    refuse: Effect.fnUntraced(function* (delivery: Delivery, refused: Refused) {
      const { replyTo, commandId, rejection } = refused;
      if (replyTo !== undefined) {
        const asker = { merchant: delivery.payment.merchant, token: replyTo.token, commandId };
        answers.answer(asker, { ok: false, replayed: false, error: rejection });
        return yield* leaveQueue(delivery, refused);
      }
      yield* park(delivery, refused).pipe(
        Effect.andThen(leaveQueue(delivery, refused)),
        Effect.catchTag("ParkingFailed", (failed) => {
          delivery.returnLater(parkAgainMillis);
          return Effect.logWarning(`a refused command could not be parked, it comes again: ${String(failed.cause)}`);
        }),
      );
    }),
  });
});

export const layerRefusals = Layer.effect(Refusals, make);
