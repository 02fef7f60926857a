/** What one payment owes, as the stream's leader has its log. */
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import { Effect } from "effect";
import { replayAtLeader } from "../log/replay.ts";
import { nextAtLeader } from "../nats/leaderRead.ts";
import { Nats, natsRequest, NatsRequestFailed } from "../nats/NatsConnection.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { debtsOf, debtOfHalted, type Debt } from "./Debts.ts";

export interface Owed {
  readonly debts: ReadonlyArray<Debt>;
  /** Where the log stands: the sequence of its last commit. Undefined where the log cannot be read. */
  readonly sequence: number | undefined;
}

export const readOwed = Effect.fnUntraced(function* (payment: PaymentRef) {
  const { addresses } = yield* Deployment;
  return yield* replayAtLeader(addresses, payment).pipe(
    Effect.map(({ state, sequence }): Owed => ({ debts: debtsOf(payment, state), sequence })),
    Effect.catchTags({
      EventContinuityError: ({ reason }) =>
        Effect.succeed<Owed>({ debts: [debtOfHalted(payment, reason)], sequence: undefined }),
      LogUnavailable: ({ cause }) =>
        Effect.fail(
          new NatsRequestFailed({ doing: `reading the log of ${payment.merchant}/${payment.paymentId}`, cause }),
        ),
    }),
  );
});

/** Whether the log still ends where it did. One that cannot be read is taken as it is. */
export const standsStill = Effect.fnUntraced(function* (payment: PaymentRef, { sequence }: Owed) {
  if (sequence === undefined) return true;
  const { manager } = yield* Nats;
  const { addresses } = yield* Deployment;
  const next = yield* natsRequest("reading the log again", () =>
    nextAtLeader(manager, addresses.streams.events, sequence + 1, addresses.event(payment)),
  );
  return next === null;
});
