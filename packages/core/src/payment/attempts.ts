/** How an attempt begins, and what follows when one has failed for certain. */
import { gatewayIdempotencyKey, type PaymentRef } from "../identity/Identity.ts";
import type { Candidate, Given } from "./Given.ts";
import type { Failure, NewEvent } from "./PaymentEvent.ts";
import type { Attempt, NeedsReview, OutcomeUnknown, Processing } from "./PaymentState.ts";

/** The states in which an attempt is open: an answer about it still counts. */
export type OpenPayment = Processing | OutcomeUnknown | NeedsReview;

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
  const next = given.candidates.find(
    ({ gateway, account }) => !tried.some((attempt) => attempt.gateway === gateway && attempt.account === account),
  );
  const number = state.attempt.number + 1;
  return mayMoveOn && state.name !== "NEEDS_REVIEW" && next !== undefined && number <= given.policy.maxAttempts
    ? [startAttempt(payment, state.attempt.request, number, next, `after ${failure.code}`, given.deployment)]
    : [{ type: "PaymentFailed", data: { failure } }];
};
