/** An operator's word about a payment that people look at: about the payment itself, or about one operation of it. */
import { Result } from "effect";
import type { ResolveOperation, ResolvePayment } from "./CommandBodies.ts";
import { findAttempt, findOperation } from "./evolving.ts";
import { evolve } from "./evolve.ts";
import { authorizationUntil } from "./expiry.ts";
import { isoTime } from "./Given.ts";
import type { Resolve } from "./PaymentCommand.ts";
import { placeEvents, type CommandRecord, type NewEvent } from "./PaymentEvent.ts";
import { attemptOf, behindReview, ownOpenOperations, type ExistingPayment } from "./PaymentState.ts";
import { reject, type Rejection } from "./Rejection.ts";
import { lookUpDoubtful } from "./verification.ts";

type Ruling = Result.Result<ReadonlyArray<NewEvent>, Rejection>;

const refuse = (message: string): Ruling => Result.fail(reject("IllegalTransition", message));

/**
 * The word, and, where it is not the gateway's, look-ups for as long as the gateway knows the key: it may contradict.
 * What the word makes of the payment is the transition's to say (evolveReview.ts): where there is none it is refused.
 */
const resolved = (
  state: ExistingPayment,
  { given }: Resolve,
  word: Extract<NewEvent, { readonly type: "ReviewResolved" }>,
): Ruling => {
  const after = evolve(state, placeEvents([word], state.version, isoTime(given.at))[0]!);
  if (after === undefined || after.name === "ABSENT") {
    return refuse(`a payment of which that is in question cannot be resolved as ${word.data.as}`);
  }
  const { operation } = word.data;
  const own = attemptOf(behindReview(state));
  const errand = operation !== undefined ? findOperation(after, operation) : own && findAttempt(after, own.number);
  const watched = errand?.isDoubtful === true ? lookUpDoubtful({ state: after, errand, given }, 0) : [];
  return Result.succeed([word, ...watched]);
};

const resolveOperation = (
  state: ExistingPayment,
  command: Resolve,
  { operation: number, as, reason }: ResolveOperation,
  record: CommandRecord,
): Ruling => {
  const operation = findOperation(state, number);
  if (operation === undefined) return refuse(`there is no operation ${number}`);
  if (operation.review === undefined) return refuse(`operation ${number} is not in question`);
  return resolved(state, command, { type: "ReviewResolved", data: { operation: number, as, reason, command: record } });
};

const resolvePayment = (
  state: ExistingPayment,
  command: Resolve,
  { as, amount, gatewayTransactionId, reason }: ResolvePayment,
  record: CommandRecord,
): Ruling => {
  const { currency } = state.order.create.amount;
  if (amount !== undefined && amount.currency !== currency) {
    return Result.fail(reject("CurrencyUnsupported", `the payment is in ${currency}, not in ${amount.currency}`));
  }
  const isHeld = as === "SUCCESS" || as === "AUTHORIZED";
  const known = gatewayTransactionId ?? attemptOf(behindReview(state))?.gatewayTransactionId;
  if (isHeld && known === undefined)
    return refuse("gatewayTransactionId is needed: the payment does not know its charge");
  if (ownOpenOperations(state).length > 0) {
    return refuse("the outcome of an operation is still to come: resolve that first");
  }
  return resolved(state, command, {
    type: "ReviewResolved",
    data: {
      as,
      ...(amount === undefined ? {} : { amount }),
      ...(gatewayTransactionId === undefined ? {} : { gatewayTransactionId }),
      ...(as === "AUTHORIZED" ? { expiresAt: authorizationUntil(command.given) } : {}),
      reason,
      command: record,
    },
  });
};

export const resolve = (state: ExistingPayment, command: Resolve, record: CommandRecord): Ruling => {
  if (state.name !== "NEEDS_REVIEW") return refuse(`a payment that is ${state.name} is not in question`);
  const { body } = command;
  return "operation" in body
    ? resolveOperation(state, command, body, record)
    : resolvePayment(state, command, body, record);
};
