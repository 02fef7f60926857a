/** Stripe's protocol: PaymentIntents and refunds, form-encoded, keys with the answers they had, signed events. */
import { createHmac } from "node:crypto";
import type { WebhookDelivery } from "@aegispay/gateways/webhooks/Webhook";
import { Effect } from "effect";
import { StandInLedger, type StandInCharge, type StandInOperation } from "./StandInLedger.ts";
import { standInServer, type StandInAnswer, type StandInErrors, type StandInRequest } from "./StandInServer.ts";

export const stripeKey = "sk_test_standin";
export const stripeWebhookSecret = "whsec_standin";

const error = (status: number, document: Record<string, unknown>, headers: Record<string, string> = {}) => ({
  status,
  headers: { "request-id": "req_1", ...headers },
  document: { error: document },
});

const errors: StandInErrors = {
  inFlight: error(409, { type: "invalid_request_error", code: "idempotency_key_in_use", message: "in use" }),
  rateLimited: error(
    429,
    { type: "invalid_request_error", code: "rate_limit", message: "slow down" },
    { "retry-after": "2" },
  ),
  unauthorized: error(401, { type: "invalid_request_error", message: "Invalid API Key provided: sk_test_***ndin" }),
  broken: error(500, { type: "api_error", message: "our fault" }),
};

const declineCodes: Readonly<Record<string, string>> = {
  pm_insufficient: "insufficient_funds",
  pm_do_not_honor: "do_not_honor",
};

const statuses = {
  authorized: "requires_capture",
  succeeded: "succeeded",
  declined: "requires_payment_method",
  action: "requires_action",
  voided: "canceled",
} as const;

/** What was remembered with a charge besides the books. */
interface Metadata {
  readonly metadata: Record<string, string>;
  returnUrl: string | null;
}

export const stripeStandIn = Effect.gen(function* () {
  const ledger = new StandInLedger();
  const extras = new Map<string, Metadata>();
  const answers = new Map<string, { readonly body: string; readonly path: string; readonly answer: StandInAnswer }>();

  const declineOf = ({ token, id }: StandInCharge) => ({
    type: "card_error",
    code: "card_declined",
    decline_code: declineCodes[token],
    message: "Your card was declined.",
    payment_intent: { id, object: "payment_intent" },
  });
  const intentOf = (charge: StandInCharge) => {
    const { metadata, returnUrl } = extras.get(charge.id)!;
    return {
      id: charge.id,
      object: "payment_intent",
      status: statuses[charge.status],
      amount: charge.amount,
      amount_received: charge.captured,
      currency: charge.currency,
      capture_method: charge.manual ? "manual" : "automatic",
      metadata,
      created: charge.createdSeconds,
      latest_charge: `ch_${charge.id}`,
      next_action:
        charge.status === "action"
          ? {
              type: "redirect_to_url",
              redirect_to_url: { url: `https://hooks.example/3ds/${charge.id}`, return_url: returnUrl },
            }
          : null,
      last_payment_error: charge.status === "declined" ? declineOf(charge) : null,
    };
  };
  const refundOf = (charge: StandInCharge, { id, amount, key }: StandInOperation) => ({
    id,
    object: "refund",
    amount,
    currency: charge.currency,
    payment_intent: charge.id,
    status: "succeeded",
    metadata: { aegis_key: key },
  });
  const ok = (document: unknown): StandInAnswer => ({ status: 200, headers: { "request-id": "req_1" }, document });
  const missing = error(404, {
    type: "invalid_request_error",
    code: "resource_missing",
    message: "No such payment_intent",
  });
  const unexpected = error(400, {
    type: "invalid_request_error",
    code: "payment_intent_unexpected_state",
    message: "not in this state",
  });

  const metadataIn = (form: URLSearchParams): Record<string, string> =>
    Object.fromEntries(
      [...form].flatMap(([name, value]) => {
        const field = /^metadata\[(.+)\]$/.exec(name)?.[1];
        return field === undefined ? [] : [[field, value]];
      }),
    );

  const create = (form: URLSearchParams, key: string): StandInAnswer => {
    const token = form.get("payment_method") ?? "";
    const manual = form.get("capture_method") === "manual";
    const status =
      token === "pm_3ds" ? "action" : token in declineCodes ? "declined" : manual ? "authorized" : "succeeded";
    const id = ledger.id("pi_");
    extras.set(id, { metadata: metadataIn(form), returnUrl: form.get("return_url") });
    const reference = metadataIn(form)["aegis_reference"] ?? "";
    const amount = Number(form.get("amount"));
    const charge = ledger.open(
      { id, key, reference, amount, currency: form.get("currency") ?? "", manual, token },
      status,
    );
    return status === "declined" ? error(402, declineOf(charge)) : ok(intentOf(charge));
  };

  const post = ({ path, body }: StandInRequest, key: string): StandInAnswer => {
    const form = new URLSearchParams(body);
    if (path === "/v1/payment_intents") return create(form, key);
    if (path === "/v1/refunds") {
      const charge = ledger.byId(form.get("payment_intent") ?? "");
      if (charge === undefined) return missing;
      const refund = ledger.operate(charge, "refund", key, Number(form.get("amount")), ledger.id("re_"));
      return refund === undefined
        ? error(400, { type: "invalid_request_error", code: "charge_already_refunded", message: "too much" })
        : ok(refundOf(charge, refund));
    }
    const [, id = "", verb] = /^\/v1\/payment_intents\/([^/]+)\/(capture|cancel)$/.exec(path) ?? [];
    const charge = ledger.byId(id);
    if (charge === undefined) return missing;
    const amount = verb === "capture" ? Number(form.get("amount_to_capture")) : undefined;
    const done = ledger.operate(charge, verb === "capture" ? "capture" : "void", key, amount, ledger.id("op_"));
    if (done === undefined) return unexpected;
    Object.assign(extras.get(id)!.metadata, metadataIn(form));
    return ok(intentOf(charge));
  };

  const get = ({ path, query }: StandInRequest): StandInAnswer => {
    const list = (data: ReadonlyArray<unknown>) => ok({ object: "list", data, has_more: false });
    if (path === "/v1/payment_intents/search") {
      const [, field = "", value] = /^metadata\["(.+)"\]:"(.+)"$/.exec(query.get("query") ?? "") ?? [];
      return list(ledger.charges.filter(({ id }) => extras.get(id)?.metadata[field] === value).map(intentOf));
    }
    if (path === "/v1/payment_intents") {
      const [from, until] = [Number(query.get("created[gte]")), Number(query.get("created[lte]"))];
      const limit = Number(query.get("limit"));
      const all = ledger.charges
        .filter(({ createdSeconds }) => createdSeconds >= from && createdSeconds <= until)
        .toReversed();
      const first = all.findIndex(({ id }) => id === query.get("starting_after")) + 1;
      const data = all.slice(first, first + limit).map(intentOf);
      return ok({ object: "list", data, has_more: all.length > first + limit });
    }
    if (path === "/v1/refunds") {
      const charge = ledger.byId(query.get("payment_intent") ?? "");
      if (charge === undefined) return missing;
      return list(charge.operations.filter(({ kind }) => kind === "refund").map((refund) => refundOf(charge, refund)));
    }
    const charge = ledger.byId(/^\/v1\/payment_intents\/([^/]+)$/.exec(path)?.[1] ?? "");
    return charge === undefined ? missing : ok(intentOf(charge));
  };

  const handle = (request: StandInRequest): StandInAnswer => {
    if (request.headers.authorization !== `Bearer ${stripeKey}`) return errors.unauthorized;
    if (request.method === "GET") return get(request);
    const key = String(request.headers["idempotency-key"] ?? ledger.id("random-"));
    const known = answers.get(key);
    if (known !== undefined) {
      return known.body === request.body && known.path === request.path
        ? known.answer
        : error(400, {
            type: "idempotency_error",
            message: "Keys for idempotent requests can only be used with the same parameters",
          });
    }
    const answer = post(request, key);
    answers.set(key, { body: request.body, path: request.path, answer });
    return answer;
  };

  const server = yield* standInServer(handle, errors);

  const signed = (type: string, id: string, object: unknown): WebhookDelivery => {
    const nowMillis = Date.now();
    const body = JSON.stringify({ id, object: "event", type, data: { object } });
    const timestamp = Math.floor(nowMillis / 1000);
    const signature = createHmac("sha256", stripeWebhookSecret).update(`${timestamp}.${body}`).digest("hex");
    return { rawBody: Buffer.from(body), headers: { "stripe-signature": `t=${timestamp},v1=${signature}` }, nowMillis };
  };
  const webhooks = (): ReadonlyArray<WebhookDelivery> =>
    ledger.charges.flatMap((charge) => [
      signed("payment_intent.succeeded", `evt_${charge.id}`, intentOf(charge)),
      ...charge.operations
        .filter(({ kind }) => kind === "refund")
        .map((refund) => signed("refund.updated", `evt_${refund.id}`, refundOf(charge, refund))),
    ]);
  return { ...server, ledger, webhooks, sign: signed };
});
