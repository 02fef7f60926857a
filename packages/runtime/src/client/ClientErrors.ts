/** Why a client's call did not succeed; each message says what to do. */
import type { RejectionCode } from "@aegispay/core/payment/Rejection";
import { Data } from "effect";

/** Refused before anything was published. */
export class CommandRefusedLocally extends Data.TaggedError("CommandRefusedLocally")<{
  readonly code: RejectionCode;
  readonly message: string;
}> {}

/** The publish was not acknowledged: whether it was accepted is not known; sending it again is safe. */
export class NotAccepted extends Data.TaggedError("NotAccepted")<{
  readonly cause: unknown;
  /** What makes it the same command when it is sent again: "payment id order-1", "command id refund-1". */
  readonly identity: string;
}> {
  override get message(): string {
    const cause = this.cause instanceof Error ? this.cause.message : String(this.cause);
    // What the NATS client says when no stream takes the subject.
    if (/jetstream is not enabled|no responders/i.test(cause)) {
      return "nothing takes commands under this subject root: check --root, or run `aegispay setup` first";
    }
    return `the command was not acknowledged (${cause}): send it again with the same ${this.identity}`;
  }
}

/** Accepted, but no answer came in time: the payment goes on by itself. */
export class AnswerTimeout extends Data.TaggedError("AnswerTimeout")<{
  readonly merchant: string;
  readonly paymentId: string;
  /** As in NotAccepted. */
  readonly identity: string;
}> {
  override get message(): string {
    const { merchant, paymentId, identity } = this;
    return `no answer in time: ${merchant}/${paymentId} goes on; ask for it later, or send the same again, with ${identity}`;
  }
}

/** No node answers queries now. */
export class QueryUnanswered extends Data.TaggedError("QueryUnanswered")<{ readonly cause: unknown }> {
  override get message(): string {
    const cause = this.cause instanceof Error ? this.cause.message : String(this.cause);
    return `no node answered the query (${cause}): check that nodes run with \`aegispay nodes\``;
  }
}

/** A node answered a query with an error. */
export class QueryRefused extends Data.TaggedError("QueryRefused")<{
  readonly code: RejectionCode;
  readonly message: string;
}> {}
