/** The port of what is parked: commands that cannot be done and nobody waits for, payments that crash or are halted. */
import type { Source } from "@aegispay/core/addresses/AddressBook";
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import type { RejectionCode } from "@aegispay/core/payment/Rejection";
import { Context, Data, type Effect } from "effect";

export interface DeadLetter {
  readonly payment: PaymentRef;
  /** Where it came from; `log` for a payment whose log is halted. */
  readonly source: Source | "log";
  /** For a due timer: its kind. */
  readonly verb: string;
  readonly code: RejectionCode;
  readonly reason: string;
  /** Of a defect: where it came from. */
  readonly stack?: string;
  /** Identity of what is parked: parking it again within a while is not stored twice. */
  readonly message: string;
  /** ISO 8601. */
  readonly at: string;
  /** The command's body as text; left out where it holds card data. */
  readonly body?: string;
  /** The command's own headers, as far as the runtime reads them, so that it can be published again as it was. */
  readonly headers?: Readonly<Record<string, string>>;
}

export class ParkingFailed extends Data.TaggedError("ParkingFailed")<{ readonly cause: unknown }> {}

export class DeadLetters extends Context.Service<
  DeadLetters,
  {
    /** Done when it is durable. */
    readonly park: (letter: DeadLetter) => Effect.Effect<void, ParkingFailed>;
  }
>()("@aegispay/runtime/DeadLetters") {}
