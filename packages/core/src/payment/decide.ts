/**
 * state + command → events, or a rejection. Total, synchronous, without clock, randomness or IO.
 *
 * Invariants (the laws of DESIGN.md that live here):
 * 1. A try is announced by the events of a commit of its own: AttemptStarted, a request or a round (law 1).
 * 2. NotSent is believed only while no earlier try under the key may have left, which is what PENDING says;
 *    afterwards only the gateway's own answer for the key is evidence (law 4).
 * 3. No attempt starts while another is open; no unknown outcome becomes a failure without evidence (law 4).
 * 4. An outcome that comes late or twice decides nothing, unless it is evidence, or says for the first time that a try of
 *    what is open may have left.
 */
import { Result } from "effect";
import { paymentKey, type PaymentRef } from "../identity/Identity.ts";
import { routeAttempt, startAttempt } from "./attempts.ts";
import { goneReason, onChargeOutcome, ownerGone } from "./charges.ts";
import { isOperation, type Attempt, type Errand } from "./Errand.ts";
import { onExpire } from "./expiry.ts";
import type { Given } from "./Given.ts";
import { onFurtherCommand, rememberedOf } from "./identifiedCommands.ts";
import { errandsOf } from "./intents.ts";
import { onNotification } from "./notification.ts";
import { onOperationOutcome, operationBecameUnknown } from "./operations.ts";
import type { Create, PaymentCommand, Resume } from "./PaymentCommand.ts";
import type { NewEvent } from "./PaymentEvent.ts";
import { behindReview, type ExistingPayment, type PaymentState } from "./PaymentState.ts";
import { reject, type Rejection } from "./Rejection.ts";
import { labelsIn } from "./verdicts.ts";
import { hasRound, repeatRound } from "./verification.ts";

export type Decision = Result.Result<ReadonlyArray<NewEvent>, Rejection>;

const nothing: Decision = Result.succeed([]);

/** What any gateway is asked for this payment; of the customer only what tells a gateway whose card it is. */
const chargeRequest = (payment: PaymentRef, { amount, method, capture, returnUrl, customer = {} }: Create["body"]) => {
  const { id, email, phone } = customer;
  const whose = {
    ...(id === undefined ? {} : { id }),
    ...(email === undefined ? {} : { email }),
    ...(phone === undefined ? {} : { phone }),
  };
  return {
    reference: paymentKey(payment),
    amount,
    token: method.token,
    capture: capture ?? "automatic",
    ...(returnUrl === undefined ? {} : { returnUrl }),
    ...(Object.keys(whose).length === 0 ? {} : { customer: whose }),
  } satisfies Attempt["request"];
};

const create = (state: PaymentState, command: Create): Decision => {
  const { payment, body, given, verdicts } = command;
  if (state.name !== "ABSENT") {
    // One id, one command: that of a later command is not the create's.
    return state.order.hash === command.hash && rememberedOf(state, command.commandId) === undefined
      ? nothing
      : Result.fail(
          reject(
            "IdempotencyConflict",
            "a payment of this id was created with other parameters: send the same body, or choose another id",
          ),
        );
  }
  if (body.expiresAt !== undefined && Date.parse(body.expiresAt) <= given.at) {
    return Result.fail(reject("InvalidCommand", "expiresAt is past: nothing was begun"));
  }
  const { commandId, message, hash, replyTo } = command;
  const begun: ReadonlyArray<NewEvent> = [
    {
      type: "PaymentInitiated",
      data: { create: body, commandId, message, hash, ...(replyTo === undefined ? {} : { replyTo }) },
    },
    ...(verdicts?.events ?? []),
  ];
  if (verdicts?.refusal !== undefined) {
    return Result.succeed([...begun, { type: "PaymentFailed", data: { failure: verdicts.refusal } }]);
  }
  const order = { create: body, labels: labelsIn(verdicts), gatewayOrder: verdicts?.route ?? [] };
  const routed = routeAttempt(payment, order, 1, [], given);
  if (Result.isFailure(routed)) {
    const { why, isPassing } = routed.failure;
    return Result.fail(reject("NoGatewayAvailable", why, isPassing));
  }
  const request = chargeRequest(payment, body);
  return Result.succeed([
    ...begun,
    { type: "PaymentAuthenticated", data: { method: "none" } },
    startAttempt(payment, request, 1, routed.success, given),
  ]);
};

const goOn = (state: ExistingPayment, errand: Errand, given: Given): ReadonlyArray<NewEvent> => {
  const isUnderWay = errand.status === "PENDING" && errand.round?.action !== "lookUp";
  if (isUnderWay && isOperation(errand)) {
    return operationBecameUnknown({ state, errand, given }, errand.lastRound, goneReason);
  }
  if (isUnderWay && !isOperation(errand)) return ownerGone(state, errand, given);
  const asking = { state, errand, given };
  return hasRound(asking) ? [repeatRound(asking)] : [];
};

/** After a replay nobody knows whether the rounds under way were tried: each is begun anew, with a look-up. */
const resume = (state: ExistingPayment, { round, given }: Resume): ReadonlyArray<NewEvent> =>
  errandsOf(state)
    .filter((errand) => errand.round !== undefined && (round === undefined || errand.round.version === round))
    .flatMap((errand) => goOn(state, errand, given));

export const decide = (state: PaymentState, command: PaymentCommand): Decision => {
  switch (command.type) {
    case "Create":
      return create(state, command);
    case "Capture":
    case "Void":
    case "Refund":
    case "Cancel":
    case "Authenticate":
    case "Resolve":
      return onFurtherCommand(state, command);
    default: {
      const existing = behindReview(state);
      if (existing.name === "ABSENT") return nothing;
      switch (command.type) {
        case "RecordOutcome":
        case "RecordLookUp":
          return Result.succeed(onChargeOutcome(existing, command));
        case "RecordOperation":
          return Result.succeed(onOperationOutcome(existing, command));
        case "Notify":
          return Result.succeed(onNotification(existing, command.given, command.about));
        case "Expire":
          return Result.succeed(onExpire(state, command));
        case "Resume":
          return Result.succeed(resume(existing, command));
      }
    }
  }
};
