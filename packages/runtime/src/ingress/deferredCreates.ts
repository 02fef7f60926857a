/**
 * Creates that no gateway can take at this moment, since all that could are being left alone, and that nobody waits for: each
 * waits on a durable timer, which carries it, and is decided anew when that fires. So an outage of gateways costs those who
 * publish without waiting nothing but time; who waits is told at once, and may go elsewhere.
 *
 * 1. It leaves its queue only when its timer is durable (law 5): nothing of its payment has begun.
 * 2. Whenever it comes again it is the same command: by its position in the stream of commands, its identity, its body.
 * 3. After as long as a request may be sent again it is refused, and so parked, like anything that nobody waits for.
 */
import { delayOf, isoTime } from "@aegispay/core/payment/Given";
import type { Create } from "@aegispay/core/payment/PaymentCommand";
import type { Rejection } from "@aegispay/core/payment/Rejection";
import { Clock, Effect, Option, Random, Schema } from "effect";
import { Settings } from "../config/RuntimeSettings.ts";
import { count, metric } from "../metrics/Metrics.ts";
import { Timers } from "../timers/Timers.ts";
import type { Delivery } from "./CommandQueue.ts";

/** Headers of a command that mean something to whoever decides it. */
const keptHeaders = ["Aegis-Command-Id", "traceparent"] as const;

const Carried = Schema.Struct({
  /** Of the command, in its stream. */
  sequence: Schema.Int,
  /** How often it was deferred. */
  times: Schema.Int,
  /** When it was deferred first, in milliseconds since the epoch. */
  sinceMillis: Schema.Number,
  headers: Schema.Record(Schema.String, Schema.String),
  body: Schema.String,
});

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Carried));

/** Before one that could not be deferred comes again, in milliseconds. */
const againMillis = 2_000;

/** The command that a fired timer carries, as it came out of its queue; undefined: nobody deferred that. */
export const readDeferred = (due: Delivery): Delivery | undefined => {
  const carried = Option.getOrUndefined(decode(Buffer.from(due.body).toString("utf8")));
  if (carried === undefined) return undefined;
  const { sequence, times, sinceMillis, headers, body } = carried;
  const { version: _version, ...delivery } = due;
  return {
    ...delivery,
    source: "command",
    verb: "create",
    sequence,
    body: Buffer.from(body),
    header: (name) => (Object.hasOwn(headers, name) ? headers[name] : undefined),
    headerText: () => Object.entries(headers).flat().join("\n"),
    deferred: { times, sinceMillis },
  };
};

export const makeDeferredCreates = Effect.gen(function* () {
  const { policy } = yield* Settings;
  const clock = yield* Clock.Clock;
  const random = yield* Random.Random;
  const timers = yield* Timers;

  return {
    /** Whether it is deferred instead of refused. */
    isDeferred: (delivery: Delivery, command: Create, { code, retryable }: Rejection): boolean =>
      code === "NoGatewayAvailable" &&
      retryable &&
      command.replyTo === undefined &&
      (delivery.deferred === undefined ||
        clock.currentTimeMillisUnsafe() - delivery.deferred.sinceMillis < policy.resendForMillis),
    defer: (delivery: Delivery): Effect.Effect<void> => {
      const at = clock.currentTimeMillisUnsafe();
      const { times, sinceMillis } = delivery.deferred ?? { times: 0, sinceMillis: at };
      const headers: Record<string, string> = {};
      for (const name of keptHeaders) {
        const value = delivery.header(name);
        if (value !== undefined) headers[name] = value;
      }
      const { payment, sequence } = delivery;
      const body = Buffer.from(delivery.body).toString("utf8");
      const carried: typeof Carried.Type = { sequence, times: times + 1, sinceMillis, headers, body };
      const due = isoTime(at + delayOf(policy.createAgainDelaysMillis, times, random.nextDoubleUnsafe()));
      return timers.arm({ payment, kind: `create-${times + 1}`, version: sequence }, due, JSON.stringify(carried)).pipe(
        Effect.matchEffect({
          onSuccess: () =>
            Effect.sync(() => {
              count(metric.createsDeferred);
              delivery.ack();
            }),
          onFailure: () => Effect.sync(() => delivery.returnLater(againMillis)),
        }),
      );
    },
  };
});
