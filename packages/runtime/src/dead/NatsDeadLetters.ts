/** What is parked, in the stream PAYMENTS_DEAD. */
import { isToken } from "@aegispay/core/identity/Identity";
import { Effect, Layer } from "effect";
import { count, metric } from "../metrics/Metrics.ts";
import { Nats } from "../nats/NatsConnection.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { DeadLetters, ParkingFailed } from "./DeadLetters.ts";

/** A hostile token must not become part of a subject; the letter itself says what it was. */
const safeToken = (token: string): string => (isToken(token) ? token : "_invalid");

export const layerNatsDeadLetters = Layer.effect(
  DeadLetters,
  Effect.gen(function* () {
    const { jetstream, manager } = yield* Nats;
    const { addresses } = yield* Deployment;

    /**
     * The window remembers what was parked also when an operator has put it back since: what is parked again after that
     * is another entry, and what is called a duplicate counts as parked only while the first is still there.
     */
    const parkAt = async (subject: string, body: string, msgID: string): Promise<void> => {
      const { duplicate, seq } = await jetstream.publish(subject, body, { msgID });
      if (!duplicate || (await manager.streams.getMessage(addresses.streams.dead, { seq })) !== null) return;
      await jetstream.publish(subject, body);
    };

    return DeadLetters.of({
      park: (letter) => {
        const { merchant, paymentId } = letter.payment;
        const payment = { merchant: safeToken(merchant), paymentId: safeToken(paymentId) };
        return Effect.tryPromise({
          try: () =>
            parkAt(
              addresses.dead(payment, safeToken(letter.verb)),
              JSON.stringify(letter),
              `${letter.message}/${letter.code}`,
            ),
          catch: (cause) => new ParkingFailed({ cause }),
        }).pipe(Effect.map(() => count(metric.parked(letter.code))));
      },
    });
  }),
);
