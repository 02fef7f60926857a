/** A refusal of Stripe, as evidence and with its ruling. */
import type { Answered } from "../evidence/noAnswer.ts";
import type { Evidence, Ruling } from "../evidence/Ruling.ts";
import { leftAloneMillis } from "../http/retryAfter.ts";
import type { StripeError } from "./stripeDocuments.ts";
import { stripeErrorIn } from "./stripeDocuments.ts";
import { ruleStripe } from "./stripeRulings.ts";

const evidenceOf = (error: StripeError, fallbackCode: string, gatewayTransactionId?: string): Evidence => ({
  code: error.code ?? error.type ?? fallbackCode,
  message: error.message ?? undefined,
  declineCode: error.decline_code ?? undefined,
  gatewayTransactionId: gatewayTransactionId ?? error.payment_intent?.id,
});

const rule = (status: number, error: StripeError): Ruling => {
  const { type, code, decline_code, advice_code, network_advice_code, network_decline_code } = error;
  return ruleStripe({
    status,
    type: type ?? undefined,
    code: code ?? undefined,
    declineCode: decline_code ?? undefined,
    adviceCode: advice_code ?? undefined,
    networkAdviceCode: network_advice_code ?? undefined,
    networkDeclineCode: network_decline_code ?? undefined,
  });
};

export const refusalIn = ({ status, headers, body }: Answered): readonly [Ruling, Evidence] => {
  const error = stripeErrorIn(body);
  const evidence = {
    ...evidenceOf(error, `status ${status}`),
    requestId: headers["request-id"],
    retryAfterMillis: leftAloneMillis(status, headers),
  };
  return [rule(status, error), evidence];
};

/** Why a PaymentIntent that is there was not paid: Stripe had answered with 402 when it happened. */
export const declineOf = (error: StripeError, paymentIntent: string): readonly [Ruling, Evidence] => [
  rule(402, error),
  evidenceOf(error, "card_declined", paymentIntent),
];
