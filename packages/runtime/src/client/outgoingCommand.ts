/** What a client is about to publish: checked here first, so that a card number never leaves the process. */
import { canonicalHash } from "@aegispay/core/identity/canonical";
import { valueHoldsCardNumber } from "@aegispay/core/identity/CardNumber";
import {
  derivePaymentId,
  idempotencyKeyMaxLength,
  isCommandId,
  isToken,
  paymentKey,
  type PaymentRef,
} from "@aegispay/core/identity/Identity";
import type { CreateBody } from "@aegispay/core/payment/CreateBody";
import type { RejectionCode } from "@aegispay/core/payment/Rejection";
import { Effect } from "effect";
import { CommandRefusedLocally } from "./ClientErrors.ts";

export interface CreateOrder {
  readonly merchant: string;
  /** The payment's id, or any key of 1 to 255 characters from which it is derived. */
  readonly payment: { readonly id: string } | { readonly idempotencyKey: string };
  readonly body: CreateBody;
  /** Identity of this command; random when left out. */
  readonly commandId?: string;
  readonly traceparent?: string;
}

export interface OutgoingCommand {
  readonly payment: PaymentRef;
  readonly verb: "create";
  readonly body: string;
  readonly commandId: string;
  readonly traceparent?: string;
  /** `<merchant>/<payment>/<verb>/<command id>/<hash of the body>` (CONTRACT). */
  readonly messageId: string;
}

const refuse = (code: RejectionCode, message: string) => Effect.fail(new CommandRefusedLocally({ code, message }));

export const prepareCreate = (
  order: CreateOrder,
  newCommandId: () => string,
): Effect.Effect<OutgoingCommand, CommandRefusedLocally> => {
  const given: { readonly id?: unknown; readonly idempotencyKey?: unknown } = order.payment;
  if (typeof given.id !== "string" && typeof given.idempotencyKey !== "string") {
    return refuse("InvalidCommand", "a payment is named by its id or by an idempotencyKey");
  }
  const paymentId = "id" in order.payment ? order.payment.id : derivePaymentId(order.payment.idempotencyKey);
  if (paymentId === undefined) {
    return refuse("InvalidCommand", `an idempotency key has 1 to ${idempotencyKeyMaxLength} characters`);
  }
  if (!isToken(order.merchant) || !isToken(paymentId)) {
    return refuse("InvalidCommand", "merchant and payment id have 1 to 128 characters of [A-Za-z0-9_-]");
  }
  const commandId = order.commandId ?? newCommandId();
  if (!isCommandId(commandId)) {
    return refuse("InvalidCommand", "a command id has 1 to 128 characters of [A-Za-z0-9_-:./]");
  }
  if (valueHoldsCardNumber([order.body, commandId, order.merchant, paymentId])) {
    return refuse("CardDataRefused", "the command holds a card number: send a token of your gateway's vault instead");
  }
  const payment: PaymentRef = { merchant: order.merchant, paymentId };
  return Effect.succeed({
    payment,
    verb: "create",
    body: JSON.stringify(order.body),
    commandId,
    messageId: `${paymentKey(payment)}/create/${commandId}/${canonicalHash(order.body)}`,
    ...(order.traceparent === undefined ? {} : { traceparent: order.traceparent }),
  });
};
