/**
 * What Stripe's answers prove about a charge. Amount and currency go on in our units: the core compares them.
 *
 * | status of the PaymentIntent     | outcome                                                                        |
 * |---------------------------------|--------------------------------------------------------------------------------|
 * | succeeded                       | Approved, taken: what was received                                             |
 * | requires_capture                | Approved, held                                                                 |
 * | requires_action, a redirect     | ActionRequired                                                                 |
 * | requires_payment_method         | by its last error, as in stripeRulings.ts; without one it was never tried:     |
 * |                                 | Unknown                                                                        |
 * | canceled                        | Released; of a start Unknown, whose answer is the charge's first               |
 * | processing, requires_… , others | Unknown: not decided yet                                                       |
 * | another key's                   | Unknown: never evidence                                                        |
 */
import type { GatewayOutcome, LookUpOutcome } from "@aegispay/core/payment/GatewayOutcome";
import { Option } from "effect";
import { unknown, unreadable, withoutAnswer } from "../evidence/noAnswer.ts";
import { ruledCharge } from "../evidence/Ruling.ts";
import type { Exchange } from "../http/GatewayHttp.ts";
import { decodePaymentIntent, keyField, type PaymentIntent } from "./stripeDocuments.ts";
import { stripeMoney } from "./stripeMoney.ts";
import { declineOf, refusalIn } from "./stripeRefusal.ts";

type Told = Exclude<GatewayOutcome, { readonly _tag: "NotSent" }>;

export const isUnderKey = ({ metadata }: PaymentIntent, idempotencyKey: string): boolean =>
  metadata[keyField] === idempotencyKey;

const approved = (intent: PaymentIntent, status: "authorized" | "succeeded", value: number) => ({
  _tag: "Approved" as const,
  gatewayTransactionId: intent.id,
  status,
  amount: stripeMoney.fromGateway(value, intent.currency),
});

const outcomeOf = (intent: PaymentIntent, idempotencyKey: string): Told => {
  const { id, status } = intent;
  if (!isUnderKey(intent, idempotencyKey)) return unknown(`the answer is about another key's PaymentIntent, ${id}`);
  switch (status) {
    case "succeeded":
      return approved(intent, "succeeded", intent.amount_received ?? intent.amount);
    case "requires_capture":
      return approved(intent, "authorized", intent.amount);
    case "requires_action": {
      const url = intent.next_action?.redirect_to_url?.url ?? undefined;
      return url === undefined
        ? unknown(`PaymentIntent ${id} waits for ${intent.next_action?.type ?? "an action"}, which is no redirect`)
        : { _tag: "ActionRequired", gatewayTransactionId: id, nextAction: { type: "redirect", url } };
    }
    case "requires_payment_method": {
      const error = intent.last_payment_error ?? undefined;
      if (error === undefined) return unknown(`PaymentIntent ${id} was never paid and has no error`);
      const declined = ruledCharge(...declineOf(error, id));
      return declined._tag === "NotSent" ? unknown(declined.reason) : declined;
    }
    default:
      return unknown(`PaymentIntent ${id} has the status ${JSON.stringify(status)}`);
  }
};

export const readStart = (exchange: Exchange, idempotencyKey: string): GatewayOutcome => {
  if (exchange._tag !== "Answered") return withoutAnswer(exchange);
  if (exchange.status !== 200) return ruledCharge(...refusalIn(exchange));
  const intent = decodePaymentIntent(exchange.body);
  return Option.isSome(intent) ? outcomeOf(intent.value, idempotencyKey) : unreadable(exchange);
};

export const lookUpOutcomeOf = (intent: PaymentIntent, idempotencyKey: string): LookUpOutcome =>
  intent.status === "canceled" && isUnderKey(intent, idempotencyKey)
    ? { _tag: "Released", gatewayTransactionId: intent.id }
    : outcomeOf(intent, idempotencyKey);
