/**
 * What a state still owes: calls to a gateway, and the end of what waits too long. Data only: the payment's owner executes
 * it, and only after the commit that announced it is durable (law 1). Each is known for ever by `round.version`.
 */
import type { Schema } from "effect";
import { isOperation, type Attempt, type Errand, type Operation, type Round } from "./Errand.ts";
import { roundsUntilVersion } from "./limits.ts";
import { attemptOf, behindReview, openOperations, type Expiry, type PaymentState } from "./PaymentState.ts";

export interface ChargeIntent {
  readonly kind: "charge";
  readonly attempt: Attempt;
  readonly round: Round;
  /** To be handed to the gateway before it is asked, while the charge still waits for its customer. */
  readonly brought?: Schema.Json;
}
export interface OperationIntent {
  readonly kind: "operation";
  readonly operation: Operation;
  /** Whose charge it is for, and where. */
  readonly attempt: Attempt;
  readonly round: Round;
}
/** No call: a moment at which what waits for customer or merchant comes to its end. */
export interface ExpiryIntent {
  readonly kind: "expiry";
  readonly round: Expiry;
}
export type GatewayIntent = ChargeIntent | OperationIntent;
export type Intent = GatewayIntent | ExpiryIntent;

/** All that has been asked of gateways, attempts first. */
export const errandsOf = (state: PaymentState): ReadonlyArray<Errand> => {
  if (state.name === "ABSENT") return [];
  const attempt = attemptOf(behindReview(state));
  const attempts = attempt === undefined ? state.ended : [...state.ended, attempt];
  return state.operations.length === 0 ? attempts : [...attempts, ...state.operations];
};

/** When the payment will expire, if nothing comes before: also while it may not, since something is under way. */
export const expirySet = (state: PaymentState): Expiry | undefined => {
  const shown = behindReview(state);
  return "expiry" in shown ? shown.expiry : undefined;
};

/** Nothing expires while the outcome of anything is still to come, nor where a log has no place for what would follow. */
export const expiryOf = (state: PaymentState): Expiry | undefined => {
  if (state.name !== "REQUIRES_ACTION" && state.name !== "AUTHORIZED" && state.name !== "PARTIALLY_CAPTURED") {
    return undefined;
  }
  if (state.version >= roundsUntilVersion) return undefined;
  return state.attempt?.round === undefined && openOperations(state).length === 0 ? state.expiry : undefined;
};

export const intents = (state: PaymentState): ReadonlyArray<Intent> => {
  const owed: Array<Intent> = [];
  const errands = errandsOf(state);
  for (const errand of errands) {
    const { round } = errand;
    if (round === undefined) continue;
    if (!isOperation(errand)) {
      const isWaiting = state.name === "REQUIRES_ACTION" && attemptOf(state)?.number === errand.number;
      const brought = isWaiting && errand.brought !== undefined ? { brought: errand.brought } : {};
      owed.push({ kind: "charge", attempt: errand, round, ...brought });
    } else {
      const attempt = errands.find((other): other is Attempt => !isOperation(other) && other.number === errand.attempt);
      if (attempt !== undefined) owed.push({ kind: "operation", operation: errand, attempt, round });
    }
  }
  const expiry = expiryOf(state);
  if (expiry !== undefined) owed.push({ kind: "expiry", round: expiry });
  return owed;
};
