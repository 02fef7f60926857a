/** The body of `create`, as a client publishes it. Unknown fields are refused: a typo must not change what is charged. */
import { Schema } from "effect";
import { Money } from "../money/Money.ts";

/** Text that is kept for ever has a bound, and is never empty. */
export const shortText = (name: string, max: number) =>
  Schema.String.check(
    Schema.makeFilter((text: string) =>
      text.length >= 1 && text.length <= max ? undefined : `${name} has 1 to ${max} characters`,
    ),
  );

const metadataKey = /^(?!__proto__$)[A-Za-z0-9_.-]{1,64}$/;

const Metadata = Schema.Record(Schema.String, Schema.String).check(
  Schema.makeFilter((metadata: Readonly<Record<string, string>>) => {
    const keys = Object.keys(metadata);
    if (keys.length > 50) return "metadata has at most 50 entries";
    const wrong = keys.find((key) => !metadataKey.test(key) || metadata[key]!.length > 1000);
    return wrong === undefined
      ? undefined
      : "a metadata key has 1 to 64 characters of [A-Za-z0-9_.-], a value at most 1000 characters";
  }),
);

const Method = Schema.Struct({
  type: Schema.Literal("card"),
  token: Schema.String.check(
    Schema.makeFilter((token: string) =>
      /^[A-Za-z0-9_-]{1,255}$/.test(token) ? undefined : "a token has 1 to 255 characters of [A-Za-z0-9_-]",
    ),
  ),
});

const Customer = Schema.Struct({
  id: Schema.optionalKey(shortText("customer.id", 255)),
  name: Schema.optionalKey(shortText("customer.name", 255)),
  email: Schema.optionalKey(shortText("customer.email", 255)),
  phone: Schema.optionalKey(shortText("customer.phone", 64)),
  country: Schema.optionalKey(shortText("customer.country", 2)),
});

const momentPattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/;

/** Far before the moments that a timer cannot hold: one after 2262 fires at once, one after 9999 is refused by the server. */
export const latestExpiryMillis = Date.UTC(2200, 0);

/** ISO 8601 with its zone: a moment, and not a time of day somewhere. */
const Moment = Schema.String.check(
  Schema.makeFilter((text: string) =>
    momentPattern.test(text) && Date.parse(text) < latestExpiryMillis
      ? undefined
      : "expiresAt is a moment like 2026-01-02T03:04:05Z, before the year 2200",
  ),
);

export const CreateBody = Schema.Struct({
  amount: Money,
  method: Method,
  capture: Schema.optionalKey(Schema.Literals(["automatic", "manual"])),
  description: Schema.optionalKey(shortText("description", 1000)),
  metadata: Schema.optionalKey(Metadata),
  customer: Schema.optionalKey(Customer),
  returnUrl: Schema.optionalKey(shortText("returnUrl", 2000)),
  gateway: Schema.optionalKey(shortText("gateway", 64)),
  /** Until when the customer may act: what still waits then is released, and nothing is sent again after it. */
  expiresAt: Schema.optionalKey(Moment),
});
export type CreateBody = typeof CreateBody.Type;

const AnyText = Schema.optionalKey(Schema.String);

/**
 * The body as it stands in a log: the same shape without today's limits, so that a currency that is given up or a limit
 * that is lowered never makes an old log unreadable.
 */
export const RecordedCreate: Schema.Codec<CreateBody> = Schema.Struct({
  amount: Schema.Struct({ value: Schema.Int, currency: Schema.String }),
  method: Schema.Struct({ type: Schema.Literal("card"), token: Schema.String }),
  capture: Schema.optionalKey(Schema.Literals(["automatic", "manual"])),
  description: AnyText,
  metadata: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  customer: Schema.optionalKey(
    Schema.Struct({ id: AnyText, name: AnyText, email: AnyText, phone: AnyText, country: AnyText }),
  ),
  returnUrl: AnyText,
  gateway: AnyText,
  expiresAt: AnyText,
});

/** The body without its defaults: what is hashed and recorded. */
export const withoutDefaults = (body: CreateBody): CreateBody => {
  const { capture, metadata, customer, ...rest } = body;
  return {
    ...rest,
    ...(capture === "manual" ? { capture } : {}),
    ...(metadata !== undefined && Object.keys(metadata).length > 0 ? { metadata } : {}),
    ...(customer !== undefined && Object.keys(customer).length > 0 ? { customer } : {}),
  };
};
