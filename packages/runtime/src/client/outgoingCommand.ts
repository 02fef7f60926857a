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
import type {
  AuthenticateBody,
  CancelBody,
  CaptureBody,
  RefundBody,
  ResolveBody,
  VoidBody,
} from "@aegispay/core/payment/CommandBodies";
import type { CreateBody } from "@aegispay/core/payment/CreateBody";
import type { RejectionCode } from "@aegispay/core/payment/Rejection";
import { Effect } from "effect";
import { CommandRefusedLocally } from "./ClientErrors.ts";

interface Order<Verb extends string, Body> {
  readonly verb: Verb;
  readonly merchant: string;
  /** The payment's id, or any key of 1 to 255 characters from which it is derived. */
  readonly payment: { readonly id: string } | { readonly idempotencyKey: string };
  readonly body: Body;
  /**
   * Identity of this command; random when left out. Whoever may have to order the same again, after a crash of its own,
   * chooses one and keeps it: two captures or refunds with different ids are two.
   */
  readonly commandId?: string;
  readonly traceparent?: string;
}

export interface CreateOrder extends Omit<Order<"create", CreateBody>, "verb"> {
  readonly verb?: "create";
}

/** Everything that clients may ask of a payment. */
export type CommandOrder =
  | CreateOrder
  | Order<"authenticate", AuthenticateBody>
  | Order<"capture", CaptureBody>
  | Order<"void", VoidBody>
  | Order<"refund", RefundBody>
  | Order<"cancel", CancelBody>;

/** What an operator says about a payment in review. */
export type ResolveOrder = Omit<Order<"resolve", ResolveBody>, "verb">;

export interface OutgoingCommand {
  readonly payment: PaymentRef;
  readonly verb: string;
  /** Operators publish beside the clients, to subjects that clients have no permission for. */
  readonly from: "client" | "operator";
  readonly body: string;
  readonly commandId: string;
  readonly traceparent?: string;
  /** `<merchant>/<payment>/<verb>/<command id>/<hash of the body>` (CONTRACT), on creates only. */
  readonly messageId?: string;
  /** What must be the same when it is sent again, for people. */
  readonly identity: string;
}

const refuse = (code: RejectionCode, message: string) => Effect.fail(new CommandRefusedLocally({ code, message }));

const prepare = (
  order: Omit<Order<string, unknown>, "verb">,
  verb: string,
  from: OutgoingCommand["from"],
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
    verb,
    from,
    body: JSON.stringify(order.body),
    commandId,
    ...(order.traceparent === undefined ? {} : { traceparent: order.traceparent }),
    ...(verb === "create"
      ? {
          messageId: `${paymentKey(payment)}/create/${commandId}/${canonicalHash(order.body)}`,
          identity: `payment id ${paymentId}`,
        }
      : { identity: `command id ${commandId}` }),
  });
};

export const prepareCommand = (order: CommandOrder, newCommandId: () => string) =>
  prepare(order, order.verb ?? "create", "client", newCommandId);

export const prepareResolve = (order: ResolveOrder, newCommandId: () => string) =>
  prepare(order, "resolve", "operator", newCommandId);
