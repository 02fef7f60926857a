/** How an attempt begins, and what follows when one has failed for certain. */
import { gatewayIdempotencyKey, type PaymentRef } from "../identity/Identity.ts";
import type { Attempt } from "./Errand.ts";
import type { Candidate, Given } from "./Given.ts";
import type { Failure, NewEvent } from "./PaymentEvent.ts";
import { inHooksOrder } from "./verdicts.ts";
import type { NeedsReview, OutcomeUnknown, Processing } from "./PaymentState.ts";

/** The states in which an attempt is open: an answer about it still counts. */
export type OpenPayment = Processing | OutcomeUnknown | (NeedsReview & { readonly attempt: Attempt });

export const startAttempt = (
  payment: PaymentRef,
  request: Attempt["request"],
  number: number,
  candidate: Candidate,
  why: string,
  deployment: string,
): NewEvent => ({
  type: "AttemptStarted",
  data: {
    attempt: number,
    gateway: candidate.gateway,
    account: candidate.account,
    why,
    idempotencyKey: gatewayIdempotencyKey(deployment, payment, number, "charge", 1),
    request,
  },
});

/** No customer is charged long after the order: what holds for sending again holds for another gateway too (law 4). */
const mayStillCharge = ({ order }: OpenPayment, { at, policy }: Given): boolean => {
  const { expiresAt } = order.create;
  const isExpired = expiresAt !== undefined && at >= Date.parse(expiresAt);
  return !isExpired && at < Date.parse(order.createdAt) + policy.resendForMillis;
};

/**
 * What follows an attempt that has failed for certain: the next candidate, or the end. Never another attempt out of review:
 * a person is looking at the payment, and the customer may have paid otherwise or be long gone.
 */
export const afterFailedAttempt = (
  payment: PaymentRef,
  state: OpenPayment,
  given: Given,
  failure: Failure,
  mayMoveOn: boolean,
): ReadonlyArray<NewEvent> => {
  const tried = [...state.ended, state.attempt];
  const next = inHooksOrder(given.candidates, state.order.gatewayOrder).find(
    ({ gateway, account }) => !tried.some((attempt) => attempt.gateway === gateway && attempt.account === account),
  );
  const number = state.attempt.number + 1;
  const isAllowed = mayMoveOn && state.name !== "NEEDS_REVIEW" && number <= given.policy.maxAttempts;
  return isAllowed && next !== undefined && mayStillCharge(state, given)
    ? [startAttempt(payment, state.attempt.request, number, next, `after ${failure.code}`, given.deployment)]
    : [{ type: "PaymentFailed", data: { failure } }];
};
