/**
 * One commit: the events of one step of one payment, as one message of the log. `prev` chains it to the commit before,
 * so that a lost, changed or inserted message is seen by whoever reads the log.
 */
import { hash } from "node:crypto";
import { Schema } from "effect";
import { PaymentEvent } from "./PaymentEvent.ts";

export const Commit = Schema.Struct({
  merchant: Schema.String,
  paymentId: Schema.String,
  /** The state after the commit. */
  state: Schema.String,
  events: Schema.NonEmptyArray(PaymentEvent),
  /** Hex SHA-256 of the body of the commit before; of the event subject for the first. */
  prev: Schema.String,
});
export type Commit = typeof Commit.Type;

/** Reads the body of a message of the log. */
export const decodeCommit = Schema.decodeUnknownOption(Schema.fromJsonString(Commit));

/** Link of the hash chain: hex SHA-256 of the bytes of a commit's body, or of the subject before the first. */
export const chainHash = (body: Uint8Array | string): string => hash("sha256", body, "hex");
