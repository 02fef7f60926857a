/**
 * What Stripe's answers prove about a capture, a void or a refund.
 *
 * | found                                         | outcome                                                          |
 * |-----------------------------------------------|------------------------------------------------------------------|
 * | PaymentIntent succeeded under the capture's key | Done: Stripe captures once, and lets go of the rest            |
 * | succeeded, and no capture's key               | Unknown: the same request would be answered                      |
 * | succeeded under another capture's key         | Refused: there is no second capture                              |
 * | requires_capture                              | NotFound, to a look-up                                           |
 * | canceled                                      | Done, of a void: nothing is held any more, whoever let go        |
 * | refund under the key: succeeded               | Done                                                             |
 * | failed, its money back with the merchant      | Reversed                                                         |
 * | failed otherwise, canceled                    | Refused                                                          |
 * | pending, requires_action                      | Unknown: on its way                                              |
 */
import type { OperationLookUpOutcome, OperationOutcome } from "@aegispay/core/payment/GatewayOutcome";
import { Option } from "effect";
import { unknown, unreadable, withoutAnswer } from "../evidence/noAnswer.ts";
import { ruledOperation } from "../evidence/Ruling.ts";
import { evidenceText } from "../evidence/evidenceText.ts";
import type { OperationRequest } from "../Gateway.ts";
import type { Exchange } from "../http/GatewayHttp.ts";
import {
  captureKeyField,
  decodePaymentIntent,
  decodeRefund,
  keyField,
  type PaymentIntent,
  type Refund,
} from "./stripeDocuments.ts";
import { stripeMoney } from "./stripeMoney.ts";
import { refusalIn } from "./stripeRefusal.ts";

const refused = (code: string, message: string) => ({ _tag: "Refused", code, message }) as const;

export const captureOutcomeOf = (intent: PaymentIntent, request: OperationRequest): OperationLookUpOutcome => {
  const { id, status, currency, metadata, latest_charge, amount_received = 0 } = intent;
  if (id !== request.gatewayTransactionId) return unknown(`the answer is about another PaymentIntent, ${id}`);
  if (status === "requires_capture") return { _tag: "NotFound" };
  if (status === "canceled") return refused("canceled", "the authorization was released before it was captured");
  if (status !== "succeeded") return unknown(`PaymentIntent ${id} has the status ${JSON.stringify(status)}`);
  const capturedUnder = metadata[captureKeyField];
  // Without a key nothing says whose capture it was; Stripe tells it to whoever sends the same request again.
  if (capturedUnder === undefined) {
    return { ...unknown(`PaymentIntent ${id} was captured, and not said by whom`), sameKeyAnswers: true };
  }
  return capturedUnder === request.idempotencyKey
    ? {
        _tag: "Done",
        operationId: latest_charge ?? id,
        amount: stripeMoney.fromGateway(amount_received, currency),
      }
    : refused("already_captured", "it was captured under another key, and Stripe captures once");
};

export const voidOutcomeOf = (intent: PaymentIntent, request: OperationRequest): OperationLookUpOutcome => {
  const { id, status, currency, amount, amount_received = 0 } = intent;
  if (id !== request.gatewayTransactionId) return unknown(`the answer is about another PaymentIntent, ${id}`);
  switch (status) {
    case "canceled":
      return { _tag: "Done", operationId: id, amount: stripeMoney.fromGateway(amount - amount_received, currency) };
    case "succeeded":
      // A capture of a part has let go of the rest; after one of the whole there is nothing to release.
      return amount_received < amount
        ? { _tag: "Done", operationId: id, amount: stripeMoney.fromGateway(amount - amount_received, currency) }
        : refused("already_captured", "the whole amount was captured");
    case "requires_capture":
    case "requires_action":
    case "requires_payment_method":
    case "requires_confirmation":
      return { _tag: "NotFound" };
    default:
      return unknown(`PaymentIntent ${id} has the status ${JSON.stringify(status)}`);
  }
};

export const refundOutcomeOf = (refund: Refund, request: OperationRequest): OperationLookUpOutcome => {
  const { id, status, amount, currency } = refund;
  if (refund.metadata?.[keyField] !== request.idempotencyKey) {
    return unknown(`the answer is about another key's refund, ${id}`);
  }
  if (refund.payment_intent !== request.gatewayTransactionId)
    return unknown(`refund ${id} is of another PaymentIntent`);
  const moved = { operationId: id, amount: stripeMoney.fromGateway(amount, currency) };
  switch (status) {
    case "succeeded":
      return { _tag: "Done", ...moved };
    case "failed": {
      const isBack = (refund.failure_balance_transaction ?? "") !== "";
      return isBack
        ? { _tag: "Reversed", ...moved }
        : refused(evidenceText(refund.failure_reason ?? "failed"), "the refund failed");
    }
    case "canceled":
      return refused("canceled", "the refund was canceled");
    default:
      return unknown(`refund ${id} has the status ${JSON.stringify(status)}`);
  }
};

/** Of the answer to the operation itself: it was done, or something else has happened that a look-up has to sort out. */
const firstWord = (outcome: OperationLookUpOutcome): OperationOutcome => {
  if (outcome._tag === "NotFound") return unknown("the answer does not show the operation");
  return outcome._tag === "Reversed" ? unknown(`operation ${outcome.operationId} has come back`) : outcome;
};

export const readOperation = (exchange: Exchange, request: OperationRequest): OperationOutcome => {
  if (exchange._tag !== "Answered") return withoutAnswer(exchange);
  if (exchange.status !== 200) return ruledOperation(...refusalIn(exchange));
  if (request.kind === "refund") {
    const refund = decodeRefund(exchange.body);
    return Option.isSome(refund) ? firstWord(refundOutcomeOf(refund.value, request)) : unreadable(exchange);
  }
  const intent = decodePaymentIntent(exchange.body);
  if (Option.isNone(intent)) return unreadable(exchange);
  return firstWord((request.kind === "capture" ? captureOutcomeOf : voidOutcomeOf)(intent.value, request));
};
