/** The gateway's own answer about an attempt: the same meaning whichever try or look-up brought it, and however late. */
import type { PaymentRef } from "../identity/Identity.ts";
import { afterFailedAttempt, type OpenPayment } from "./attempts.ts";
import type { Attempt } from "./Errand.ts";
import { customerWaitsUntil, authorizationUntil } from "./expiry.ts";
import type { RecordedMoney } from "./eventShape.ts";
import type { GatewayOutcome, LookUpOutcome } from "./GatewayOutcome.ts";
import type { Given } from "./Given.ts";
import type { Failure, NewEvent } from "./PaymentEvent.ts";
import type { RequiresAction } from "./PaymentState.ts";

export type Evidence = Exclude<GatewayOutcome | LookUpOutcome, { readonly _tag: "Unknown" | "NotSent" | "NotFound" }>;
export type Approval = Extract<Evidence, { readonly _tag: "Approved" }>;
type Decline = Extract<Evidence, { readonly _tag: "Declined" }>;

const isAsAsked = ({ request }: Attempt, { amount, status }: Approval): boolean =>
  amount.value === request.amount.value &&
  amount.currency === request.amount.currency &&
  status === (request.capture === "manual" ? "authorized" : "succeeded");

export const mismatch = (
  { number, request }: Attempt,
  reported: Approval,
  expected: RecordedMoney = request.amount,
): NewEvent => ({
  type: "IntegrityMismatchDetected.v2",
  data: { about: { attempt: number }, expected, reported },
});

const failureOf = ({ code, message, declineCode }: Decline): Failure => ({
  code,
  message,
  ...(declineCode === undefined ? {} : { declineCode }),
});

/** The gateway holds, or has taken, what was asked for. */
const approvedEvent = ({ number, request }: Attempt, { gatewayTransactionId }: Approval, given: Given): NewEvent => {
  const { amount } = request;
  return request.capture === "manual"
    ? {
        type: "PaymentAuthorized",
        data: { attempt: number, gatewayTransactionId, amount, expiresAt: authorizationUntil(given) },
      }
    : { type: "PaymentSucceeded", data: { attempt: number, gatewayTransactionId, amount } };
};

const released: Failure = { code: "released", message: "the gateway holds nothing for it any more" };

export const onEvidence = (
  payment: PaymentRef,
  state: OpenPayment,
  round: number,
  outcome: Evidence,
  given: Given,
): ReadonlyArray<NewEvent> => {
  const { attempt } = state;
  const { number } = attempt;
  if (outcome._tag === "Approved" && !isAsAsked(attempt, outcome)) return [mismatch(attempt, outcome)];
  const after =
    outcome._tag === "Declined"
      ? afterFailedAttempt(payment, state, given, failureOf(outcome), outcome.tryAnotherGateway)
      : outcome._tag === "Released"
        ? afterFailedAttempt(payment, state, given, released, false)
        : [];
  if (state.name !== "PROCESSING") {
    const expiresAt =
      outcome._tag === "ActionRequired"
        ? { expiresAt: customerWaitsUntil(state, given) }
        : outcome._tag === "Approved" && outcome.status === "authorized"
          ? { expiresAt: authorizationUntil(given) }
          : {};
    return [{ type: "OutcomeVerified", data: { attempt: number, round, outcome, ...expiresAt } }, ...after];
  }
  switch (outcome._tag) {
    case "Approved":
      return [approvedEvent(attempt, outcome, given)];
    case "Declined":
      return [{ type: "AttemptDeclined", data: { attempt: number, outcome } }, ...after];
    case "Released": {
      const declined = { _tag: "Declined", ...released, tryAnotherGateway: false } as const;
      return [{ type: "AttemptDeclined", data: { attempt: number, outcome: declined } }, ...after];
    }
    case "ActionRequired": {
      const { gatewayTransactionId, nextAction } = outcome;
      const expiresAt = customerWaitsUntil(state, given);
      return [{ type: "ActionRequired", data: { attempt: number, gatewayTransactionId, nextAction, expiresAt } }];
    }
  }
};

const isAboutAuthentication = ({ code, declineCode = "" }: Failure): boolean =>
  code.startsWith("authentication") || declineCode.startsWith("authentication");

/**
 * The same for an attempt that waits for its customer: once the gateway has decided, the customer has acted, or never will.
 * Undefined: it still waits.
 */
export const onCustomerActed = (
  state: RequiresAction & { readonly attempt: Attempt },
  outcome: Evidence,
  given: Given,
): ReadonlyArray<NewEvent> | undefined => {
  const { attempt } = state;
  const { number } = attempt;
  const acted: NewEvent = { type: "PaymentAuthenticated", data: { method: "challenge", attempt: number } };
  switch (outcome._tag) {
    case "Approved":
      return isAsAsked(attempt, outcome)
        ? [acted, approvedEvent(attempt, outcome, given)]
        : [mismatch(attempt, outcome)];
    case "Declined": {
      const failure = failureOf(outcome);
      return isAboutAuthentication(failure)
        ? [{ type: "AuthenticationFailed", data: { attempt: number, failure } }]
        : [
            acted,
            { type: "AttemptDeclined", data: { attempt: number, outcome } },
            { type: "PaymentFailed", data: { failure } },
          ];
    }
    case "Released":
      return [{ type: "PaymentExpired", data: {} }];
    case "ActionRequired":
      return undefined;
  }
};
