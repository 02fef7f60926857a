/** Durable timers as message schedules of the stream PAYMENTS_TIMERS, which fires them within itself. */
import { jetstream } from "@nats-io/jetstream";
import { headers } from "@nats-io/nats-core";
import { Effect, Layer } from "effect";
import { count, metric } from "../metrics/Metrics.ts";
import { Nats } from "../nats/NatsConnection.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { ArmingFailed, Timers } from "./Timers.ts";

/** How long arming waits for its answer, in milliseconds: what a reconnect has swallowed is sent again soon. */
const armTimeoutMillis = 2_000;

export const layerNatsTimers = Layer.effect(
  Timers,
  Effect.gen(function* () {
    const { connection, manager } = yield* Nats;
    const impatient = jetstream(connection, { timeout: armTimeoutMillis });
    const { addresses } = yield* Deployment;
    return Timers.of({
      arm: ({ payment, kind, version }, due, body = "") =>
        Effect.tryPromise({
          try: () => {
            const schedule = headers();
            schedule.set("Nats-Schedule", `@at ${due}`);
            schedule.set("Nats-Schedule-Target", addresses.due(payment, kind, version));
            return impatient.publish(addresses.timer(payment, kind, version), body, { headers: schedule });
          },
          catch: (cause) => new ArmingFailed({ cause }),
        }).pipe(Effect.map(() => count(metric.timersArmed))),
      // A purge of its one subject: cancelling by a header would leave a message in the due queue.
      cancel: ({ payment, kind, version }) =>
        Effect.ignore(
          Effect.tryPromise(() =>
            manager.streams.purge(addresses.streams.timers, { filter: addresses.timer(payment, kind, version) }),
          ).pipe(Effect.map(() => count(metric.timersCancelled))),
        ),
    });
  }),
);
