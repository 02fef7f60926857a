/** The port's adapter for Razorpay: charges of saved cards on orders of their own. Its page: docs/gateways/razorpay.md. */
import type { OperationLookUpOutcome, OperationOutcome } from "@aegispay/core/payment/GatewayOutcome";
import { Effect, Option, type Redacted, type Scope } from "effect";
import { addressOf } from "../configuration/fields.ts";
import { amountInexpressible, isOk, unanswered, unknown, unreadable, withoutAnswer } from "../evidence/noAnswer.ts";
import { ruledOperation } from "../evidence/Ruling.ts";
import { withoutDefects } from "../evidence/withoutDefects.ts";
import type { Gateway, OperationRequest } from "../Gateway.ts";
import { makeGatewayHttp, type Exchange } from "../http/GatewayHttp.ts";
import { captureOutcomeOf, refundOutcomeOf, refusalIn } from "./RazorpayAnswer.ts";
import { makeRazorpayCharge } from "./RazorpayCharge.ts";
import type { RazorpayConfig } from "./razorpayConfig.ts";
import { decodePayment, decodeRefund, decodeRefunds, keyNote, noteIn } from "./razorpayDocuments.ts";
import { razorpayMoney } from "./razorpayMoney.ts";
import { makeRazorpayRequests } from "./razorpayRequests.ts";
import { razorpayWebhook } from "./RazorpayWebhook.ts";

export interface RazorpaySecrets {
  readonly keyId: Redacted.Redacted;
  readonly keySecret: Redacted.Redacted;
  readonly webhookSecrets: ReadonlyArray<Redacted.Redacted>;
}

/** 500 refunds of one payment. */
const maxPages = 5;

const noVoid = {
  _tag: "Refused",
  code: "void_unsupported",
  message: "Razorpay releases an authorization by itself when it is not captured in time",
} as const;

/** Of the answer to the operation itself: it was done, or something else has happened that a look-up has to sort out. */
const firstWord = (outcome: OperationLookUpOutcome): OperationOutcome =>
  outcome._tag === "NotFound" || outcome._tag === "Reversed"
    ? unknown("the answer does not show the operation")
    : outcome;

const readOperation = (exchange: Exchange, request: OperationRequest): OperationOutcome => {
  if (exchange._tag !== "Answered") return withoutAnswer(exchange);
  if (exchange.status !== 200) return ruledOperation(...refusalIn(exchange));
  const decoded =
    request.kind === "refund"
      ? Option.map(decodeRefund(exchange.body), (refund) => refundOutcomeOf(refund, request))
      : Option.map(decodePayment(exchange.body), (payment) => captureOutcomeOf(payment, request));
  return Option.isSome(decoded) ? firstWord(decoded.value) : unreadable(exchange);
};

export const makeRazorpayGateway: (
  config: RazorpayConfig,
  secrets: RazorpaySecrets,
) => Effect.Effect<Gateway, never, Scope.Scope> = Effect.fnUntraced(function* (config, secrets) {
  const { name, account = "default", timeoutMillis = 5_000, maxConnections = 32 } = config;
  const { origin, basePath } = addressOf(config.url ?? "https://api.razorpay.com");
  const send = yield* makeGatewayHttp({ origin, timeoutMillis, maxConnections });
  const requests = makeRazorpayRequests(basePath, secrets.keyId, secrets.keySecret);
  const charge = makeRazorpayCharge(send, requests);

  /** Undefined: Razorpay cannot express the amount. */
  const requestOf = (request: OperationRequest) => {
    const amount = request.amount && razorpayMoney.toGateway(request.amount);
    if (amount === undefined || request.amount === undefined) return undefined;
    return request.kind === "capture"
      ? requests.capture(request, amount, request.amount.currency)
      : requests.refund(request, amount);
  };

  const capture = Effect.fnUntraced(function* (request: OperationRequest): Effect.fn.Return<OperationLookUpOutcome> {
    const exchange = yield* send(requests.payment(request.gatewayTransactionId));
    if (!isOk(exchange)) return unanswered(exchange);
    const payment = decodePayment(exchange.body);
    return Option.isSome(payment) ? captureOutcomeOf(payment.value, request) : unreadable(exchange);
  });

  const refund = Effect.fnUntraced(function* (request: OperationRequest): Effect.fn.Return<OperationLookUpOutcome> {
    for (let page = 0; page < maxPages; page += 1) {
      const exchange = yield* send(requests.refunds(request.gatewayTransactionId, page * 100));
      if (!isOk(exchange)) return unanswered(exchange);
      const list = decodeRefunds(exchange.body);
      if (Option.isNone(list)) return unreadable(exchange);
      const { items } = list.value;
      const found = items.find(({ notes }) => noteIn(notes, keyNote) === request.idempotencyKey);
      if (found !== undefined) return refundOutcomeOf(found, request);
      if (items.length < 100) return { _tag: "NotFound" };
    }
    return { ...unknown("it has too many refunds to read them all"), sameKeyAnswers: true };
  });

  return {
    name,
    account,
    connections: maxConnections,
    start: (request) => withoutDefects(() => charge.start(request)),
    lookUp: (request) => withoutDefects(() => charge.lookUp(request)),
    operate: (request) =>
      withoutDefects((): Effect.Effect<OperationOutcome> => {
        if (request.kind === "void") return Effect.succeed(noVoid);
        const sent = requestOf(request);
        return sent === undefined
          ? Effect.succeed(ruledOperation("declined", amountInexpressible(request.amount?.currency ?? "nothing")))
          : Effect.map(send(sent), (exchange) => readOperation(exchange, request));
      }),
    lookUpOperation: (request) =>
      withoutDefects((): Effect.Effect<OperationLookUpOutcome> => {
        if (request.kind === "void") return Effect.succeed(noVoid);
        return request.kind === "capture" ? capture(request) : refund(request);
      }),
    // Without a secret there is nothing that could be believed.
    ...(secrets.webhookSecrets.length === 0 ? {} : { readWebhook: razorpayWebhook(secrets.webhookSecrets) }),
  };
});
