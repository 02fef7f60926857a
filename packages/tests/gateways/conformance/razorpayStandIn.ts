/** Razorpay's protocol: orders, payments of them and refunds as JSON, basic authentication, signed events. */
import { createHmac } from "node:crypto";
import type { WebhookDelivery } from "@aegispay/gateways/webhooks/Webhook";
import { Effect } from "effect";
import { StandInLedger, type StandInCharge, type StandInOperation } from "./StandInLedger.ts";
import { standInServer, type StandInAnswer, type StandInErrors, type StandInRequest } from "./StandInServer.ts";

export const razorpayKeyId = "rzp_test_standin";
export const razorpayKeySecret = "secret-standin";
export const razorpayWebhookSecret = "webhook-standin";

const error = (
  status: number,
  code: string,
  description: string,
  reason: string | null = null,
  headers: Record<string, string> = {},
) => ({
  status,
  headers,
  document: { error: { code, description, reason, source: "NA", step: "NA", field: null, metadata: {} } },
});

const errors: StandInErrors = {
  inFlight: error(409, "BAD_REQUEST_ERROR", "Another request with the same idempotency key is in progress"),
  rateLimited: error(429, "BAD_REQUEST_ERROR", "Request failed. Please try again later", null, { "retry-after": "2" }),
  unauthorized: error(401, "BAD_REQUEST_ERROR", "Authentication failed"),
  broken: error(502, "SERVER_ERROR", "We are facing some trouble completing your request", "server_error"),
};

const failures: Readonly<Record<string, readonly [code: string, reason: string, source: string]>> = {
  token_insufficient: ["BAD_REQUEST_ERROR", "insufficient_funds", "customer"],
  token_bank_down: ["GATEWAY_ERROR", "bank_technical_error", "bank"],
};

interface OrderBody {
  readonly amount: number;
  readonly currency: string;
  readonly receipt: string;
  readonly notes: Readonly<Record<string, string>>;
  readonly payment: { readonly capture: string };
}

interface PaymentBody {
  readonly order_id: string;
  readonly amount: number;
  readonly currency: string;
  readonly token: string;
  readonly notes: Readonly<Record<string, string>>;
  readonly email?: string;
  readonly contact?: string;
  readonly customer_id?: string;
}

interface OperationBody {
  readonly amount: number;
  readonly notes?: Readonly<Record<string, string>>;
}

interface StandInOrder {
  readonly id: string;
  readonly amount: number;
  readonly currency: string;
  readonly receipt: string;
  readonly notes: Readonly<Record<string, string>>;
  readonly manual: boolean;
  createdSeconds: number;
  readonly payments: Array<StandInCharge>;
}

const statuses = {
  authorized: "authorized",
  succeeded: "captured",
  declined: "failed",
  action: "created",
  voided: "refunded",
} as const;

export const razorpayStandIn = Effect.gen(function* () {
  const ledger = new StandInLedger();
  const orders: Array<StandInOrder> = [];
  const refundAnswers = new Map<string, StandInAnswer>();
  const ok = (document: unknown): StandInAnswer => ({ status: 200, document });
  const list = (items: ReadonlyArray<unknown>) => ok({ entity: "collection", count: items.length, items });
  const missing = error(400, "BAD_REQUEST_ERROR", "The id provided does not exist", "input_validation_failed");

  const orderOf = ({ id, amount, currency, receipt, notes, createdSeconds, payments }: StandInOrder) => ({
    id,
    entity: "order",
    amount,
    currency,
    receipt,
    notes,
    status: payments.length === 0 ? "created" : "attempted",
    created_at: createdSeconds,
  });
  const paymentOf = (charge: StandInCharge) => {
    const [code, reason, source] = failures[charge.token] ?? [null, null, null];
    return {
      id: charge.id,
      entity: "payment",
      amount: charge.amount,
      currency: charge.currency,
      status: statuses[charge.status],
      captured: charge.captured > 0,
      email: "ada@shop.example",
      contact: "+910000000000",
      notes: { aegis_key: charge.key, aegis_reference: charge.reference },
      error_code: code,
      error_description: reason,
      error_reason: reason,
      error_source: source,
    };
  };
  const refundOf = (charge: StandInCharge, { id, key, amount }: StandInOperation) => ({
    id,
    entity: "refund",
    amount,
    currency: charge.currency,
    payment_id: charge.id,
    notes: { aegis_key: key },
    status: "processed",
  });

  const createOrder = ({ amount, currency, receipt, notes, payment }: OrderBody): StandInAnswer => {
    if (receipt.length > 40)
      return error(400, "BAD_REQUEST_ERROR", "The receipt may not be greater than 40 characters.");
    const createdSeconds = Math.floor(Date.now() / 1000);
    const manual = payment.capture === "manual";
    const order = { id: ledger.id("order_"), amount, currency, receipt, notes, manual, createdSeconds, payments: [] };
    orders.push(order);
    return ok(orderOf(order));
  };

  const pay = (body: PaymentBody): StandInAnswer => {
    const { order_id, amount, currency, token, notes, email, contact, customer_id } = body;
    const order = orders.find(({ id }) => id === order_id);
    if (order === undefined || !email || !contact || !customer_id) return missing;
    if (order.payments.some(({ status }) => status === "succeeded")) {
      return error(400, "BAD_REQUEST_ERROR", "Payment failed because the order is already paid");
    }
    const { manual } = order;
    const status =
      token in failures ? "declined" : token === "token_action" ? "action" : manual ? "authorized" : "succeeded";
    const [key, reference] = [notes["aegis_key"] ?? "", notes["aegis_reference"] ?? ""];
    const charge = ledger.open({ id: ledger.id("pay_"), key, reference, amount, currency, manual, token }, status);
    order.payments.push(charge);
    if (status === "declined") {
      const [code, reason, source] = failures[token]!;
      const metadata = { payment_id: charge.id, order_id };
      return { status: 400, document: { error: { code, description: reason, reason, source, metadata } } };
    }
    const next = [{ action: "redirect", url: `https://bank.example/authorize/${charge.id}` }];
    return ok({
      razorpay_payment_id: charge.id,
      razorpay_order_id: order_id,
      ...(status === "action" ? { next } : {}),
    });
  };

  const operate = (
    id: string,
    verb: string,
    amount: number,
    key: string,
    notes: Readonly<Record<string, string>>,
  ): StandInAnswer => {
    const charge = ledger.byId(id);
    if (charge === undefined) return missing;
    if (verb === "capture") {
      if (charge.captured > 0) return error(400, "BAD_REQUEST_ERROR", "This payment has already been captured");
      if (amount !== charge.amount) {
        return error(400, "BAD_REQUEST_ERROR", "Capture amount must be equal to the amount authorized");
      }
      ledger.operate(charge, "capture", "", amount, id);
      return ok(paymentOf(charge));
    }
    const known = refundAnswers.get(key);
    if (known !== undefined) return known;
    const refund = ledger.operate(charge, "refund", notes["aegis_key"] ?? "", amount, ledger.id("rfnd_"));
    const answer =
      refund === undefined
        ? error(400, "BAD_REQUEST_ERROR", "The total refund amount is greater than the refund payment amount")
        : ok(refundOf(charge, refund));
    refundAnswers.set(key, answer);
    return answer;
  };

  const handle = ({ method, path, query, headers, body }: StandInRequest): StandInAnswer => {
    const authorization = `Basic ${Buffer.from(`${razorpayKeyId}:${razorpayKeySecret}`).toString("base64")}`;
    if (headers.authorization !== authorization) return errors.unauthorized;
    if (method === "POST") {
      if (path === "/v1/orders") return createOrder(JSON.parse(body) as OrderBody);
      if (path === "/v1/payments/create/recurring") return pay(JSON.parse(body) as PaymentBody);
      const [, id = "", verb = ""] = /^\/v1\/payments\/([^/]+)\/(capture|refund)$/.exec(path) ?? [];
      const key = String(headers["x-refund-idempotency"] ?? ledger.id("random-"));
      const { amount, notes = {} } = JSON.parse(body) as OperationBody;
      return operate(id, verb, amount, key, notes);
    }
    if (path === "/v1/orders") {
      return list(orders.filter(({ receipt }) => receipt === query.get("receipt")).map(orderOf));
    }
    const [, collection, id = "", below] =
      /^\/v1\/(orders|payments)\/([^/]+)(?:\/(payments|refunds))?$/.exec(path) ?? [];
    if (collection === "orders" && below === "payments") {
      return list(orders.find((order) => order.id === id)?.payments.map(paymentOf) ?? []);
    }
    const charge = ledger.byId(id);
    if (charge === undefined) return missing;
    if (below !== "refunds") return ok(paymentOf(charge));
    return list(charge.operations.filter(({ kind }) => kind === "refund").map((refund) => refundOf(charge, refund)));
  };

  const server = yield* standInServer(handle, errors);

  const signed = (event: string, id: string, payload: unknown): WebhookDelivery => {
    const body = JSON.stringify({ entity: "event", account_id: "acc_standin", event, contains: ["payment"], payload });
    const signature = createHmac("sha256", razorpayWebhookSecret).update(body).digest("hex");
    const headers = { "x-razorpay-signature": signature, "x-razorpay-event-id": id };
    return { rawBody: Buffer.from(body), headers, nowMillis: Date.now() };
  };
  const webhooks = (): ReadonlyArray<WebhookDelivery> =>
    ledger.charges.flatMap((charge) => [
      signed("payment.captured", `ev_${charge.id}`, { payment: { entity: paymentOf(charge) } }),
      ...charge.operations
        .filter(({ kind }) => kind === "refund")
        .map((refund) =>
          signed("refund.processed", `ev_${refund.id}`, {
            payment: { entity: paymentOf(charge) },
            refund: { entity: refundOf(charge, refund) },
          }),
        ),
    ]);
  const timePasses = Effect.sync(() => {
    for (const order of orders) order.createdSeconds -= 600;
  });
  return { ...server, ledger, webhooks, timePasses };
});
