/** What is read of Adyen's documents; the rest of them is not kept. */
import { Option, Schema } from "effect";

const OptionalText = Schema.optionalKey(Schema.NullOr(Schema.String));

export const AdyenAmount = Schema.Struct({ value: Schema.Finite, currency: Schema.String });

export const PaymentResult = Schema.Struct({
  resultCode: Schema.String,
  pspReference: OptionalText,
  merchantReference: OptionalText,
  amount: Schema.optionalKey(Schema.NullOr(AdyenAmount)),
  refusalReason: OptionalText,
  refusalReasonCode: OptionalText,
  additionalData: Schema.optionalKey(
    Schema.NullOr(Schema.Struct({ merchantAdviceCode: OptionalText, refusalReasonRaw: OptionalText })),
  ),
  action: Schema.optionalKey(
    Schema.NullOr(
      Schema.Struct({
        type: OptionalText,
        method: OptionalText,
        url: OptionalText,
      }),
    ),
  ),
});
export type PaymentResult = typeof PaymentResult.Type;

/** The answer to a capture, a cancel or a refund: it was heard, no more. */
export const Modification = Schema.Struct({
  status: Schema.Literal("received"),
  pspReference: Schema.NonEmptyString,
  reference: OptionalText,
});

const AdyenError = Schema.Struct({ errorCode: OptionalText, message: OptionalText, pspReference: OptionalText });
type AdyenError = typeof AdyenError.Type;

export const decodePaymentResult = Schema.decodeUnknownOption(Schema.fromJsonString(PaymentResult));
export const decodeModification = Schema.decodeUnknownOption(Schema.fromJsonString(Modification));
const decodeError = Schema.decodeUnknownOption(Schema.fromJsonString(AdyenError));

/** The reason in the body of a refusal; without one the status alone speaks. */
export const adyenErrorIn = (body: string): AdyenError => Option.getOrElse(decodeError(body), () => ({}));
