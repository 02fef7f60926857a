/**
 * What is known after a gateway was asked: closed unions, because every policy of this system switches on them.
 * `Unknown` is a case of its own: it is verified by a look-up, never guessed. `NotSent` says that the request surely
 * never left this process (law 4: it is believed only of a try that nobody may have made before).
 */
import { Schema } from "effect";

const GatewayAmount = Schema.Struct({ value: Schema.Number, currency: Schema.String });

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

/** The request certainly never left: connection refused, DNS, connect time-out, a refusal before processing (429). */
export const NotSent = Schema.TaggedStruct("NotSent", { reason: Schema.String });

/** The request may have left and no definitive answer came: time-out, reset, 5xx, an answer that cannot be read. */
export const Unknown = Schema.TaggedStruct("Unknown", { reason: Schema.String });

/** The gateway answered a look-up by key: it has nothing under it. */
export const NotFound = Schema.TaggedStruct("NotFound", {});

export const GatewayOutcome = Schema.Union([Approved, Declined, ActionRequired, NotSent, Unknown]);
export type GatewayOutcome = typeof GatewayOutcome.Type;

export const LookUpOutcome = Schema.Union([Approved, Declined, ActionRequired, NotFound, Unknown]);
export type LookUpOutcome = typeof LookUpOutcome.Type;
