/** The gateways' own libraries, pointed at the stand-ins, are told to do what our adapters do: the requests are the same. */
import { CheckoutAPI, Client, EnvironmentEnum, type Types } from "@adyen/api-library";
import type { Gateway, OperationRequest } from "@aegispay/gateways/Gateway";
import { stripeVersion } from "@aegispay/gateways/stripe/stripeRequests";
import { describe, expect, it } from "@effect/vitest";
import { Effect } from "effect";
import Razorpay from "razorpay";
import { Stripe } from "stripe";
import { adyenKey, adyenStandIn, merchantAccount } from "./adyenStandIn.ts";
import { adyenAt, adyenTraits } from "./adyenSubject.ts";
import { razorpayKeyId, razorpayKeySecret, razorpayStandIn } from "./razorpayStandIn.ts";
import { razorpayAt, razorpayTraits } from "./razorpaySubject.ts";
import type { StandInRequest } from "./StandInServer.ts";
import { stripeKey, stripeStandIn } from "./stripeStandIn.ts";
import { stripeAt, stripeTraits } from "./stripeSubject.ts";
import { chargeOf, operationOn, type Traits } from "./Subject.ts";

/** What of a request carries meaning. */
const meaning = ({ method, path, query, headers, body }: StandInRequest) => ({
  method,
  path,
  query: [...query].toSorted(),
  authorization: headers.authorization ?? headers["x-api-key"],
  version: headers["stripe-version"],
  key: headers["idempotency-key"],
  fields: body.startsWith("{") ? (JSON.parse(body) as unknown) : [...new URLSearchParams(body)].toSorted(),
});

/** What the adapter sends for a held charge that is captured and refunded, by path; questions left out. */
const sentBy = Effect.fnUntraced(function* (
  gateway: Gateway,
  requests: ReadonlyArray<StandInRequest>,
  traits: Traits,
  operations: (id: string) => ReadonlyArray<OperationRequest>,
) {
  const started = yield* gateway.start(chargeOf(traits, "ap_key-1", { capture: "manual" }));
  if (started._tag !== "Approved") throw new Error(`the charge is ${started._tag}`);
  yield* Effect.forEach(operations(started.gatewayTransactionId), gateway.operate);
  return { id: started.gatewayTransactionId, sent: requests.filter(({ method }) => method === "POST").map(meaning) };
});

describe("what an adapter sends", () => {
  it.live("to Stripe is what Stripe's library sends", () =>
    Effect.gen(function* () {
      const ours = yield* stripeStandIn;
      const { id, sent } = yield* sentBy(yield* stripeAt(ours.url), ours.requests, stripeTraits, (charge) => [
        operationOn(charge, "capture", "ap_key-2", { value: 1999, currency: "USD" }),
        operationOn(charge, "refund", "ap_key-3", { value: 700, currency: "USD" }),
        operationOn(charge, "void", "ap_key-4"),
      ]);
      const theirs = yield* stripeStandIn;
      const { hostname: host, port } = new URL(theirs.url);
      const stripe = new Stripe(stripeKey, { host, port, protocol: "http", maxNetworkRetries: 0, telemetry: false });
      yield* Effect.promise(async () => {
        await stripe.paymentIntents.create(
          {
            amount: 1999,
            currency: "usd",
            allowed_payment_method_types: ["card"],
            payment_method: "pm_card_visa",
            customer: "cust_1",
            capture_method: "manual",
            confirm: true,
            return_url: "https://shop.example/back",
            metadata: { aegis_key: "ap_key-1", aegis_reference: "shop/order-1" },
          },
          { idempotencyKey: "ap_key-1" },
        );
        const capture = { amount_to_capture: 1999, metadata: { aegis_capture_key: "ap_key-2" } };
        await stripe.paymentIntents.capture(id, capture, { idempotencyKey: "ap_key-2" });
        const refund = { payment_intent: id, amount: 700, metadata: { aegis_key: "ap_key-3" } };
        await stripe.refunds.create(refund, { idempotencyKey: "ap_key-3" });
        await stripe.paymentIntents.cancel(id, {}, { idempotencyKey: "ap_key-4" }).catch(() => undefined);
      });
      expect(sent).toEqual(theirs.requests.map(meaning));
      expect(sent[0]?.version).toBe(stripeVersion);
    }),
  );

  it.live("to Stripe when it looks for a charge is what Stripe's library sends", () =>
    Effect.gen(function* () {
      const standIn = yield* stripeStandIn;
      const gateway = yield* stripeAt(standIn.url);
      yield* gateway.start(chargeOf(stripeTraits, "ap_key-0"));
      const startedAt = new Date().toISOString();
      yield* gateway.lookUp({ ...chargeOf(stripeTraits, "ap_key-1"), startedAt });
      const { hostname: host, port } = new URL(standIn.url);
      const stripe = new Stripe(stripeKey, { host, port, protocol: "http", telemetry: false });
      const from = Math.floor(Date.parse(startedAt) / 1000) - 120;
      const list = { limit: 100, customer: "cust_1", created: { gte: from, lte: from + 3600 } };
      yield* Effect.promise(() => stripe.paymentIntents.list(list));
      const [ours, theirs] = standIn.requests.filter(({ method }) => method === "GET").map(meaning);
      expect(ours).toEqual(theirs);
    }),
  );

  it.live("to Adyen is what Adyen's library sends", () =>
    Effect.gen(function* () {
      const ours = yield* adyenStandIn;
      const { id, sent } = yield* sentBy(yield* adyenAt(ours.url), ours.requests, adyenTraits, (charge) => [
        operationOn(charge, "capture", "ap_key-2", { value: 1999, currency: "EUR" }),
        operationOn(charge, "refund", "ap_key-3", { value: 700, currency: "EUR" }),
        operationOn(charge, "void", "ap_key-4"),
        operationOn("ap_key-1", "void", "ap_key-5"),
      ]);
      const theirs: Array<ReturnType<typeof meaning>> = [];
      const client = new Client({ apiKey: adyenKey, environment: EnvironmentEnum.TEST });
      client.httpClient = {
        request: (endpoint, body, { apiKey = "" }, _isKeyRequired, options = {}) => {
          const { pathname, searchParams } = new URL(endpoint);
          const headers = { "x-api-key": apiKey, "idempotency-key": options.idempotencyKey };
          const request = { method: "POST", path: pathname, query: searchParams, headers, body: String(body) };
          theirs.push(meaning(request));
          return Promise.resolve("{}");
        },
      };
      const { PaymentsApi, ModificationsApi } = new CheckoutAPI(client);
      const payment = {
        merchantAccount,
        amount: { value: 1999, currency: "EUR" },
        reference: "ap_key-1",
        merchantOrderReference: "shop/order-1",
        paymentMethod: { type: "scheme", storedPaymentMethodId: "stored_visa" },
        shopperReference: "cust_1",
        shopperEmail: "ada@shop.example",
        shopperInteraction: "ContAuth",
        recurringProcessingModel: "CardOnFile",
        channel: "Web",
        returnUrl: "https://shop.example/back",
        authenticationData: { threeDSRequestData: { nativeThreeDS: "disabled" } },
        additionalData: { manualCapture: "true" },
      } as unknown as Types.checkout.PaymentRequest;
      const amountOf = (value: number) => ({ merchantAccount, amount: { value, currency: "EUR" } });
      yield* Effect.promise(async () => {
        const key = (idempotencyKey: string) => ({ idempotencyKey });
        await PaymentsApi.payments(payment, key("ap_key-1"));
        const capture = { ...amountOf(1999), reference: "ap_key-2" };
        await ModificationsApi.captureAuthorisedPayment(id, capture, key("ap_key-2"));
        const refund = { ...amountOf(700), reference: "ap_key-3" };
        await ModificationsApi.refundCapturedPayment(id, refund, key("ap_key-3"));
        const cancel = { merchantAccount, reference: "ap_key-4" };
        await ModificationsApi.cancelAuthorisedPaymentByPspReference(id, cancel, key("ap_key-4"));
        const byReference = { merchantAccount, paymentReference: "ap_key-1", reference: "ap_key-5" };
        await ModificationsApi.cancelAuthorisedPayment(byReference, key("ap_key-5"));
      });
      expect(sent).toEqual(theirs);
    }),
  );

  it.live("to Razorpay is what Razorpay's library sends, which knows no key for a refund", () =>
    Effect.gen(function* () {
      const ours = yield* razorpayStandIn;
      const { id, sent } = yield* sentBy(yield* razorpayAt(ours.url), ours.requests, razorpayTraits, (charge) => [
        operationOn(charge, "capture", "ap_key-2", { value: 1999, currency: "INR" }),
        operationOn(charge, "refund", "ap_key-0000003", { value: 700, currency: "INR" }),
      ]);
      const theirs = yield* razorpayStandIn;
      const razorpay = new Razorpay({ key_id: razorpayKeyId, key_secret: razorpayKeySecret });
      const { api } = razorpay as unknown as { readonly api: { readonly rq: { defaults: { baseURL: string } } } };
      api.rq.defaults.baseURL = theirs.url;
      const notes = { aegis_key: "ap_key-1", aegis_reference: "shop/order-1" };
      yield* Effect.promise(async () => {
        const order = await razorpay.orders.create({
          amount: 1999,
          currency: "INR",
          receipt: "ap_key-1",
          notes,
          partial_payment: false,
          payment: {
            capture: "manual",
            capture_options: { automatic_expiry_period: 12, manual_expiry_period: 7200, refund_speed: "normal" },
          },
        });
        await razorpay.payments.createRecurringPayment({
          email: "ada@shop.example",
          contact: "+910000000000",
          amount: 1999,
          currency: "INR",
          order_id: order.id,
          customer_id: "cust_1",
          token: "token_visa",
          recurring: true,
          notes,
        });
        await razorpay.payments.capture(id, 1999, "INR");
        const refund = { amount: 700, receipt: "ap_key-0000003", notes: { aegis_key: "ap_key-0000003" } };
        await razorpay.payments.refund(id, { ...refund, speed: "normal" });
      });
      expect(sent).toEqual(theirs.requests.map(meaning));
      expect(ours.requests.at(-1)?.headers["x-refund-idempotency"]).toBe("ap_key-0000003");
    }),
  );
});
