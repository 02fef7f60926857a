/**
 * state + command → events, or a rejection. Total, synchronous, without clock, randomness or IO.
 *
 * Invariants (the laws of DESIGN.md that live here):
 * 1. A try is announced by the events of a commit of its own: AttemptStarted or RoundStarted (law 1).
 * 2. NotSent is believed only while no earlier try of the attempt may have left, which is what PROCESSING says; in
 *    OUTCOME_UNKNOWN only the gateway's own answer for the key is evidence (law 4).
 * 3. No attempt starts while another is open; no unknown outcome becomes a failure without evidence (law 4).
 * 4. An outcome that comes late or twice decides nothing.
 */
import { Result } from "effect";
import { gatewayIdempotencyKey, paymentKey, type PaymentRef } from "../identity/Identity.ts";
import type { GatewayOutcome, LookUpOutcome } from "./GatewayOutcome.ts";
import { delayOf, isoTime, type Given } from "./Given.ts";
import type { Create, PaymentCommand, RecordLookUp, RecordOutcome } from "./PaymentCommand.ts";
import type { NewEvent } from "./PaymentEvent.ts";
import type { Attempt, OutcomeUnknown, PaymentState, Processing } from "./PaymentState.ts";
import { reject, type Rejection } from "./Rejection.ts";

export type Decision = Result.Result<ReadonlyArray<NewEvent>, Rejection>;

const nothing: Decision = Result.succeed([]);

type Evidence = Exclude<GatewayOutcome | LookUpOutcome, { readonly _tag: "Unknown" | "NotSent" | "NotFound" }>;

const startAttempt = (
  payment: PaymentRef,
  request: Attempt["request"],
  number: number,
  candidate: Given["candidates"][number],
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

const create = (state: PaymentState, command: Create): Decision => {
  const { payment, body, given } = command;
  if (state.name !== "ABSENT") {
    return state.order.hash === command.hash
      ? nothing
      : Result.fail(
          reject(
            "IdempotencyConflict",
            "a payment of this id was created with other parameters: send the same body, or choose another id",
          ),
        );
  }
  const preferred = given.candidates.find((candidate) => candidate.gateway === body.gateway);
  const chosen = preferred ?? given.candidates[0];
  if (chosen === undefined)
    return Result.fail(reject("NoGatewayAvailable", "no gateway is configured for this payment"));
  const request: Attempt["request"] = {
    reference: paymentKey(payment),
    amount: body.amount,
    token: body.method.token,
    capture: "automatic",
  };
  const { commandId, message, hash, replyTo } = command;
  return Result.succeed([
    {
      type: "PaymentInitiated",
      data: { create: body, commandId, message, hash, ...(replyTo === undefined ? {} : { replyTo }) },
    },
    { type: "PaymentAuthenticated", data: { method: "none" } },
    startAttempt(payment, request, 1, chosen, preferred === undefined ? "first" : "preferred", given.deployment),
  ]);
};

/** What follows an attempt that has failed for certain: the next candidate, or the end. */
const afterFailedAttempt = (
  payment: PaymentRef,
  state: Processing | OutcomeUnknown,
  given: Given,
  failure: NonNullable<Attempt["failure"]>,
  mayMoveOn: boolean,
): ReadonlyArray<NewEvent> => {
  const tried = [...state.ended, state.attempt];
  const next = given.candidates.find(
    ({ gateway, account }) => !tried.some((attempt) => attempt.gateway === gateway && attempt.account === account),
  );
  const number = state.attempt.number + 1;
  return mayMoveOn && next !== undefined && number <= given.policy.maxAttempts
    ? [startAttempt(payment, state.attempt.request, number, next, `after ${failure.code}`, given.deployment)]
    : [{ type: "PaymentFailed", data: { failure } }];
};

const nextRound = (attempt: Attempt, action: "lookUp" | "resend", at: number): NewEvent => ({
  type: "RoundStarted",
  data: { attempt: attempt.number, round: attempt.lastRound + 1, action, due: isoTime(at) },
});

/** A look-up and the resend that may follow it are one step of the schedule. */
const lookUpLater = (attempt: Attempt, given: Given): NewEvent => {
  const step = Math.ceil(attempt.lastRound / 2);
  return nextRound(attempt, "lookUp", given.at + delayOf(given.policy.lookUpDelaysMillis, step, given.jitter));
};

/** The gateway's own answer: the same meaning whichever try or look-up brought it. */
const onEvidence = (
  payment: PaymentRef,
  state: Processing | OutcomeUnknown,
  round: number,
  outcome: Evidence,
  given: Given,
): ReadonlyArray<NewEvent> => {
  const { attempt } = state;
  const number = attempt.number;
  if (outcome._tag === "Approved") {
    const { amount } = attempt.request;
    const asAsked =
      outcome.amount.value === amount.value &&
      outcome.amount.currency === amount.currency &&
      outcome.status === "succeeded";
    if (!asAsked) {
      const data = { attempt: number, expected: attempt.request, reported: outcome };
      return [{ type: "IntegrityMismatchDetected", data }];
    }
  }
  const failure = outcome._tag === "Declined" ? failureOf(outcome) : undefined;
  const after =
    failure === undefined || outcome._tag !== "Declined"
      ? []
      : afterFailedAttempt(payment, state, given, failure, outcome.tryAnotherGateway);
  if (state.name === "OUTCOME_UNKNOWN") {
    return [{ type: "OutcomeVerified", data: { attempt: number, round, outcome } }, ...after];
  }
  switch (outcome._tag) {
    case "Approved": {
      const { gatewayTransactionId } = outcome;
      return [
        { type: "PaymentSucceeded", data: { attempt: number, gatewayTransactionId, amount: attempt.request.amount } },
      ];
    }
    case "Declined":
      return [{ type: "AttemptDeclined", data: { attempt: number, outcome } }, ...after];
    case "ActionRequired": {
      const { gatewayTransactionId, nextAction } = outcome;
      return [{ type: "ActionRequired", data: { attempt: number, gatewayTransactionId, nextAction } }];
    }
  }
};

const failureOf = (outcome: Extract<Evidence, { readonly _tag: "Declined" }>): NonNullable<Attempt["failure"]> => ({
  code: outcome.code,
  message: outcome.message,
  ...(outcome.declineCode === undefined ? {} : { declineCode: outcome.declineCode }),
});

const openFor = (state: PaymentState, attempt: number): Processing | OutcomeUnknown | undefined =>
  (state.name === "PROCESSING" || state.name === "OUTCOME_UNKNOWN") && state.attempt.number === attempt
    ? state
    : undefined;

const recordOutcome = (state: PaymentState, command: RecordOutcome): Decision => {
  const open = openFor(state, command.attempt);
  if (open === undefined) return nothing;
  const { payment, outcome, given, round } = command;
  if (outcome._tag !== "Unknown" && outcome._tag !== "NotSent") {
    return Result.succeed(onEvidence(payment, open, round, outcome, given));
  }
  const { attempt } = open;
  if (round !== attempt.lastRound) return nothing;
  if (open.name === "OUTCOME_UNKNOWN") return Result.succeed([lookUpLater(attempt, given)]);
  if (outcome._tag === "Unknown") {
    const data = { attempt: attempt.number, round, reason: outcome.reason };
    return Result.succeed([{ type: "AttemptOutcomeUnknown", data }, lookUpLater(attempt, given)]);
  }
  const { policy } = given;
  const last = triesUsedUp(attempt, given) || !withinResendWindow(attempt, given);
  const notSent: NewEvent = {
    type: "AttemptNotSent",
    data: { attempt: attempt.number, round, reason: outcome.reason, last },
  };
  const failure = { code: "gateway_unavailable", message: outcome.reason };
  return Result.succeed(
    last
      ? [notSent, ...afterFailedAttempt(payment, open, given, failure, true)]
      : [notSent, nextRound(attempt, "resend", given.at + delayOf(policy.retryDelaysMillis, round, given.jitter))],
  );
};

/** One try and `maxRetries` more, whatever became of them: a resend after "not found" is one of them (criterion 20). */
const triesUsedUp = (attempt: Attempt, given: Given): boolean => attempt.tries > given.policy.maxRetries;

const withinResendWindow = (attempt: Attempt, given: Given): boolean =>
  given.at < Date.parse(attempt.startedAt) + given.policy.resendForMillis;

const recordLookUp = (state: PaymentState, command: RecordLookUp): Decision => {
  const open = openFor(state, command.attempt);
  if (open === undefined) return nothing;
  const { payment, outcome, given, round } = command;
  const { attempt } = open;
  if (outcome._tag !== "Unknown" && outcome._tag !== "NotFound") {
    return Result.succeed(onEvidence(payment, open, round, outcome, given));
  }
  if (round !== attempt.lastRound || open.name !== "OUTCOME_UNKNOWN") return nothing;
  if (outcome._tag === "Unknown") return Result.succeed([lookUpLater(attempt, given)]);
  const verified: NewEvent = { type: "OutcomeVerified", data: { attempt: attempt.number, round, outcome } };
  const inTime = withinResendWindow(attempt, given);
  if (inTime && !triesUsedUp(attempt, given)) return Result.succeed([verified, nextRound(attempt, "resend", given.at)]);
  const why = inTime ? "it was sent as often as it may be" : "the time for sending it again is over";
  const reason = `the gateway knows nothing of the attempt, and ${why}`;
  return Result.succeed([verified, { type: "ReviewRequested", data: { attempt: attempt.number, reason } }]);
};

/** After a replay nobody knows whether the round under way was tried: from here on only the gateway's answer counts. */
const resume = (state: PaymentState, given: Given): Decision => {
  if (state.name === "PROCESSING" && state.round !== undefined) {
    const { attempt } = state;
    const reason = "the owner that was trying has gone";
    const data = { attempt: attempt.number, round: attempt.lastRound, reason };
    return Result.succeed([{ type: "AttemptOutcomeUnknown", data }, nextRound(attempt, "lookUp", given.at)]);
  }
  if (state.name === "OUTCOME_UNKNOWN" && state.round !== undefined) {
    const due = Math.max(given.at, Date.parse(state.round.due));
    return Result.succeed([nextRound(state.attempt, "lookUp", due)]);
  }
  return nothing;
};

export const decide = (state: PaymentState, command: PaymentCommand): Decision => {
  switch (command.type) {
    case "Create":
      return create(state, command);
    case "RecordOutcome":
      return recordOutcome(state, command);
    case "RecordLookUp":
      return recordLookUp(state, command);
    case "Resume":
      return resume(state, command.given);
  }
};
