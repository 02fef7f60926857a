/**
 * What Razorpay's documents prove. Amount and currency go on in our units: the core compares them.
 *
 * | status of the payment       | of a charge                                      | of a capture                            |
 * |-----------------------------|--------------------------------------------------|-----------------------------------------|
 * | captured                    | Approved, taken                                  | Done: a payment is captured once        |
 * | authorized                  | Approved, held                                   | NotFound                                |
 * | refunded after a capture    | Approved, taken                                  | Done                                    |
 * | refunded without one        | Released: nobody had captured it in time         | Refused                                 |
 * | failed                      | by its reason, as in razorpayRulings.ts          | Refused                                 |
 * | created, others             | Unknown                                          | Unknown                                 |
 *
 * A capture bears no key at Razorpay: since there is only one, of the whole amount, any is ours. A refund is known by the
 * key in its notes: processed is Done, failed is Refused, pending is Unknown.
 */
import type { LookUpOutcome, OperationLookUpOutcome } from "@aegispay/core/payment/GatewayOutcome";
import type { Answered } from "../evidence/noAnswer.ts";
import { unknown } from "../evidence/noAnswer.ts";
import { ruledCharge, type Evidence, type Ruling } from "../evidence/Ruling.ts";
import type { OperationRequest } from "../Gateway.ts";
import { leftAloneMillis } from "../http/retryAfter.ts";
import { keyNote, noteIn, paymentIn, razorpayErrorIn, type Payment, type Refund } from "./razorpayDocuments.ts";
import { razorpayMoney } from "./razorpayMoney.ts";
import { ruleFailure, ruleRazorpay } from "./razorpayRulings.ts";

export const refusalIn = ({ status, headers, body }: Answered): readonly [Ruling, Evidence] => {
  const error = razorpayErrorIn(body);
  const { code, description, source, reason } = error;
  const refusal = {
    code: code ?? undefined,
    description: description ?? undefined,
    source: source ?? undefined,
    reason: reason ?? undefined,
  };
  return [
    ruleRazorpay(status, refusal),
    {
      code: refusal.code ?? `status ${status}`,
      message: refusal.description,
      declineCode: refusal.reason,
      gatewayTransactionId: paymentIn(error),
      requestId: headers["request-id"],
      retryAfterMillis: leftAloneMillis(status, headers),
    },
  ];
};

const failureOf = (payment: Payment): LookUpOutcome => {
  const { id, error_code, error_description, error_reason, error_source } = payment;
  const ruling = ruleFailure({
    code: error_code ?? undefined,
    reason: error_reason ?? undefined,
    source: error_source ?? undefined,
  });
  const declined = ruledCharge(ruling, {
    code: error_code ?? "failed",
    message: error_description ?? undefined,
    declineCode: error_reason ?? undefined,
    gatewayTransactionId: id,
  });
  return declined._tag === "NotSent" ? unknown(declined.reason) : declined;
};

export const chargeOutcomeOf = (payment: Payment, idempotencyKey: string): LookUpOutcome => {
  const { id, status, amount, currency, captured, notes } = payment;
  if (noteIn(notes, keyNote) !== idempotencyKey) return unknown(`the answer is about another key's payment, ${id}`);
  const approved = (how: "authorized" | "succeeded"): LookUpOutcome => ({
    _tag: "Approved",
    gatewayTransactionId: id,
    status: how,
    amount: razorpayMoney.fromGateway(amount, currency),
  });
  switch (status) {
    case "captured":
      return approved("succeeded");
    case "authorized":
      return approved("authorized");
    case "refunded":
      if (captured === true) return approved("succeeded");
      return captured === false
        ? { _tag: "Released", gatewayTransactionId: id }
        : unknown(`payment ${id} was refunded, and not said whether it had been captured`);
    case "failed":
      return failureOf(payment);
    default:
      return unknown(`payment ${id} has the status ${JSON.stringify(status)}`);
  }
};

const refused = (code: string, message: string) => ({ _tag: "Refused", code, message }) as const;

export const captureOutcomeOf = (payment: Payment, request: OperationRequest): OperationLookUpOutcome => {
  const { id, status, amount, currency, captured } = payment;
  if (id !== request.gatewayTransactionId) return unknown(`the answer is about another payment, ${id}`);
  if (status === "authorized") return { _tag: "NotFound" };
  if (status === "captured" || (status === "refunded" && captured === true)) {
    return { _tag: "Done", operationId: id, amount: razorpayMoney.fromGateway(amount, currency) };
  }
  return status === "failed" || (status === "refunded" && captured === false)
    ? refused(status, "the payment cannot be captured any more")
    : unknown(`payment ${id} has the status ${JSON.stringify(status)}`);
};

export const refundOutcomeOf = (refund: Refund, request: OperationRequest): OperationLookUpOutcome => {
  const { id, status, amount, currency, payment_id, notes } = refund;
  if (noteIn(notes, keyNote) !== request.idempotencyKey) {
    return unknown(`the answer is about another key's refund, ${id}`);
  }
  if (payment_id !== request.gatewayTransactionId) return unknown(`refund ${id} is of another payment`);
  switch (status) {
    case "processed":
      return { _tag: "Done", operationId: id, amount: razorpayMoney.fromGateway(amount, currency) };
    case "failed":
      return refused("failed", "the refund failed");
    default:
      return unknown(`refund ${id} has the status ${JSON.stringify(status)}`);
  }
};
