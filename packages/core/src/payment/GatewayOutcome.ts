/**
 * What is known after a gateway was asked: closed unions, because every policy of this system switches on them.
 * `Unknown` is a case of its own: it is verified by a look-up, never guessed. `NotSent` says that the request surely
 * never left this process (law 4: it is believed only of a try that nobody may have made before).
 */
import { Schema } from "effect";

const GatewayAmount = Schema.Struct({ value: Schema.Number, currency: Schema.String });

/**
 * Whether what an answer says of money, if anything, is money: whole minor units. Anything else is an answer that cannot be
 * read, and what was asked for from it could not be read in the log.
 */
export const speaksOfMoney = (outcome: object): boolean => {
  const value = "amount" in outcome ? (outcome.amount as typeof GatewayAmount.Type).value : 0;
  return Number.isSafeInteger(value) && value >= 0;
};

/** The gateway holds (authorized) or has taken (succeeded) the amount that it names. */
export const Approved = Schema.TaggedStruct("Approved", {
  gatewayTransactionId: Schema.String,
  status: Schema.Literals(["authorized", "succeeded"]),
  amount: GatewayAmount,
});

/** A definitive no. `tryAnotherGateway`: whether the field's rules let the payment move on to another gateway. */
export const Declined = Schema.TaggedStruct("Declined", {
  gatewayTransactionId: Schema.optionalKey(Schema.String),
  code: Schema.String,
  message: Schema.String,
  declineCode: Schema.optionalKey(Schema.String),
  tryAnotherGateway: Schema.Boolean,
});

export const NextAction = Schema.Struct({ type: Schema.Literal("redirect"), url: Schema.String });

/** The customer must act (3-D Secure) before the gateway goes on with this attempt. */
export const ActionRequired = Schema.TaggedStruct("ActionRequired", {
  gatewayTransactionId: Schema.String,
  nextAction: NextAction,
});

/**
 * The request certainly never left: connection refused, DNS, connect time-out, a refusal before processing (429).
 * `heldBack`: nobody tried; a breaker, a limit or a full gateway of our own kept it here, so it is no try at all.
 */
export const NotSent = Schema.TaggedStruct("NotSent", {
  reason: Schema.String,
  /** How long the gateway, or whatever held it back, asks to be left alone, in milliseconds. */
  retryAfterMillis: Schema.optionalKey(Schema.Int),
  heldBack: Schema.optionalKey(Schema.Literal(true)),
  /** What held it back is the gateway's breaker: another gateway need not be waited for. */
  breakerOpen: Schema.optionalKey(Schema.Literal(true)),
});
export type NotSent = typeof NotSent.Type;

/**
 * The request may have left and no definitive answer came: time-out, reset, 5xx, an answer that cannot be read.
 * `sameKeyAnswers`, of a look-up: the gateway has no way of asking, or its way has found nothing and proves nothing; the
 * very same request under its key would be answered with what became of the first one.
 */
export const Unknown = Schema.TaggedStruct("Unknown", {
  reason: Schema.String,
  sameKeyAnswers: Schema.optionalKey(Schema.Literal(true)),
  /** A question that was turned away because there are too many: how long the gateway asks to be left alone. */
  retryAfterMillis: Schema.optionalKey(Schema.Int),
});

/** The gateway answered a look-up by key: it has nothing under it. */
export const NotFound = Schema.TaggedStruct("NotFound", {});

/** The gateway answered about a charge: it holds no money and never will, it was voided or it has lapsed there. */
export const Released = Schema.TaggedStruct("Released", { gatewayTransactionId: Schema.String });

/** What came of starting a charge. */
export const GatewayOutcome = Schema.Union([Approved, Declined, ActionRequired, NotSent, Unknown]);
export type GatewayOutcome = typeof GatewayOutcome.Type;

/** What a look-up of a charge, by its key, answered. */
export const LookUpOutcome = Schema.Union([Approved, Declined, ActionRequired, Released, NotFound, Unknown]);
export type LookUpOutcome = typeof LookUpOutcome.Type;

/** The kinds of operations on a charge that is there. */
export const OperationKind = Schema.Literals(["capture", "void", "refund"]);
export type OperationKind = typeof OperationKind.Type;

/** A capture, void or refund is done. `amount`: what was captured, released or given back, as the gateway says. */
export const Done = Schema.TaggedStruct("Done", { operationId: Schema.String, amount: GatewayAmount });

/** A definitive no to a capture, void or refund: nothing has moved. */
export const Refused = Schema.TaggedStruct("Refused", { code: Schema.String, message: Schema.String });

/** A refund that was done and has come back: the money is the merchant's again. */
export const Reversed = Schema.TaggedStruct("Reversed", { operationId: Schema.String, amount: GatewayAmount });

/** What came of a capture, a void or a refund. */
export const OperationOutcome = Schema.Union([Done, Refused, NotSent, Unknown]);
export type OperationOutcome = typeof OperationOutcome.Type;

/** What a look-up of an operation, by its own key, answered. */
export const OperationLookUpOutcome = Schema.Union([Done, Refused, Reversed, NotFound, Unknown]);
export type OperationLookUpOutcome = typeof OperationLookUpOutcome.Type;
