/** What payments have come to, told by their commits as the event stream republishes them: committed is what they are then. */
import { makeAddressBook } from "@aegispay/core/addresses/AddressBook";
import { Data, Effect } from "effect";
import { Nats } from "../nats/NatsConnection.ts";
import { openPayer } from "./NatsPayer.ts";
import { runLoad } from "./round.ts";
import { benchMerchant, benchRoot } from "./settings.ts";

export class StateNotReached extends Data.TaggedError("StateNotReached")<{
  readonly state: string;
  readonly left: number;
}> {
  override get message(): string {
    return `${this.left} payments have not come to ${this.state} within ${timeoutMillis} ms`;
  }
}

const timeoutMillis = 60_000;
const pollMillis = 5;

type Followed = "PROCESSING" | "SUCCESS";

/** From here on until the scope closes. */
export const followStates = Effect.gen(function* () {
  const { connection } = yield* Nats;
  const every = makeAddressBook(benchRoot).event({ merchant: benchMerchant, paymentId: "*" });
  /** When each payment first came to a state, on this process's monotonic clock. */
  const since = { PROCESSING: new Map<string, number>(), SUCCESS: new Map<string, number>() };
  const isSuccess = (type: string | undefined): boolean => type?.includes(".SUCCESS.") === true;
  yield* Effect.acquireRelease(
    Effect.sync(() =>
      connection.subscribe(every, {
        callback: (error, { subject, headers }) => {
          if (error !== null) return;
          const seen = since[isSuccess(headers?.get("ce-type")) ? "SUCCESS" : "PROCESSING"];
          if (!seen.has(subject)) seen.set(subject, performance.now());
        },
      }),
    ),
    (subscription) => Effect.sync(() => subscription.unsubscribe()),
  );
  yield* Effect.promise(() => connection.flush());
  return {
    /** Waits until so many payments have come to the state; answers when each did. */
    reached: Effect.fnUntraced(function* (state: Followed, count: number) {
      const until = performance.now() + timeoutMillis;
      while (since[state].size < count) {
        if (performance.now() > until) return yield* new StateNotReached({ state, left: count - since[state].size });
        yield* Effect.sleep(pollMillis);
      }
      return [...since[state].values()];
    }),
  };
});

/** Publishes a create of each; done when all are accepted. */
export const beginPayments = Effect.fnUntraced(function* (ids: ReadonlyArray<string>) {
  const { connection } = yield* Nats;
  yield* runLoad("runtime", async () => {
    const payer = await openPayer(connection);
    await Promise.all(ids.map((paymentId) => payer.publish(paymentId))).finally(payer.close);
  });
});
