/**
 * A charge at the simulator and what may be done to it: pure and total, refusals are values.
 *
 *   automatic capture   succeeded ──refund──▶ succeeded (refunded grows)
 *   manual capture      authorized ──capture──▶ partially_captured ──capture──▶ succeeded
 *                       authorized ──void──▶ voided; partially_captured ──void──▶ succeeded (the rest is released)
 *   tok_3ds             requires_action ──void──▶ voided
 *   declines            declined, for ever
 */
import { Currency, MinorUnits } from "@aegispay/core/money/Money";
import { Schema } from "effect";

export const OperationKind = Schema.Literals(["capture", "void", "refund"]);
export type OperationKind = typeof OperationKind.Type;

export const Operation = Schema.Struct({
  key: Schema.String,
  kind: OperationKind,
  /** Minor units; for a void: what it released. */
  amount: MinorUnits,
  /** The amount the request named; absent: "all that is left". A repeat of the key must name the same. */
  requested: Schema.optionalKey(MinorUnits),
  status: Schema.Literal("succeeded"),
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

export const Charge = Schema.Struct({
  id: Schema.String,
  key: Schema.String,
  reference: Schema.String,
  amount: MinorUnits,
  currency: Currency,
  token: Schema.String,
  capture: Schema.Literals(["automatic", "manual"]),
  status: Schema.Literals(["succeeded", "authorized", "partially_captured", "requires_action", "declined", "voided"]),
  captured: Schema.Number,
  refunded: Schema.Number,
  decline: Schema.optionalKey(Decline),
  operations: Schema.Array(Operation),
});
export type Charge = typeof Charge.Type;

export const isSameRequest = (charge: ChargeRequest, request: ChargeRequest): boolean =>
  charge.reference === request.reference &&
  charge.amount === request.amount &&
  charge.currency === request.currency &&
  charge.token === request.token &&
  (charge.capture ?? "automatic") === (request.capture ?? "automatic");

/** The charge as it is first recorded. One key makes one charge, so the key's hash names it. */
export const newCharge = (
  id: string,
  key: string,
  request: ChargeRequest,
  result: "approved" | "requires_action" | Decline,
): Charge => {
  const capture = request.capture ?? "automatic";
  const { reference, amount, currency, token } = request;
  const base = { id, key, reference, amount, currency, token, capture, captured: 0, refunded: 0, operations: [] };
  if (typeof result === "object") return { ...base, status: "declined", decline: result };
  if (result === "requires_action") return { ...base, status: "requires_action" };
  return capture === "manual" ? { ...base, status: "authorized" } : { ...base, status: "succeeded", captured: amount };
};

export interface OperationRequest {
  readonly key: string;
  readonly kind: OperationKind;
  readonly amount?: number;
}

/** The operation as it would be recorded, or why it is refused; bounded by what is left to capture or refund. */
export const decideOperation = (
  charge: Charge,
  request: OperationRequest,
): Operation | { readonly refused: "charge_unexpected_state" | "amount_too_large"; readonly message: string } => {
  const left = leftFor(charge, request.kind);
  if (left === 0) {
    const message = `a charge that is ${charge.status} leaves nothing to ${request.kind}`;
    return { refused: "charge_unexpected_state", message };
  }
  const amount = request.amount ?? left;
  if (amount > left) return { refused: "amount_too_large", message: `${left} minor units are left to ${request.kind}` };
  const requested = request.amount === undefined ? {} : { requested: request.amount };
  return { key: request.key, kind: request.kind, amount, ...requested, status: "succeeded" };
};

const leftFor = (charge: Charge, kind: OperationKind): number => {
  const open = charge.status === "authorized" || charge.status === "partially_captured";
  switch (kind) {
    case "capture":
      return open ? charge.amount - charge.captured : 0;
    case "void":
      return open || charge.status === "requires_action" ? charge.amount - charge.captured : 0;
    case "refund":
      return charge.captured - charge.refunded;
  }
};

export const afterOperation = (charge: Charge, operation: Operation): Charge => {
  const operations = [...charge.operations, operation];
  switch (operation.kind) {
    case "capture": {
      const captured = charge.captured + operation.amount;
      return { ...charge, operations, captured, status: captured < charge.amount ? "partially_captured" : "succeeded" };
    }
    case "void":
      return { ...charge, operations, status: charge.captured > 0 ? "succeeded" : "voided" };
    case "refund":
      return { ...charge, operations, refunded: charge.refunded + operation.amount };
  }
};

/** The charge as the API shows it. */
export const chargeDocument = (charge: Charge) => ({
  id: charge.id,
  status: charge.status,
  reference: charge.reference,
  amount: charge.amount,
  currency: charge.currency,
  capture: charge.capture,
  captured: charge.captured,
  refunded: charge.refunded,
  idempotencyKey: charge.key,
  operations: charge.operations.map(({ key, kind, amount, status }) => ({ key, kind, amount, status })),
  ...(charge.decline === undefined ? {} : { error: charge.decline }),
  // Nobody listens there yet: the name is reserved by RFC 2606, so no real host is ever asked.
  ...(charge.status === "requires_action"
    ? { nextAction: { type: "redirect", url: `https://issuer.example/3ds/${charge.id}` } }
    : {}),
});
