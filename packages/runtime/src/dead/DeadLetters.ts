/** The port of what is parked: commands nobody waits for that cannot be done, and payments that are halted. */
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import type { RejectionCode } from "@aegispay/core/payment/Rejection";
import { Context, Data, type Effect } from "effect";

export interface DeadLetter {
  readonly payment: PaymentRef;
  readonly verb: string;
  readonly code: RejectionCode;
  readonly reason: string;
  /** Identity of what is parked: parking it again within a while is not stored twice. */
  readonly message: string;
  /** ISO 8601. */
  readonly at: string;
  /** The command's body as text; left out where it holds card data. */
  readonly body?: string;
}

export class ParkingFailed extends Data.TaggedError("ParkingFailed")<{ readonly cause: unknown }> {}

export class DeadLetters extends Context.Service<
  DeadLetters,
  {
    /** Done when it is durable. */
    readonly park: (letter: DeadLetter) => Effect.Effect<void, ParkingFailed>;
  }
>()("@aegispay/runtime/DeadLetters") {}
