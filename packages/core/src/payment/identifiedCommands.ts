/**
 * The commands to a payment that is there: what each may do in which state, and how each is remembered.
 *
 * Invariants:
 * 1. A command id has one effect and one answer, for ever. Another verb or other parameters under it are a conflict.
 * 2. A refusal that depends on the state is an event too, so that a repeat cannot get another answer. What may be tried
 *    again as it is (Overloaded) is not remembered.
 * 3. A client's word about an authentication moves nothing: it makes us ask the gateway.
 */
import { Result } from "effect";
import { hasPlaceForCommand, refusalsMax } from "./limits.ts";
import { capturable, refundable } from "./reservations.ts";
import type { Authenticate, Cancel, Capture, FurtherCommand, Refund, Void } from "./PaymentCommand.ts";
import type { CommandRecord, NewEvent } from "./PaymentEvent.ts";
import {
  isBeingVoided,
  openOperations,
  type ExistingPayment,
  type PaymentState,
  type Remembered,
} from "./PaymentState.ts";
import { reject, type Rejection, type RejectionCode } from "./Rejection.ts";
import { requestCapture, requestRefund, requestVoid } from "./requests.ts";
import { resolve } from "./resolution.ts";
import { lookUpNow } from "./verification.ts";

export type Ruling = Result.Result<ReadonlyArray<NewEvent>, Rejection>;

export const refuse = (code: RejectionCode, message: string): Ruling => Result.fail(reject(code, message));

const nothing: Ruling = Result.succeed([]);

export const recordOf = ({ type, commandId, message, hash, replyTo }: FurtherCommand): CommandRecord => ({
  commandId,
  verb: type.toLowerCase(),
  message,
  hash,
  ...(replyTo === undefined ? {} : { replyTo }),
});

/** What became of a command that the payment has had before. */
export const rememberedOf = (state: PaymentState, commandId: string): Remembered | undefined =>
  state.name === "ABSENT" ? undefined : state.commands.find((command) => command.commandId === commandId);

const illegal = (verb: string, state: ExistingPayment, instead = ""): Ruling =>
  refuse("IllegalTransition", `a payment that is ${state.name} takes no ${verb}${instead}`);

const underWay = (verb: string): Ruling =>
  refuse(
    "IllegalTransition",
    `no ${verb} while the outcome of another operation is still to come: try it again under a new command id`,
  );

const isHolding = (
  state: ExistingPayment,
): state is Extract<ExistingPayment, { readonly name: "AUTHORIZED" | "PARTIALLY_CAPTURED" }> =>
  state.name === "AUTHORIZED" || state.name === "PARTIALLY_CAPTURED";

const money = (
  state: ExistingPayment,
  wanted: { readonly value: number; readonly currency: string } | undefined,
  left: number,
  what: string,
): Result.Result<{ readonly value: number; readonly currency: string }, Rejection> => {
  const { currency } = state.order.create.amount;
  const { value, currency: wantedCurrency } = wanted ?? { value: left, currency };
  if (wantedCurrency !== currency) {
    return Result.fail(reject("CurrencyUnsupported", `the payment is in ${currency}, not in ${wantedCurrency}`));
  }
  return left <= 0 || value > left
    ? Result.fail(reject("AmountExceeded", `${left} minor units of ${currency} are left to ${what}`))
    : Result.succeed({ value, currency });
};

const capture = (state: ExistingPayment, command: Capture): Ruling => {
  if (!isHolding(state)) return illegal("capture", state);
  if (isBeingVoided(state)) return underWay("capture");
  const { payment, given } = command;
  return Result.map(money(state, command.body.amount, capturable(state), "capture"), (amount) => [
    requestCapture({ payment, state, given }, state.attempt, amount, recordOf(command)),
  ]);
};

const refund = (state: ExistingPayment, command: Refund): Ruling => {
  if (state.name !== "SUCCESS" && state.name !== "PARTIALLY_CAPTURED") {
    return illegal("refund", state, ": nothing of it was captured");
  }
  const { payment, given, body } = command;
  return Result.map(money(state, body.amount, refundable(state), "refund"), (amount) => [
    requestRefund({ payment, state, given }, state.attempt, amount, "command", {
      reason: body.reason,
      command: recordOf(command),
    }),
  ]);
};

const voidIt = (state: ExistingPayment, command: Void): Ruling => {
  if (!isHolding(state)) return illegal("void", state, state.name === "SUCCESS" ? ": refund it" : "");
  if (openOperations(state).length > 0) return underWay("void");
  const { payment, given } = command;
  return Result.succeed([requestVoid({ payment, state, given }, state.attempt, "command", recordOf(command))]);
};

const cancel = (state: ExistingPayment, command: Cancel): Ruling => {
  const { payment, given } = command;
  const cancelled: Ruling = Result.succeed([{ type: "PaymentCancelled", data: { command: recordOf(command) } }]);
  if (state.name === "INITIATED" || state.name === "AUTHENTICATED") return cancelled;
  if (isHolding(state)) return illegal("cancel", state, ": void it");
  if (state.name !== "REQUIRES_ACTION") return illegal("cancel", state);
  if (openOperations(state).length > 0) return underWay("cancel");
  return state.attempt === undefined
    ? cancelled
    : Result.succeed([requestVoid({ payment, state, given }, state.attempt, "cancel", recordOf(command))]);
};

/** It is kept for ever; what a gateway gives a browser to bring back is a fraction of it. */
const broughtLengthMax = 8_192;

const authenticate = (state: ExistingPayment, command: Authenticate): Ruling => {
  if (state.name !== "REQUIRES_ACTION" || state.attempt === undefined) return illegal("authenticate", state);
  if (isBeingVoided(state)) return underWay("authenticate");
  const { attempt } = state;
  const { given, body } = command;
  const isWanted = given.candidates.some(
    ({ gateway, account, finishesActions }) =>
      gateway === attempt.gateway && account === attempt.account && finishesActions === true,
  );
  if (isWanted && JSON.stringify(body.result).length > broughtLengthMax) {
    return refuse("InvalidCommand", `what the customer brought back has at most ${broughtLengthMax} characters`);
  }
  const brought = isWanted ? { brought: body.result } : {};
  return Result.succeed([
    { type: "AuthenticationReported", data: { attempt: attempt.number, ...brought, command: recordOf(command) } },
    ...lookUpNow({ state, errand: attempt, given }),
  ]);
};

const rule = (state: ExistingPayment, command: FurtherCommand): Ruling => {
  if (command.type === "Resolve") return resolve(state, command, recordOf(command));
  if (state.name === "NEEDS_REVIEW") return illegal(command.type.toLowerCase(), state, ": people are looking at it");
  switch (command.type) {
    case "Capture":
      return capture(state, command);
    case "Refund":
      return refund(state, command);
    case "Void":
      return voidIt(state, command);
    case "Cancel":
      return cancel(state, command);
    case "Authenticate":
      return authenticate(state, command);
  }
};

const conflict = refuse(
  "IdempotencyConflict",
  "a command of this id said something else to this payment: send the same again, or choose another id",
);

export const onFurtherCommand = (state: PaymentState, command: FurtherCommand): Ruling => {
  const { merchant, paymentId } = command.payment;
  if (state.name === "ABSENT") return refuse("PaymentNotFound", `there is no payment ${merchant}/${paymentId}`);
  if (command.commandId === state.order.commandId) return conflict;
  const before = rememberedOf(state, command.commandId);
  if (before !== undefined) {
    const isSame = before.hash === command.hash && before.verb === command.type.toLowerCase();
    return isSame ? nothing : conflict;
  }
  if (command.type !== "Resolve" && !hasPlaceForCommand(state)) {
    return refuse("Overloaded", "the payment has had as many commands as it can remember");
  }
  const ruling = rule(state, command);
  if (Result.isSuccess(ruling)) return ruling;
  if (state.commands.filter(({ refusal }) => refusal !== undefined).length >= refusalsMax) {
    return refuse("Overloaded", "the payment has refused as many commands as it can remember");
  }
  const { code, message: reason } = ruling.failure;
  return Result.succeed([{ type: "CommandRefused", data: { command: recordOf(command), code, reason } }]);
};
