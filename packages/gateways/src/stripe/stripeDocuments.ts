/** What is read of Stripe's documents; the rest of them is not kept. */
import { Option, Schema } from "effect";

const OptionalText = Schema.optionalKey(Schema.NullOr(Schema.String));

/** Stripe's error, as the body of a refusal and as a PaymentIntent's last one. */
const StripeError = Schema.Struct({
  type: OptionalText,
  code: OptionalText,
  decline_code: OptionalText,
  advice_code: OptionalText,
  /** The issuer's own: two digits each. */
  network_advice_code: OptionalText,
  network_decline_code: OptionalText,
  message: OptionalText,
  payment_intent: Schema.optionalKey(Schema.Struct({ id: Schema.String })),
});
export type StripeError = typeof StripeError.Type;

export const PaymentIntent = Schema.Struct({
  object: Schema.Literal("payment_intent"),
  id: Schema.NonEmptyString,
  status: Schema.String,
  amount: Schema.Finite,
  amount_received: Schema.optionalKey(Schema.Finite),
  currency: Schema.String,
  metadata: Schema.Record(Schema.String, Schema.String),
  latest_charge: OptionalText,
  next_action: Schema.optionalKey(
    Schema.NullOr(
      Schema.Struct({
        type: Schema.String,
        redirect_to_url: Schema.optionalKey(Schema.NullOr(Schema.Struct({ url: Schema.NullOr(Schema.String) }))),
      }),
    ),
  ),
  last_payment_error: Schema.optionalKey(Schema.NullOr(StripeError)),
});
export type PaymentIntent = typeof PaymentIntent.Type;

export const Refund = Schema.Struct({
  object: Schema.Literal("refund"),
  id: Schema.NonEmptyString,
  status: Schema.NullOr(Schema.String),
  amount: Schema.Finite,
  currency: Schema.String,
  payment_intent: OptionalText,
  metadata: Schema.NullOr(Schema.Record(Schema.String, Schema.String)),
  failure_reason: OptionalText,
  /** There once the money of a refund that failed is the merchant's again. */
  failure_balance_transaction: OptionalText,
});
export type Refund = typeof Refund.Type;

const listOf = <Item extends Schema.Top>(item: Item) =>
  Schema.Struct({ data: Schema.Array(item), has_more: Schema.Boolean });

export const decodePaymentIntent = Schema.decodeUnknownOption(Schema.fromJsonString(PaymentIntent));
export const decodePaymentIntents = Schema.decodeUnknownOption(Schema.fromJsonString(listOf(PaymentIntent)));
export const decodeRefund = Schema.decodeUnknownOption(Schema.fromJsonString(Refund));
export const decodeRefunds = Schema.decodeUnknownOption(Schema.fromJsonString(listOf(Refund)));

const decodeError = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Struct({ error: StripeError })));

/** The reason in the body of a refusal; without one the status alone speaks. */
export const stripeErrorIn = (body: string): StripeError =>
  Option.getOrElse(
    Option.map(decodeError(body), ({ error }) => error),
    () => ({}),
  );

/** Where our key stands at Stripe: of the charge in the PaymentIntent, of a capture beside it, of a refund in the refund. */
export const keyField = "aegis_key";
export const referenceField = "aegis_reference";
export const captureKeyField = "aegis_capture_key";
