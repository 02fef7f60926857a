/** What is read of Razorpay's documents; the rest of them, addresses and numbers of people among it, is not kept. */
import { Option, Schema } from "effect";

const OptionalText = Schema.optionalKey(Schema.NullOr(Schema.String));

/** An empty set of notes is an array there. */
const Notes = Schema.Union([Schema.Record(Schema.String, Schema.Unknown), Schema.Array(Schema.Unknown)]);

export const Order = Schema.Struct({
  id: Schema.NonEmptyString,
  entity: Schema.Literal("order"),
  notes: Notes,
  /** Seconds. */
  created_at: Schema.Finite,
});
export type Order = typeof Order.Type;

export const Payment = Schema.Struct({
  id: Schema.NonEmptyString,
  entity: Schema.Literal("payment"),
  amount: Schema.Finite,
  currency: Schema.String,
  status: Schema.String,
  order_id: OptionalText,
  captured: Schema.optionalKey(Schema.NullOr(Schema.Boolean)),
  notes: Schema.optionalKey(Notes),
  error_code: OptionalText,
  error_description: OptionalText,
  error_source: OptionalText,
  error_reason: OptionalText,
});
export type Payment = typeof Payment.Type;

export const Refund = Schema.Struct({
  id: Schema.NonEmptyString,
  entity: Schema.Literal("refund"),
  amount: Schema.Finite,
  currency: Schema.String,
  payment_id: Schema.String,
  notes: Notes,
  status: Schema.String,
});
export type Refund = typeof Refund.Type;

/** The answer to a payment that was begun; `next` where the customer is wanted after all. */
export const Begun = Schema.Struct({
  razorpay_payment_id: Schema.NonEmptyString,
  next: Schema.optionalKey(
    Schema.Array(Schema.Struct({ action: Schema.String, url: Schema.optionalKey(Schema.String) })),
  ),
});

const collectionOf = <Item extends Schema.Top>(item: Item) => Schema.Struct({ items: Schema.Array(item) });

export const decodeOrder = Schema.decodeUnknownOption(Schema.fromJsonString(Order));
export const decodeOrders = Schema.decodeUnknownOption(Schema.fromJsonString(collectionOf(Order)));
export const decodePayment = Schema.decodeUnknownOption(Schema.fromJsonString(Payment));
export const decodePayments = Schema.decodeUnknownOption(Schema.fromJsonString(collectionOf(Payment)));
export const decodeRefund = Schema.decodeUnknownOption(Schema.fromJsonString(Refund));
export const decodeRefunds = Schema.decodeUnknownOption(Schema.fromJsonString(collectionOf(Refund)));
export const decodeBegun = Schema.decodeUnknownOption(Schema.fromJsonString(Begun));

const RazorpayError = Schema.Struct({
  code: OptionalText,
  description: OptionalText,
  source: OptionalText,
  reason: OptionalText,
  metadata: Schema.optionalKey(Schema.Unknown),
});
const decodeError = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Struct({ error: RazorpayError })));

/** The reason in the body of a refusal; without one the status alone speaks. */
export const razorpayErrorIn = (body: string): typeof RazorpayError.Type =>
  Option.getOrElse(
    Option.map(decodeError(body), ({ error }) => error),
    () => ({}),
  );

const decodeMetadata = Schema.decodeUnknownOption(Schema.Struct({ payment_id: Schema.NonEmptyString }));

/** Which payment it was that failed, where one was made. */
export const paymentIn = ({ metadata }: typeof RazorpayError.Type): string | undefined =>
  Option.getOrUndefined(decodeMetadata(metadata))?.payment_id;

export const keyNote = "aegis_key";
export const referenceNote = "aegis_reference";

/** What stands in the notes under the name. */
export const noteIn = (notes: typeof Notes.Type | undefined, name: string): string | undefined => {
  const value = notes === undefined || Array.isArray(notes) ? undefined : (notes as Record<string, unknown>)[name];
  return typeof value === "string" ? value : undefined;
};
