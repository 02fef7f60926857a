/**
 * The circuit breakers round gateways, as this node knows them: two circuits a gateway and account, one for what moves money,
 * one for look-ups, since a gateway that refuses the first may well answer the second.
 */
import { Context, Option, Schema } from "effect";

export const circuitKinds = ["money", "lookUp"] as const;
/** money: charges, captures, voids, refunds, and what a customer brought back. */
export type CircuitKind = (typeof circuitKinds)[number];

/** Its key in the bucket `payments_breakers`. Names and accounts have no dots. */
export const circuitKey = (gateway: string, account: string, kind: CircuitKind): string =>
  `${gateway}.${account}.${kind}`;

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0));

/** The circuit, as all nodes share it. */
export const Circuit = Schema.Struct({
  state: Schema.Literals(["CLOSED", "OPEN", "HALF_OPEN"]),
  /** Failures in a row, while it is closed. */
  failures: Count,
  /** Successes in a row, while it is half open. */
  successes: Count,
  /** When it came to its state, in milliseconds since the epoch. */
  sinceMillis: Schema.Int,
  /** Until when it rejects every call; only of an open one. */
  untilMillis: Schema.optionalKey(Schema.Int),
  /** Counts the states it has come to: what was let through in an earlier one decides nothing in a later one. */
  generation: Count,
  /** The node that wrote it. */
  by: Schema.String,
});
export type Circuit = typeof Circuit.Type;

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Circuit));

/** Undefined: nobody wrote that. */
export const readCircuit = (text: string): Circuit | undefined => Option.getOrUndefined(decode(text));

export class Breakers extends Context.Service<
  Breakers,
  {
    /** Whether the money circuit is open and still rejects what is brought to it. Synchronous, without a look at NATS. */
    readonly isOpen: (gateway: string, account: string) => boolean;
    /** The circuits that have ever failed, by key; one that is not there is closed. */
    readonly circuits: () => ReadonlyMap<string, Circuit>;
  }
>()("@aegispay/runtime/Breakers") {}
