/** When whoever asked for something is answered: once it has come to its end, or to people. */
import { isOpen } from "./Errand.ts";
import { findOperation } from "./evolving.ts";
import { rememberedOf } from "./identifiedCommands.ts";
import { attemptOf, behindReview, restingNames, type ExistingPayment, type PaymentState } from "./PaymentState.ts";

const isLookedUp = (state: ExistingPayment): boolean => attemptOf(behindReview(state))?.round !== undefined;

/** `commandId`: of the create, or of a further command that the payment remembers. */
export const isCompleted = (state: PaymentState, commandId: string): boolean => {
  if (state.name === "ABSENT") return false;
  if (commandId === state.order.commandId || !restingNames.has(state.name)) return restingNames.has(state.name);
  const command = rememberedOf(state, commandId);
  if (command === undefined || command.refusal !== undefined) return true;
  const operation = command.operation === undefined ? undefined : findOperation(state, command.operation);
  if (operation === undefined) return !(command.verb === "authenticate" && isLookedUp(state));
  if (isOpen(operation)) return operation.review !== undefined;
  // What a void that was refused came upon says what has become of the payment.
  return !(operation.kind === "void" && operation.status === "FAILED" && isLookedUp(state));
};

/** Who waits, by their committed tokens, for what is not completed yet: whoever completes it answers. */
export const waitingFor = (state: PaymentState): ReadonlyArray<{ readonly token: string; readonly commandId: string }> => {
  if (state.name === "ABSENT") return [];
  const asked = [state.order, ...state.commands];
  return asked.flatMap(({ commandId, replyTo }) =>
    replyTo?.when === "completed" && !isCompleted(state, commandId) ? [{ token: replyTo.token, commandId }] : [],
  );
};
