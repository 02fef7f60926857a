/** The port's adapter for Adyen: stored cards over Checkout. Its page: docs/gateways/adyen.md. */
import type { LookUpOutcome } from "@aegispay/core/payment/GatewayOutcome";
import { Effect, Option, type Redacted, Schema, type Scope } from "effect";
import { addressOf } from "../configuration/fields.ts";
import { amountInexpressible, isOk, unanswered, unknown } from "../evidence/noAnswer.ts";
import { ruledCharge, ruledOperation } from "../evidence/Ruling.ts";
import { withoutDefects } from "../evidence/withoutDefects.ts";
import type { Gateway, OperationRequest } from "../Gateway.ts";
import { makeGatewayHttp } from "../http/GatewayHttp.ts";
import { ReceivedNotifications } from "../webhooks/ReceivedNotifications.ts";
import { readModification, readPayment } from "./AdyenAnswer.ts";
import type { AdyenConfig } from "./adyenConfig.ts";
import { chargeHeard, operationHeard } from "./AdyenLookUp.ts";
import { adyenMoney } from "./adyenMoney.ts";
import { makeAdyenRequests } from "./adyenRequests.ts";
import { adyenWebhook } from "./AdyenWebhook.ts";

export interface AdyenSecrets {
  readonly apiKey: Redacted.Redacted;
  readonly hmacKeys: ReadonlyArray<Redacted.Redacted>;
}

const decodeBrought = Schema.decodeUnknownOption(Schema.Struct({ redirectResult: Schema.NonEmptyString }));

/** Keys of ours are told from Adyen's references by their beginning. */
const isOurKey = (id: string): boolean => id.startsWith("ap_");

export const makeAdyenGateway: (
  config: AdyenConfig,
  secrets: AdyenSecrets,
) => Effect.Effect<Gateway, never, Scope.Scope> = Effect.fnUntraced(function* (config, secrets) {
  const { name, account = "default", timeoutMillis = 10_000, maxConnections = 64 } = config;
  const { origin, basePath } = addressOf(config.url);
  const send = yield* makeGatewayHttp({ origin, timeoutMillis, maxConnections });
  const received = yield* ReceivedNotifications;
  const requests = makeAdyenRequests(basePath, secrets.apiKey, config);

  /** Undefined: Adyen cannot express the amount. */
  const requestOf = (request: OperationRequest) => {
    if (request.kind === "void") {
      return isOurKey(request.gatewayTransactionId) ? requests.cancelByReference(request) : requests.cancel(request);
    }
    const amount = request.amount && adyenMoney.toGateway(request.amount);
    return amount === undefined ? undefined : requests[request.kind](request, amount);
  };

  return {
    name,
    account,
    connections: maxConnections,
    start: (request) =>
      withoutDefects(() => {
        const amount = adyenMoney.toGateway(request.amount);
        return amount === undefined
          ? Effect.succeed(ruledCharge("moveOn", amountInexpressible(request.amount.currency)))
          : Effect.map(send(requests.start(request, amount)), (exchange) => readPayment(exchange, request));
      }),
    lookUp: (request) =>
      withoutDefects(() =>
        Effect.map(received.about(name, account, request.idempotencyKey), (heard) => chargeHeard(heard, request)),
      ),
    operate: (request) =>
      withoutDefects(() => {
        const sent = requestOf(request);
        return sent === undefined
          ? Effect.succeed(ruledOperation("declined", amountInexpressible(request.amount?.currency ?? "nothing")))
          : Effect.map(send(sent), readModification);
      }),
    lookUpOperation: (request) =>
      withoutDefects(() =>
        Effect.map(received.about(name, account, request.idempotencyKey), (heard) => operationHeard(heard, request)),
      ),
    finishAction: (request, brought) =>
      withoutDefects((): Effect.Effect<LookUpOutcome> => {
        const details = Option.getOrUndefined(decodeBrought(brought));
        if (details === undefined) return Effect.succeed(unknown("the customer brought no redirectResult"));
        // Adyen takes it once: an error says something about what was brought, and nothing about the payment.
        return Effect.map(send(requests.details(details.redirectResult)), (exchange): LookUpOutcome => {
          const outcome = isOk(exchange) ? readPayment(exchange, request) : unanswered(exchange);
          return outcome._tag === "NotSent" ? unknown(outcome.reason) : outcome;
        });
      }),
    webhooksNameOnlyKeysOf: ["charge", "capture", "void", "refund"],
    // Without a key there is nothing that could be believed.
    ...(secrets.hmacKeys.length === 0 ? {} : { readWebhook: adyenWebhook(config.merchantAccount, secrets.hmacKeys) }),
  };
});
