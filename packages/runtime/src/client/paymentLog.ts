/**
 * A payment's events, replayed from a version and followed without a gap: what is republished is only a sign that
 * something new is there; what is missing between is asked for.
 */
import type { AddressBook } from "@aegispay/core/addresses/AddressBook";
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import type { PaymentEvent } from "@aegispay/core/payment/PaymentEvent";
import { Effect, Queue, Stream } from "effect";
import type { Nats } from "../nats/NatsConnection.ts";
import type { QueryRefused } from "./ClientErrors.ts";
import { type QueryUnanswered } from "./ClientErrors.ts";
import type { Queries } from "./queries.ts";

/** A republished message can be lost: after this much silence, in milliseconds, the log is asked anyway. */
const silenceMillis = 5_000;

/** Before a question that got no answer is asked again, in milliseconds. */
const unansweredPauseMillis = 200;

export const makePaymentLog = ({ connection }: Nats["Service"], addresses: AddressBook, queries: Queries) => {
  /** Reads pages until the log's end; answers the version to go on from. */
  const readFrom = Effect.fnUntraced(function* (
    payment: PaymentRef,
    from: number,
    emit: (event: PaymentEvent) => Effect.Effect<unknown>,
  ) {
    let next: number | undefined = from;
    let position = from;
    while (next !== undefined) {
      const page: { readonly events: ReadonlyArray<PaymentEvent>; readonly next?: number } = yield* queries.events(
        payment,
        next,
      );
      for (const event of page.events) {
        yield* emit(event);
        position = event.version + 1;
      }
      next = page.next;
    }
    return position;
  });

  /** Signs that something was committed, kept from before the replay began. */
  const signs = Effect.fnUntraced(function* (payment: PaymentRef) {
    const queue = yield* Queue.sliding<void>(1);
    yield* Effect.acquireRelease(
      Effect.sync(() =>
        connection.subscribe(addresses.event(payment), { callback: () => void Queue.offerUnsafe(queue, undefined) }),
      ),
      (subscription) => Effect.sync(() => subscription.unsubscribe()),
    );
    yield* Effect.promise(() => connection.flush());
    return Effect.ignore(Effect.timeout(Queue.take(queue), silenceMillis));
  });

  /** A payment that is not there yet can be followed from before its beginning, and one whose nodes are away meanwhile. */
  const notYet = (error: QueryRefused | QueryUnanswered, from: number) =>
    error._tag === "QueryUnanswered" || error.code === "PaymentNotFound" || error.code === "Overloaded"
      ? Effect.as(Effect.sleep(unansweredPauseMillis), from)
      : Effect.fail(error);

  const events = (
    payment: PaymentRef,
    { from = 1, follow = false }: { readonly from?: number; readonly follow?: boolean } = {},
  ) =>
    Stream.callback<PaymentEvent, QueryRefused | QueryUnanswered>(
      Effect.fnUntraced(function* (queue) {
        const emit = (event: PaymentEvent) => Queue.offer(queue, event);
        if (!follow) {
          yield* readFrom(payment, from, emit).pipe(
            Effect.matchEffect({
              onFailure: (error) => Queue.fail(queue, error),
              onSuccess: () => Queue.end(queue),
            }),
          );
          return;
        }
        const nextSign = yield* signs(payment);
        let position = from;
        for (;;) {
          const read = readFrom(payment, position, emit).pipe(Effect.catch((error) => notYet(error, position)));
          const reached = yield* Effect.result(read);
          if (reached._tag === "Failure") return yield* Queue.fail(queue, reached.failure);
          position = reached.success;
          yield* nextSign;
        }
      }),
      { bufferSize: 256, strategy: "suspend" },
    );

  return { events };
};
