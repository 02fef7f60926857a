/**
 * What happens to a command that cannot be done: whoever waits is told, what nobody waits for is parked, card data is
 * erased; only then does it leave the queue.
 */
import { Context, Effect, Layer } from "effect";
import { Answers } from "../answers/Answers.ts";
import { Parking } from "../dead/Parking.ts";
import type { Delivery } from "./CommandQueue.ts";
import type { Refused } from "./decodeCommand.ts";

export class Refusals extends Context.Service<
  Refusals,
  { readonly refuse: (delivery: Delivery, refused: Refused) => Effect.Effect<void> }
>()("@aegispay/runtime/Refusals") {}

const make = Effect.gen(function* () {
  const answers = yield* Answers;
  const parking = yield* Parking;

  return Refusals.of({
    refuse: Effect.fnUntraced(function* (delivery: Delivery, refused: Refused) {
      const { replyTo, commandId, rejection, body } = refused;
      const leave = rejection.code === "CardDataRefused" ? delivery.erase : Effect.sync(delivery.ack);
      if (replyTo === undefined) {
        yield* parking.park(delivery, { rejection, ...(body === undefined ? {} : { body }) }, leave);
        return;
      }
      const asker = { merchant: delivery.payment.merchant, token: replyTo.token, commandId };
      answers.answer(asker, { ok: false, replayed: false, error: rejection });
      yield* leave;
    }),
  });
});

export const layerRefusals = Layer.effect(Refusals, make);
