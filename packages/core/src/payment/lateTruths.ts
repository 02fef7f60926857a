/** What comes late: an attempt that is not the payment's has taken the money after all, or the winner's has gone. */
import type { Attempt } from "./Errand.ts";
import { mismatch, type Approval, type Evidence } from "./evidence.ts";
import type { NewEvent } from "./PaymentEvent.ts";
import { ownOpenOperations, type Held } from "./PaymentState.ts";
import { requestRefund, requestVoid, type Requesting } from "./requests.ts";

/** It is undone at once, under a key of its own: the customer was told something else, and may have paid otherwise. */
export const onLateSuccess = (
  requesting: Requesting,
  attempt: Attempt,
  reported: Approval,
): ReadonlyArray<NewEvent> => {
  const late = { ...attempt, gatewayTransactionId: reported.gatewayTransactionId };
  const compensation =
    reported.status === "authorized"
      ? requestVoid(requesting, late, "compensation")
      : requestRefund(requesting, late, reported.amount, "compensation", { reason: "it succeeded late" });
  return [{ type: "LateSuccessDetected", data: { attempt: attempt.number, reported } }, compensation];
};

/**
 * What a look-up of the winner says that we do not know yet: the gateway has released it by itself, or it holds, or
 * has taken, something else than we know of. Undefined: nothing new.
 */
export const onWinnersEvidence = (state: Held, outcome: Evidence): ReadonlyArray<NewEvent> | undefined => {
  const { attempt, name } = state;
  if (ownOpenOperations(state).length > 0) return undefined;
  if (outcome._tag === "Released") {
    if (name === "AUTHORIZED") return [{ type: "AuthorizationExpired", data: {} }];
    return name === "PARTIALLY_CAPTURED" ? [{ type: "RemainderReleased", data: {} }] : undefined;
  }
  if (outcome._tag !== "Approved") return undefined;
  const { amount, status } = outcome;
  const isTaken = status === "succeeded";
  const isAuthorized = name === "AUTHORIZED";
  const { currency } = attempt.request.amount;
  const expected = { value: isAuthorized || !isTaken ? state.authorized : state.captured, currency };
  const differs = [mismatch(attempt, outcome, expected)];
  if (amount.currency !== currency) return differs;
  if (isAuthorized) return isTaken || amount.value !== expected.value ? differs : undefined;
  // Held: as it was read before the last capture, or as a gateway says it that tells captures by themselves.
  if (!isTaken) return undefined;
  if (amount.value !== expected.value) return differs;
  // It holds nothing beyond what it has taken: it has let the rest go by itself.
  return name === "PARTIALLY_CAPTURED" ? [{ type: "RemainderReleased", data: {} }] : undefined;
};
