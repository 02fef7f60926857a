/** A parked entry as an operator meets it: what it is, whether a debt rests on it, whether it can be put back. */
import { isToken, PaymentRef } from "@aegispay/core/identity/Identity";
import { Option, Schema } from "effect";

/** What is written here stays readable: a code that this version does not know is shown as it is. */
const Letter = Schema.Struct({
  payment: PaymentRef,
  source: Schema.Literals(["command", "internal", "due", "log"]),
  verb: Schema.String,
  code: Schema.String,
  reason: Schema.String,
  message: Schema.String,
  at: Schema.String,
  stack: Schema.optionalKey(Schema.String),
  body: Schema.optionalKey(Schema.String),
  headers: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
});
type Letter = typeof Letter.Type;

export interface DeadEntry {
  /** Its sequence in the stream. */
  readonly id: number;
  readonly letter: Omit<Letter, "source"> & {
    /** `unreadable`: not written by any version of the runtime that this one knows; the rest is then as its subject says. */
    readonly source: Letter["source"] | "unreadable";
  };
}

const decodeLetter = Schema.decodeUnknownOption(Schema.fromJsonString(Letter));

/** Reads a message of the stream of what is parked. `storedAt`: ISO 8601, for an entry that does not say itself. */
export const readDeadEntry = (id: number, subject: string, body: string, storedAt: string): DeadEntry => {
  const letter = Option.getOrUndefined(decodeLetter(body));
  if (letter !== undefined) return { id, letter };
  const [, , merchant = "", paymentId = "", verb = ""] = subject.split(".");
  const reason = "this version of AegisPay cannot read the entry";
  const payment = { merchant, paymentId };
  return {
    id,
    letter: { payment, source: "unreadable", verb, code: "Unreadable", reason, message: "", at: storedAt, body },
  };
};

/**
 * Whether what the payment owes may rest on this entry alone. Not so for a command that was refused: it never was taken
 * into the log, and whatever its payment owes is held by something else.
 */
export const mayHoldDebt = ({ letter }: DeadEntry): boolean =>
  letter.source === "unreadable" || letter.code === "Parked" || letter.code === "EventContinuity";

/** What stands in the place of a token that was not kept: of the address, and of the subject of an entry. */
const replacedTokens: ReadonlySet<string> = new Set(["_card-number", "_invalid"]);

const isKept = (token: string): boolean => isToken(token) && !replacedTokens.has(token);

/** Why an entry cannot be put back; undefined where it can. */
export const whyNotRetried = ({ id, letter }: DeadEntry): string | undefined => {
  const { payment, source, verb, body } = letter;
  const discard = `\`aegispay dead discard ${id} --yes\` removes it`;
  if (source === "unreadable")
    return `entry ${id} cannot be read by this version of AegisPay: look at it with one that can`;
  if (source === "internal" && verb === "webhook") {
    return `entry ${id} is a webhook that could not be read: \`aegispay webhooks again\` takes it once more; ${discard}`;
  }
  if (!isKept(payment.merchant) || !isKept(payment.paymentId) || (source === "command" && !isKept(verb))) {
    return `entry ${id} has no address to go back to: its subject held card data or no valid token; ${discard}`;
  }
  if (source === "command" && body === undefined) {
    return (
      `entry ${id} has no body to publish again: it held card data, was too large or no text, and was not kept. ` +
      `Have its client send the command anew; ${discard}`
    );
  }
  return undefined;
};
