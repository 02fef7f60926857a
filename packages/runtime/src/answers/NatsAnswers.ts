/** Answers on `payments.reply.<merchant>.<token>`: the merchant is the command's own, the token no subject (CONTRACT). */
import { Effect, Layer } from "effect";
import { count, metric } from "../metrics/Metrics.ts";
import { Nats } from "../nats/NatsConnection.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { headerLine, wireHeaders } from "../nats/wireHeaders.ts";
import { Answers } from "./Answers.ts";

export const layerNatsAnswers = Layer.effect(
  Answers,
  Effect.gen(function* () {
    const { connection } = yield* Nats;
    const { addresses } = yield* Deployment;
    return Answers.of({
      answer: ({ merchant, token, commandId }, reply) => {
        // A connection that is closing takes no more; whoever waits asks again.
        if (connection.isClosed() || connection.isDraining()) return;
        count(metric.answers);
        const headers = wireHeaders(headerLine("Aegis-Command-Id", commandId));
        connection.publish(addresses.reply(merchant, token), JSON.stringify(reply), { headers });
      },
    });
  }),
);
