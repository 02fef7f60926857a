/** What is parked, in the stream PAYMENTS_DEAD. */
import { isToken } from "@aegispay/core/identity/Identity";
import { Effect, Layer } from "effect";
import { Nats } from "../nats/NatsConnection.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { DeadLetters, ParkingFailed } from "./DeadLetters.ts";

/** A hostile token must not become part of a subject; the letter itself says what it was. */
const safeToken = (token: string): string => (isToken(token) ? token : "_invalid");

export const layerNatsDeadLetters = Layer.effect(
  DeadLetters,
  Effect.gen(function* () {
    const { jetstream } = yield* Nats;
    const { addresses } = yield* Deployment;
    return DeadLetters.of({
      park: (letter) => {
        const { merchant, paymentId } = letter.payment;
        const payment = { merchant: safeToken(merchant), paymentId: safeToken(paymentId) };
        return Effect.tryPromise({
          try: () =>
            jetstream.publish(addresses.dead(payment, safeToken(letter.verb)), JSON.stringify(letter), {
              msgID: `${letter.message}/${letter.code}`,
            }),
          catch: (cause) => new ParkingFailed({ cause }),
        }).pipe(Effect.asVoid);
      },
    });
  }),
);
