/** Serves `payments.query.>` as one queue group over all nodes. */
import { Effect, Layer, Semaphore } from "effect";
import { reject } from "@aegispay/core/payment/Rejection";
import type { Msg } from "@nats-io/nats-core";
import type { EventLog } from "../log/EventLog.ts";
import { Nats } from "../nats/NatsConnection.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { answerQuery } from "./answerQuery.ts";

/** Queries worked on at once by one worker; what is over is told to ask again. */
const concurrentQueries = 64;

/** Only inboxes are answered: any other reply subject could be a place that the asker may not publish to. */
const isInbox = (subject: string): boolean => subject.startsWith("_INBOX.") || subject.startsWith("_R_.");

export const layerNatsQueries = Layer.effectDiscard(
  Effect.gen(function* () {
    const { connection } = yield* Nats;
    const { addresses } = yield* Deployment;
    const context = yield* Effect.context<EventLog>();
    const places = Semaphore.makeUnsafe(concurrentQueries);
    const overloaded = JSON.stringify({ ok: false, error: reject("Overloaded", "too many queries: ask again") });

    const serve = (message: Msg): void => {
      const address = addresses.parseQuery(message.subject);
      if (address === undefined || message.reply === undefined || !isInbox(message.reply)) return;
      const answered = places
        .withPermitsIfAvailable(1)(answerQuery(addresses, address.payment, address.kind, message.data))
        .pipe(
          Effect.map((answer) => (answer._tag === "Some" ? JSON.stringify(answer.value) : overloaded)),
          Effect.catchCause((cause) => Effect.as(Effect.logError("a query failed", cause), overloaded)),
          Effect.map((text) => void message.respond(text)),
        );
      Effect.runForkWith(context)(answered);
    };

    yield* Effect.acquireRelease(
      Effect.sync(() =>
        connection.subscribe(addresses.patterns.queries, {
          queue: "aegispay-nodes",
          callback: (error, message) => {
            if (error === null) serve(message);
          },
        }),
      ),
      (subscription) => Effect.sync(() => subscription.unsubscribe()),
    );
  }),
);
