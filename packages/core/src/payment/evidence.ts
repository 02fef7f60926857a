/** The gateway's own answer about an attempt: the same meaning whichever try or look-up brought it, and however late. */
import type { PaymentRef } from "../identity/Identity.ts";
import { afterFailedAttempt, type OpenPayment } from "./attempts.ts";
import type { GatewayOutcome, LookUpOutcome } from "./GatewayOutcome.ts";
import type { Given } from "./Given.ts";
import type { Failure, NewEvent } from "./PaymentEvent.ts";
import type { Attempt } from "./PaymentState.ts";

export type Evidence = Exclude<GatewayOutcome | LookUpOutcome, { readonly _tag: "Unknown" | "NotSent" | "NotFound" }>;
type Approval = Extract<Evidence, { readonly _tag: "Approved" }>;
type Decline = Extract<Evidence, { readonly _tag: "Declined" }>;

const isAsAsked = ({ request }: Attempt, { amount, status }: Approval): boolean =>
  amount.value === request.amount.value && amount.currency === request.amount.currency && status === "succeeded";

const failureOf = ({ code, message, declineCode }: Decline): Failure => ({
  code,
  message,
  ...(declineCode === undefined ? {} : { declineCode }),
});

export const onEvidence = (
  payment: PaymentRef,
  state: OpenPayment,
  round: number,
  outcome: Evidence,
  given: Given,
): ReadonlyArray<NewEvent> => {
  const { attempt } = state;
  const { number, request } = attempt;
  if (outcome._tag === "Approved" && !isAsAsked(attempt, outcome)) {
    const data = { attempt: number, expected: request, reported: outcome };
    return [{ type: "IntegrityMismatchDetected", data }];
  }
  const after =
    outcome._tag === "Declined"
      ? afterFailedAttempt(payment, state, given, failureOf(outcome), outcome.tryAnotherGateway)
      : [];
  if (state.name !== "PROCESSING") {
    return [{ type: "OutcomeVerified", data: { attempt: number, round, outcome } }, ...after];
  }
  switch (outcome._tag) {
    case "Approved": {
      const { gatewayTransactionId } = outcome;
      return [{ type: "PaymentSucceeded", data: { attempt: number, gatewayTransactionId, amount: request.amount } }];
    }
    case "Declined":
      return [{ type: "AttemptDeclined", data: { attempt: number, outcome } }, ...after];
    case "ActionRequired": {
      const { gatewayTransactionId, nextAction } = outcome;
      return [{ type: "ActionRequired", data: { attempt: number, gatewayTransactionId, nextAction } }];
    }
  }
};
