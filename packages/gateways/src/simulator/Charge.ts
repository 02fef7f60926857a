/**
 * A charge at the simulator, as it is recorded. What requests may do to it stands in ChargeOperation, what befalls it
 * without one in ChargeChange.
 *
 *   automatic capture   succeeded ──refund──▶ succeeded (refunded grows; a reversal lets it shrink again)
 *   manual capture      authorized ──capture──▶ partially_captured ──capture──▶ succeeded
 *                       authorized ──void──▶ voided; partially_captured ──void──▶ succeeded (the rest is released)
 *                       authorized ──expiry──▶ expired; partially_captured ──expiry──▶ succeeded (the rest lapses)
 *   3-D Secure          requires_action ──authentication──▶ as without it, or declined
 *                       requires_action ──void──▶ voided, ──expiry──▶ expired
 *   declines            declined; after a late success: as if it had been approved
 */
import { Currency, MinorUnits } from "@aegispay/core/money/Money";
import { Schema } from "effect";

export const OperationKind = Schema.Literals(["capture", "void", "refund"]);
export type OperationKind = typeof OperationKind.Type;

/** Why the issuer, or another bank, said no. */
const Refusal = Schema.Struct({ code: Schema.String, message: Schema.String });

export const Operation = Schema.Struct({
  key: Schema.String,
  kind: OperationKind,
  /** Minor units; for a void: what it released. */
  amount: MinorUnits,
  /** Only where it is not the charge's, which is a fault to order. */
  currency: Schema.optionalKey(Currency),
  /** The amount the request named; absent: "all that is left". A repeat of the key must name the same. */
  requested: Schema.optionalKey(MinorUnits),
  /** Only a refund is ever reversed. What failed has moved nothing. */
  status: Schema.Literals(["succeeded", "failed", "reversed"]),
  error: Schema.optionalKey(Refusal),
});
export type Operation = typeof Operation.Type;

const Decline = Schema.Struct({ code: Schema.String, declineCode: Schema.String, message: Schema.String });
export type Decline = typeof Decline.Type;

/** What a client asks for; two requests with one key must agree in all of it. */
export const ChargeRequest = Schema.Struct({
  reference: Schema.String.check(Schema.isBetweenLength(1, 512)),
  amount: MinorUnits,
  currency: Currency,
  token: Schema.String.check(Schema.isBetweenLength(1, 255)),
  capture: Schema.optionalKey(Schema.Literals(["automatic", "manual"])),
});
export type ChargeRequest = typeof ChargeRequest.Type;

/** An amount as it stands in requests, replies and records here. */
export interface Booking {
  readonly amount: number;
  readonly currency: string;
}

export const Charge = Schema.Struct({
  id: Schema.String,
  key: Schema.String,
  reference: Schema.String,
  amount: MinorUnits,
  currency: Currency,
  /** What the request asked for, where something else was booked, which is a fault to order. */
  asked: Schema.optionalKey(Schema.Struct({ amount: MinorUnits, currency: Currency })),
  token: Schema.String,
  capture: Schema.Literals(["automatic", "manual"]),
  status: Schema.Literals([
    "succeeded",
    "authorized",
    "partially_captured",
    "requires_action",
    "declined",
    "voided",
    "expired",
  ]),
  captured: Schema.Number,
  refunded: Schema.Number,
  /** Why it was declined; after a late success that is history. */
  decline: Schema.optionalKey(Decline),
  /** How the customer's 3-D Secure ended. */
  authentication: Schema.optionalKey(Schema.Literals(["succeeded", "failed"])),
  operations: Schema.Array(Operation),
});
export type Charge = typeof Charge.Type;

/** Why it moves no money; undefined where nobody has said no, or no longer. */
export const standingDecline = (charge: Charge): Decline | undefined =>
  charge.status === "declined" ? charge.decline : undefined;

export const isSameRequest = (charge: Charge, request: ChargeRequest): boolean => {
  const { amount, currency } = charge.asked ?? charge;
  return (
    charge.reference === request.reference &&
    amount === request.amount &&
    currency === request.currency &&
    charge.token === request.token &&
    charge.capture === (request.capture ?? "automatic")
  );
};

/** The charge once nobody objects any more: the money is held, or taken at once. */
export const approve = (charge: Charge): Charge =>
  charge.capture === "manual"
    ? { ...charge, status: "authorized" }
    : { ...charge, status: "succeeded", captured: charge.amount };

/** The charge as it is first recorded, with what was booked for it. */
export const newCharge = (
  id: string,
  key: string,
  request: ChargeRequest,
  result: "approved" | "requires_action" | Decline,
  booked: Booking = request,
): Charge => {
  const { reference, token, capture = "automatic" } = request;
  const isAsAsked = booked.amount === request.amount && booked.currency === request.currency;
  const asked = isAsAsked ? {} : { asked: { amount: request.amount, currency: request.currency } };
  const { amount, currency } = booked;
  const base = { id, key, reference, amount, currency, ...asked, token, capture, captured: 0, refunded: 0 };
  if (typeof result === "object") return { ...base, operations: [], status: "declined", decline: result };
  const waiting: Charge = { ...base, operations: [], status: "requires_action" };
  return result === "requires_action" ? waiting : approve(waiting);
};
