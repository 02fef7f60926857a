/**
 * Finds a charge or an operation of ours at Stripe.
 *
 * 1. By its id, where any answer has named it.
 * 2. Else in the list of what was made around that time, which shows everything at once: a whole list without the key means
 *    that Stripe has nothing under it. It is read for a bounded number of pages.
 * 3. Else in the search index, which may be minutes late: it can find, and never deny. Then the same request under its key
 *    is the way to ask, since Stripe answers it with what became of the first.
 */
import type { LookUpOutcome, OperationLookUpOutcome } from "@aegispay/core/payment/GatewayOutcome";
import { Effect, Option } from "effect";
import { isOk, unanswered, unknown, unreadable } from "../evidence/noAnswer.ts";
import type { LookUpRequest, OperationRequest } from "../Gateway.ts";
import type { Exchange, GatewayRequest } from "../http/GatewayHttp.ts";
import {
  decodePaymentIntent,
  decodePaymentIntents,
  decodeRefunds,
  keyField,
  type PaymentIntent,
} from "./stripeDocuments.ts";
import { isUnderKey, lookUpOutcomeOf } from "./StripeChargeAnswer.ts";
import { captureOutcomeOf, refundOutcomeOf, voidOutcomeOf } from "./StripeOperationAnswer.ts";
import type { StripeRequests } from "./stripeRequests.ts";

/** 500 PaymentIntents: an account that makes more of them in the window is searched. */
const maxPages = 5;
/** Their clock and ours. */
const clockSkewSeconds = 120;
/** Well over the time for which a request may be sent again. */
const windowSeconds = 3600;

type Send = (request: GatewayRequest) => Effect.Effect<Exchange>;

export const makeStripeLookUp = (send: Send, requests: StripeRequests) => {
  const byId = Effect.fnUntraced(function* (id: string) {
    const exchange = yield* send(requests.retrieve(id));
    if (!isOk(exchange)) return unanswered(exchange);
    return Option.getOrElse(decodePaymentIntent(exchange.body), () => unreadable(exchange));
  });

  const listed = Effect.fnUntraced(function* ({ idempotencyKey, startedAt, customer }: LookUpRequest) {
    const from = Math.floor(Date.parse(startedAt) / 1000) - clockSkewSeconds;
    const until = from + windowSeconds;
    let after: string | undefined;
    for (let page = 0; page < maxPages; page += 1) {
      const exchange = yield* send(requests.list(from, until, customer?.id, after));
      if (!isOk(exchange)) return unanswered(exchange);
      const list = decodePaymentIntents(exchange.body);
      if (Option.isNone(list)) return unreadable(exchange);
      const { data, has_more } = list.value;
      const found = data.find((intent) => isUnderKey(intent, idempotencyKey));
      if (found !== undefined) return found;
      if (!has_more) return { _tag: "NotFound" } as const;
      after = data.at(-1)?.id;
    }
    return undefined;
  });

  const searched = Effect.fnUntraced(function* (idempotencyKey: string) {
    const nothing = { ...unknown("neither listed nor searched so far"), sameKeyAnswers: true as const };
    const exchange = yield* send(requests.search(idempotencyKey));
    if (!isOk(exchange)) return nothing;
    const [found, ...others] = Option.getOrUndefined(decodePaymentIntents(exchange.body))?.data ?? [];
    if (found === undefined) return nothing;
    if (others.length > 0) return unknown("several PaymentIntents under one key");
    // The index shows it as it was some time ago.
    return yield* byId(found.id);
  });

  const told = (
    found: PaymentIntent | Extract<LookUpOutcome, { readonly _tag: "Unknown" | "NotFound" }>,
    idempotencyKey: string,
  ): LookUpOutcome => ("_tag" in found ? found : lookUpOutcomeOf(found, idempotencyKey));

  const refund = Effect.fnUntraced(function* (request: OperationRequest) {
    let after: string | undefined;
    for (let page = 0; page < maxPages; page += 1) {
      const exchange = yield* send(requests.refunds(request.gatewayTransactionId, after));
      if (!isOk(exchange)) return unanswered(exchange);
      const list = decodeRefunds(exchange.body);
      if (Option.isNone(list)) return unreadable(exchange);
      const { data, has_more } = list.value;
      const found = data.find(({ metadata }) => metadata?.[keyField] === request.idempotencyKey);
      if (found !== undefined) return refundOutcomeOf(found, request);
      if (!has_more) return { _tag: "NotFound" } as const;
      after = data.at(-1)?.id;
    }
    return { ...unknown("it has too many refunds to read them all"), sameKeyAnswers: true as const };
  });

  return {
    charge: Effect.fnUntraced(function* (request: LookUpRequest) {
      const { idempotencyKey, gatewayTransactionId } = request;
      if (gatewayTransactionId !== undefined) return told(yield* byId(gatewayTransactionId), idempotencyKey);
      const found = (yield* listed(request)) ?? (yield* searched(idempotencyKey));
      return told(found, idempotencyKey);
    }),
    operation: Effect.fnUntraced(function* (request: OperationRequest): Effect.fn.Return<OperationLookUpOutcome> {
      if (request.kind === "refund") return yield* refund(request);
      const found = yield* byId(request.gatewayTransactionId);
      if ("_tag" in found) return found;
      return (request.kind === "capture" ? captureOutcomeOf : voidOutcomeOf)(found, request);
    }),
  };
};
