/** The port's adapter for Stripe: PaymentIntents of cards, confirmed by the server. Its page: docs/gateways/stripe.md. */
import { Effect, type Redacted, type Scope } from "effect";
import { addressOf } from "../configuration/fields.ts";
import { amountInexpressible } from "../evidence/noAnswer.ts";
import { ruledCharge, ruledOperation } from "../evidence/Ruling.ts";
import { withoutDefects } from "../evidence/withoutDefects.ts";
import type { Gateway, OperationRequest } from "../Gateway.ts";
import { makeGatewayHttp } from "../http/GatewayHttp.ts";
import { readStart } from "./StripeChargeAnswer.ts";
import type { StripeConfig } from "./stripeConfig.ts";
import { makeStripeLookUp } from "./StripeLookUp.ts";
import { stripeMoney } from "./stripeMoney.ts";
import { readOperation } from "./StripeOperationAnswer.ts";
import { makeStripeRequests } from "./stripeRequests.ts";
import { stripeWebhook } from "./StripeWebhook.ts";

export interface StripeSecrets {
  readonly secretKey: Redacted.Redacted;
  readonly webhookSecrets: ReadonlyArray<Redacted.Redacted>;
}

export const makeStripeGateway: (
  config: StripeConfig,
  secrets: StripeSecrets,
) => Effect.Effect<Gateway, never, Scope.Scope> = Effect.fnUntraced(function* (config, secrets) {
  // Stripe allows an account 25 requests a second at an endpoint: more under way than that only meet a 429.
  const { name, account = "default", timeoutMillis = 10_000, maxConnections = 25 } = config;
  const { origin, basePath } = addressOf(config.url ?? "https://api.stripe.com");
  const send = yield* makeGatewayHttp({ origin, timeoutMillis, maxConnections });
  const requests = makeStripeRequests(basePath, secrets.secretKey, config.returnUrl);
  const lookUp = makeStripeLookUp(send, requests);

  /** Undefined: Stripe cannot express the amount. */
  const requestOf = (request: OperationRequest) => {
    if (request.kind === "void") return requests.cancel(request);
    const amount = request.amount && stripeMoney.toGateway(request.amount);
    return amount === undefined ? undefined : requests[request.kind](request, amount);
  };

  return {
    name,
    account,
    connections: maxConnections,
    start: (request) =>
      withoutDefects(() => {
        const amount = stripeMoney.toGateway(request.amount);
        return amount === undefined
          ? Effect.succeed(ruledCharge("moveOn", amountInexpressible(request.amount.currency)))
          : Effect.map(send(requests.start(request, amount)), (exchange) =>
              readStart(exchange, request.idempotencyKey),
            );
      }),
    lookUp: (request) => withoutDefects(() => lookUp.charge(request)),
    operate: (request) =>
      withoutDefects(() => {
        const sent = requestOf(request);
        return sent === undefined
          ? Effect.succeed(ruledOperation("declined", amountInexpressible(request.amount?.currency ?? "nothing")))
          : Effect.map(send(sent), (exchange) => readOperation(exchange, request));
      }),
    lookUpOperation: (request) => withoutDefects(() => lookUp.operation(request)),
    webhooksNameOnlyKeysOf: ["refund"],
    // Without a secret there is nothing that could be believed.
    ...(secrets.webhookSecrets.length === 0 ? {} : { readWebhook: stripeWebhook(secrets.webhookSecrets) }),
  };
});
