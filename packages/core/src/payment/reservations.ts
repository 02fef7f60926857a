/**
 * The reservations: what of the money of a payment is spoken for, by what has been done, is under way, or may have been done.
 *
 * Invariants, in every state: captured + capturing ≤ authorized; refunded + refunding + unknown ≤ captured.
 */
import { isOpen, type Operation } from "./Errand.ts";
import type { ExistingPayment } from "./PaymentState.ts";
import { isHeld, behindReview } from "./PaymentState.ts";

const sum = (operations: ReadonlyArray<Operation>): number =>
  operations.reduce((total, { amount }) => total + (amount?.value ?? 0), 0);

const ofKind = (state: ExistingPayment, kind: Operation["kind"]): ReadonlyArray<Operation> =>
  state.operations.filter((operation) => operation.kind === kind && operation.purpose !== "compensation");

/** Captures whose outcome is still to come. */
export const capturing = (state: ExistingPayment): number => sum(ofKind(state, "capture").filter(isOpen));

export const refunded = (state: ExistingPayment): number =>
  sum(ofKind(state, "refund").filter(({ status }) => status === "SUCCEEDED"));

export const refunding = (state: ExistingPayment): number => sum(ofKind(state, "refund").filter(isOpen));

export const captured = (state: ExistingPayment): number => {
  const held = behindReview(state);
  return isHeld(held) ? held.captured : 0;
};

export const authorized = (state: ExistingPayment): number => {
  const held = behindReview(state);
  return isHeld(held) ? held.authorized : 0;
};

/** What may still be captured. */
export const capturable = (state: ExistingPayment): number => authorized(state) - captured(state) - capturing(state);

/** What may still be given back. */
export const refundable = (state: ExistingPayment): number => captured(state) - refunded(state) - refunding(state);
