/**
 * Captures, voids and refunds: bounded by what the charge has left for them. Pure and total; refusals are values.
 *
 * 1. Whatever the order of operations: captured ≤ amount and refunded ≤ captured.
 * 2. An operation that failed is remembered under its key and has moved nothing.
 */
import { MinorUnits } from "@aegispay/core/money/Money";
import { Schema } from "effect";
import type { Charge, Operation } from "./Charge.ts";
import { OperationKind } from "./Charge.ts";

export const OperationRequest = Schema.Struct({
  key: Schema.String,
  kind: OperationKind,
  /** Absent: all that is left. */
  amount: Schema.optionalKey(MinorUnits),
});
export type OperationRequest = typeof OperationRequest.Type;

/** What the charge has left for an operation of this kind, in minor units. */
export const leftFor = (charge: Charge, kind: OperationKind): number => {
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

export const afterOperation = (charge: Charge, operation: Operation): Charge => {
  const after = { ...charge, operations: [...charge.operations, operation] };
  if (operation.status === "failed") return after;
  switch (operation.kind) {
    case "capture": {
      const captured = charge.captured + operation.amount;
      return { ...after, captured, status: captured < charge.amount ? "partially_captured" : "succeeded" };
    }
    case "void":
      return { ...after, status: charge.captured > 0 ? "succeeded" : "voided" };
    case "refund":
      return { ...after, refunded: charge.refunded + operation.amount };
  }
};
