/** Asking nodes about payments, by request and reply. */
import type { AddressBook } from "@aegispay/core/addresses/AddressBook";
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import { EventsReply, PaymentReply, type QueryBody } from "@aegispay/core/payment/Reply";
import { Effect, Schedule, Schema } from "effect";
import type { Nats } from "../nats/NatsConnection.ts";
import { QueryRefused, QueryUnanswered } from "./ClientErrors.ts";

/** How long one query may take, in milliseconds. */
const queryTimeoutMillis = 5_000;

/** How often an unanswered query is asked again, with growing pauses: a worker may just be starting again. */
const queryRetries = 4;

const decodePayment = Schema.decodeUnknownEffect(Schema.fromJsonString(PaymentReply));
const decodeEvents = Schema.decodeUnknownEffect(Schema.fromJsonString(EventsReply));

export const makeQueries = ({ connection }: Nats["Service"], addresses: AddressBook) => {
  const ask = (payment: PaymentRef, kind: "get" | "events", body: QueryBody) =>
    Effect.tryPromise({
      try: () =>
        connection.request(addresses.query(payment, kind), JSON.stringify(body), { timeout: queryTimeoutMillis }),
      catch: (cause) => new QueryUnanswered({ cause }),
    }).pipe(
      Effect.map((message) => message.string()),
      Effect.retry({ times: queryRetries, schedule: Schedule.exponential(100) }),
    );

  const unreadable = (cause: unknown) => new QueryUnanswered({ cause });

  return {
    get: Effect.fnUntraced(function* (payment: PaymentRef, body: QueryBody) {
      const reply = yield* Effect.mapError(decodePayment(yield* ask(payment, "get", body)), unreadable);
      return reply.ok ? reply : yield* new QueryRefused({ code: reply.error.code, message: reply.error.message });
    }),
    events: Effect.fnUntraced(function* (payment: PaymentRef, from: number) {
      const reply = yield* Effect.mapError(decodeEvents(yield* ask(payment, "events", { from })), unreadable);
      return reply.ok ? reply : yield* new QueryRefused({ code: reply.error.code, message: reply.error.message });
    }),
  };
};

export type Queries = ReturnType<typeof makeQueries>;
