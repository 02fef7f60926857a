/**
 * What Adyen's answers prove. Amount and currency go on in our units: the core compares them.
 *
 * | resultCode of a payment                    | outcome                                                              |
 * |--------------------------------------------|----------------------------------------------------------------------|
 * | Authorised, PartiallyAuthorised            | Approved with the amount that it names: held, or taken where capture |
 * |                                            | is automatic                                                         |
 * | Refused, Cancelled, Error                  | by its reason, as in adyenRulings.ts                                 |
 * | RedirectShopper, to be followed by a GET   | ActionRequired                                                       |
 * | Pending, Received, challenges in the page  | Unknown: a webhook tells the end                                     |
 * | another merchantReference than the key     | Unknown: never evidence                                              |
 *
 * A capture, a cancel and a refund are only ever "received": Unknown, until a webhook tells the end. A waiting payment has
 * no name of Adyen's yet: there our key stands for it.
 */
import type { GatewayOutcome, OperationOutcome } from "@aegispay/core/payment/GatewayOutcome";
import { Option } from "effect";
import { unknown, unreadable, withoutAnswer, type Answered } from "../evidence/noAnswer.ts";
import { ruledCharge, ruledOperation, type Evidence, type Ruling } from "../evidence/Ruling.ts";
import type { StartRequest } from "../Gateway.ts";
import type { Exchange } from "../http/GatewayHttp.ts";
import { leftAloneMillis } from "../http/retryAfter.ts";
import { adyenErrorIn, decodeModification, decodePaymentResult, type PaymentResult } from "./adyenDocuments.ts";
import { adyenMoney } from "./adyenMoney.ts";
import { ruleAdyenError, ruleRefusal } from "./adyenRulings.ts";

const errorIn = ({ status, headers, body }: Answered): readonly [Ruling, Evidence] => {
  const { errorCode, message, pspReference } = adyenErrorIn(body);
  return [
    ruleAdyenError(status, errorCode ?? undefined),
    {
      code: errorCode ?? `status ${status}`,
      message: message ?? undefined,
      requestId: pspReference ?? headers["request-id"],
      retryAfterMillis: leftAloneMillis(status, headers),
    },
  ];
};

type Asked = Pick<StartRequest, "idempotencyKey" | "capture">;

const outcomeOf = (result: PaymentResult, { idempotencyKey, capture }: Asked): GatewayOutcome => {
  const { resultCode, amount, action } = result;
  const reference = result.merchantReference ?? idempotencyKey;
  const pspReference = result.pspReference ?? undefined;
  if (reference !== idempotencyKey) return unknown(`the answer is about another key's payment, ${pspReference ?? ""}`);
  switch (resultCode) {
    case "Authorised":
    case "PartiallyAuthorised":
      return pspReference === undefined || amount === undefined || amount === null
        ? unknown("the payment is authorised, and the answer does not say which or how much")
        : {
            _tag: "Approved",
            gatewayTransactionId: pspReference,
            status: capture === "manual" ? "authorized" : "succeeded",
            amount: adyenMoney.fromGateway(amount.value, amount.currency),
          };
    case "Refused":
    case "Cancelled":
    case "Error": {
      const { refusalReason, refusalReasonCode, additionalData } = result;
      const said = {
        adviceCode: additionalData?.merchantAdviceCode ?? undefined,
        responseCode: additionalData?.refusalReasonRaw ?? undefined,
      };
      return ruledCharge(ruleRefusal(refusalReasonCode ?? undefined, said), {
        code: resultCode.toLowerCase(),
        message: refusalReason ?? undefined,
        declineCode: refusalReasonCode ?? undefined,
        gatewayTransactionId: pspReference,
      });
    }
    case "RedirectShopper": {
      const url = action?.url ?? undefined;
      return url === undefined || (action?.method ?? "GET") !== "GET"
        ? unknown("the customer would have to be sent on by something else than a plain redirect")
        : {
            _tag: "ActionRequired",
            gatewayTransactionId: pspReference ?? idempotencyKey,
            nextAction: { type: "redirect", url },
          };
    }
    default:
      return unknown(`the payment is ${JSON.stringify(resultCode)}: a webhook will tell`);
  }
};

export const readPayment = (exchange: Exchange, request: Asked): GatewayOutcome => {
  if (exchange._tag !== "Answered") return withoutAnswer(exchange);
  if (exchange.status !== 200) return ruledCharge(...errorIn(exchange));
  const result = decodePaymentResult(exchange.body);
  return Option.isSome(result) ? outcomeOf(result.value, request) : unreadable(exchange);
};

export const readModification = (exchange: Exchange): OperationOutcome => {
  if (exchange._tag !== "Answered") return withoutAnswer(exchange);
  if (exchange.status !== 200 && exchange.status !== 201) return ruledOperation(...errorIn(exchange));
  const modification = decodeModification(exchange.body);
  return Option.isSome(modification)
    ? unknown(`received as ${modification.value.pspReference}: a webhook will tell`)
    : unreadable(exchange);
};
