/**
 * state + command → events, or a rejection. Total, synchronous, without clock, randomness or IO.
 *
 * Invariants (the laws of DESIGN.md that live here):
 * 1. A try is announced by the events of a commit of its own: AttemptStarted or RoundStarted (law 1).
 * 2. NotSent is believed only while no earlier try of the attempt may have left, which is what PROCESSING says;
 *    afterwards only the gateway's own answer for the key is evidence (law 4).
 * 3. No attempt starts while another is open; no unknown outcome becomes a failure without evidence (law 4).
 * 4. An outcome that comes late or twice decides nothing, unless it is evidence, or says for the first time that a try of
 *    the open attempt may have left.
 */
import { Result } from "effect";
import { paymentKey } from "../identity/Identity.ts";
import { afterFailedAttempt, startAttempt } from "./attempts.ts";
import { onEvidence } from "./evidence.ts";
import { delayOf, type Given } from "./Given.ts";
import type { Create, PaymentCommand, RecordLookUp, RecordOutcome } from "./PaymentCommand.ts";
import type { NewEvent } from "./PaymentEvent.ts";
import type { Attempt, PaymentState, Processing } from "./PaymentState.ts";
import { reject, type Rejection } from "./Rejection.ts";
import {
  afterNoAnswer,
  afterNotFound,
  lookUpAtStep,
  repeatRound,
  resendAt,
  whyNotAgain,
  type Verifying,
} from "./verification.ts";

export type Decision = Result.Result<ReadonlyArray<NewEvent>, Rejection>;

const nothing: Decision = Result.succeed([]);

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

/** The outcome of the open attempt is unknown, and a round is open to find it out. */
const isVerifying = (state: PaymentState): state is Verifying =>
  (state.name === "OUTCOME_UNKNOWN" || state.name === "NEEDS_REVIEW") && state.round !== undefined;

/** In review without a round people have the only say, for instance after a mismatch. */
const openFor = (state: PaymentState, attempt: number): Processing | Verifying | undefined =>
  (state.name === "PROCESSING" || isVerifying(state)) && state.attempt.number === attempt ? state : undefined;

const becameUnknown = (attempt: Attempt, round: number, reason: string, given: Given): ReadonlyArray<NewEvent> => [
  { type: "AttemptOutcomeUnknown", data: { attempt: attempt.number, round, reason } },
  lookUpAtStep(attempt, 0, given),
];

const recordOutcome = (state: PaymentState, command: RecordOutcome): Decision => {
  const open = openFor(state, command.attempt);
  if (open === undefined) return nothing;
  const { payment, outcome, given, round } = command;
  if (outcome._tag !== "Unknown" && outcome._tag !== "NotSent") {
    return Result.succeed(onEvidence(payment, open, round, outcome, given));
  }
  const { attempt } = open;
  // Whichever try it was: the attempt's outcome is the join of all of them (law 4).
  if (open.name === "PROCESSING" && outcome._tag === "Unknown") {
    return Result.succeed(becameUnknown(attempt, round, outcome.reason, given));
  }
  if (round !== attempt.lastRound) return nothing;
  if (open.name !== "PROCESSING") return Result.succeed(afterNoAnswer(open, given));
  const last = whyNotAgain(attempt, given) !== undefined;
  const notSent: NewEvent = {
    type: "AttemptNotSent",
    data: { attempt: attempt.number, round, reason: outcome.reason, last },
  };
  const failure = { code: "gateway_unavailable", message: outcome.reason };
  const { retryDelaysMillis } = given.policy;
  return Result.succeed(
    last
      ? [notSent, ...afterFailedAttempt(payment, open, given, failure, true)]
      : [notSent, resendAt(attempt, 0, given.at + delayOf(retryDelaysMillis, round, given.jitter))],
  );
};

const recordLookUp = (state: PaymentState, command: RecordLookUp): Decision => {
  const open = openFor(state, command.attempt);
  if (open === undefined) return nothing;
  const { payment, outcome, given, round } = command;
  if (outcome._tag !== "Unknown" && outcome._tag !== "NotFound") {
    return Result.succeed(onEvidence(payment, open, round, outcome, given));
  }
  if (round !== open.attempt.lastRound || open.name === "PROCESSING") return nothing;
  return Result.succeed(outcome._tag === "Unknown" ? afterNoAnswer(open, given) : afterNotFound(open, given));
};

/** After a replay nobody knows whether the round under way was tried: from here on only the gateway's answer counts. */
const resume = (state: PaymentState, given: Given): Decision => {
  if (state.name === "PROCESSING" && state.round !== undefined) {
    const { attempt } = state;
    return Result.succeed(becameUnknown(attempt, attempt.lastRound, "the owner that was trying has gone", given));
  }
  return isVerifying(state) ? Result.succeed([repeatRound(state, given)]) : nothing;
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
