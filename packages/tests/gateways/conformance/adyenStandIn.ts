/** Adyen's protocol: payments and modifications as JSON, keys with the answers they had, batches of signed items. */
import { createHmac } from "node:crypto";
import type { WebhookDelivery } from "@aegispay/gateways/webhooks/Webhook";
import { Effect } from "effect";
import { StandInLedger, type StandInCharge } from "./StandInLedger.ts";
import { standInServer, type StandInAnswer, type StandInErrors, type StandInRequest } from "./StandInServer.ts";

export const adyenKey = "AQE-standin";
export const adyenHmacKey = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";
export const merchantAccount = "StandInECOM";

const error = (status: number, errorCode: string, message: string, headers: Record<string, string> = {}) => ({
  status,
  headers,
  document: { status, errorCode, message, errorType: "validation", pspReference: "PSPERROR00000001" },
});

const errors: StandInErrors = {
  inFlight: error(409, "704", "request already processed or in progress", { "transient-error": "true" }),
  rateLimited: error(429, "429", "Too many requests", { "retry-after": "2" }),
  unauthorized: error(401, "000", "HTTP Status Response - Unauthorized"),
  broken: error(500, "905_3", "Could not find an acquirer account"),
};

const refusals: Readonly<Record<string, readonly [code: string, reason: string]>> = {
  stored_insufficient: ["12", "Not enough balance"],
  stored_refused: ["2", "Refused"],
};

export interface AdyenItem {
  readonly eventCode: string;
  readonly success: "true" | "false";
  readonly pspReference: string;
  readonly originalReference?: string;
  readonly merchantReference: string;
  readonly amount: { readonly value: number; readonly currency: string };
}

export const signedBatch = (items: ReadonlyArray<AdyenItem>, key = adyenHmacKey): WebhookDelivery => {
  const signed = items.map((item) => {
    const { pspReference, originalReference = "", merchantReference, amount, eventCode, success } = item;
    const fields = [pspReference, originalReference, merchantAccount, merchantReference, amount.value, amount.currency];
    const text = [...fields, eventCode, success].join(":");
    const hmacSignature = createHmac("sha256", Buffer.from(key, "hex")).update(text).digest("base64");
    const whole = { ...item, merchantAccountCode: merchantAccount, additionalData: { hmacSignature } };
    return { NotificationRequestItem: { ...whole, eventDate: "2026-01-02T03:04:05+01:00" } };
  });
  const rawBody = Buffer.from(JSON.stringify({ live: "false", notificationItems: signed }));
  return { rawBody, headers: { "content-type": "application/json" }, nowMillis: Date.now() };
};

interface PaymentBody {
  readonly merchantAccount: string;
  readonly amount: { readonly value: number; readonly currency: string };
  readonly reference: string;
  readonly merchantOrderReference: string;
  readonly paymentMethod: { readonly type: string; readonly storedPaymentMethodId: string };
  readonly additionalData?: { readonly manualCapture?: string };
  readonly captureDelayHours?: number;
}

const eventCodes = { capture: "CAPTURE", void: "CANCELLATION", refund: "REFUND" } as const;

export const adyenStandIn = Effect.gen(function* () {
  const ledger = new StandInLedger();
  const answers = new Map<string, { readonly body: string; readonly answer: StandInAnswer }>();
  /** What was received, and could not be done: only a webhook says so. */
  const failures: Array<AdyenItem> = [];
  const ok = (document: unknown, status = 200): StandInAnswer => ({ status, document });

  const resultOf = (charge: StandInCharge) => {
    const { id, key, amount, currency, token, status } = charge;
    const named = { pspReference: id, merchantReference: key, amount: { value: amount, currency } };
    const refusal = refusals[token];
    if (status === "action") {
      const action = {
        type: "redirect",
        method: "GET",
        paymentMethodType: "scheme",
        url: `https://bank.example/3ds/${id}`,
      };
      return { resultCode: "RedirectShopper", action };
    }
    return refusal === undefined
      ? { ...named, resultCode: "Authorised" }
      : { ...named, resultCode: "Refused", refusalReasonCode: refusal[0], refusalReason: refusal[1] };
  };

  const pay = (body: PaymentBody): StandInAnswer => {
    if (body.merchantAccount !== merchantAccount) return error(403, "901", "Invalid Merchant Account");
    const token = body.paymentMethod.storedPaymentMethodId;
    const manual = body.additionalData?.manualCapture === "true";
    const { amount, reference: key, merchantOrderReference: reference } = body;
    const status =
      token in refusals ? "declined" : token === "stored_3ds" ? "action" : manual ? "authorized" : "succeeded";
    const asked = {
      id: ledger.id("PS"),
      key,
      reference,
      amount: amount.value,
      currency: amount.currency,
      manual,
      token,
    };
    return ok(resultOf(ledger.open(asked, status)));
  };

  const modify = (charge: StandInCharge, verb: string, body: PaymentBody): StandInAnswer => {
    const kind = verb === "captures" ? "capture" : verb === "refunds" ? "refund" : "void";
    const pspReference = ledger.id("PM");
    const done = ledger.operate(
      charge,
      kind,
      body.reference,
      kind === "void" ? undefined : body.amount.value,
      pspReference,
    );
    if (done === undefined) {
      failures.push({
        eventCode: eventCodes[kind],
        success: "false",
        pspReference,
        originalReference: charge.id,
        merchantReference: body.reference,
        amount: body.amount,
      });
    }
    const { reference, amount } = body;
    return ok(
      { merchantAccount, paymentPspReference: charge.id, pspReference, reference, amount, status: "received" },
      201,
    );
  };

  const post = (path: string, body: PaymentBody): StandInAnswer => {
    if (path === "/v72/payments") return pay(body);
    const [, id = "", verb = ""] = /^\/v72\/payments\/([^/]+)\/(captures|refunds|cancels)$/.exec(path) ?? [];
    const charge = ledger.byId(id);
    return charge === undefined
      ? error(422, "167", "Original pspReference required for this operation")
      : modify(charge, verb, body);
  };

  const handle = ({ path, headers, body }: StandInRequest): StandInAnswer => {
    if (headers["x-api-key"] !== adyenKey) return errors.unauthorized;
    if (path === "/v72/payments/details") {
      const { details } = JSON.parse(body) as { readonly details: { readonly redirectResult: string } };
      const charge = ledger.byId(details.redirectResult.replace(/^result-/, ""));
      if (charge === undefined) return error(422, "101", "Invalid redirectResult");
      ledger.authenticate(charge);
      return ok(resultOf(charge));
    }
    const key = String(headers["idempotency-key"] ?? ledger.id("random-"));
    const known = answers.get(key);
    // Adyen answers a key with what it had answered before, whatever is sent with it.
    if (known !== undefined) return known.body === body ? known.answer : errors.inFlight;
    const answer = post(path, JSON.parse(body) as PaymentBody);
    answers.set(key, { body, answer });
    return answer;
  };

  const server = yield* standInServer(handle, errors);

  const itemsOf = (charge: StandInCharge): ReadonlyArray<AdyenItem> => {
    const { currency } = charge;
    if (charge.status === "action") return [];
    const authorisation: AdyenItem = {
      eventCode: "AUTHORISATION",
      success: charge.status === "declined" ? "false" : "true",
      pspReference: charge.id,
      merchantReference: charge.key,
      amount: { value: charge.amount, currency },
    };
    const operations = charge.operations.map(({ id, kind, key, amount }): AdyenItem => ({
      eventCode: eventCodes[kind],
      success: "true",
      pspReference: id,
      originalReference: charge.id,
      merchantReference: key,
      amount: { value: amount, currency },
    }));
    return [authorisation, ...operations];
  };
  const webhooks = (): ReadonlyArray<WebhookDelivery> =>
    [...ledger.charges.flatMap(itemsOf), ...failures].map((item) => signedBatch([item]));
  return { ...server, ledger, webhooks };
});
