/**
 * What has happened to a payment: the only truth there is about it. The names are those of the field (facts, "Lifecycle").
 * No schema here transforms anything, so an event in memory is its own JSON: the hot path stringifies, replay decodes.
 */
import { Schema } from "effect";
import { RecordedCreate } from "./CreateBody.ts";
import { Approved, Declined, NextAction, NotFound, ActionRequired } from "./GatewayOutcome.ts";

/** ISO 8601. */
const Moment = Schema.String.check(
  Schema.makeFilter((text: string) => (Number.isFinite(Date.parse(text)) ? undefined : "no moment in time")),
);

/** Money as it stands in a log: without today's list of currencies. */
const RecordedMoney = Schema.Struct({ value: Schema.Int, currency: Schema.String });

const event = <Name extends string, Data extends Schema.Struct.Fields>(type: Name, data: Data) =>
  Schema.Struct({
    version: Schema.Int,
    type: Schema.Literal(type),
    at: Moment,
    data: Schema.Struct(data),
  });

const ReplyTo = Schema.Struct({ token: Schema.String, when: Schema.Literals(["accepted", "completed"]) });
export type ReplyTo = typeof ReplyTo.Type;

/** `message` is the stream position the command came by: a redelivery has the same, a repeat has another. */
export const PaymentInitiated = event("PaymentInitiated", {
  create: RecordedCreate,
  commandId: Schema.String,
  message: Schema.String,
  hash: Schema.String,
  replyTo: Schema.optionalKey(ReplyTo),
});

export const PaymentAuthenticated = event("PaymentAuthenticated", { method: Schema.Literal("none") });

/** What will be sent, letter for letter; a resend is identical to it (law 1). */
export const ChargeRequest = Schema.Struct({
  reference: Schema.String,
  amount: RecordedMoney,
  token: Schema.String,
  capture: Schema.Literals(["automatic", "manual"]),
});
export type ChargeRequest = typeof ChargeRequest.Type;

export const AttemptStarted = event("AttemptStarted", {
  attempt: Schema.Int,
  gateway: Schema.String,
  account: Schema.String,
  why: Schema.String,
  idempotencyKey: Schema.String,
  request: ChargeRequest,
});

/** The try certainly never left this process. `last`: the retries are used up, the attempt ends here. */
export const AttemptNotSent = event("AttemptNotSent", {
  attempt: Schema.Int,
  round: Schema.Int,
  reason: Schema.String,
  last: Schema.Boolean,
});

/**
 * A further round of the attempt's debt: a look-up or a resend, not before `due` (law 1). `step`: its position in the
 * schedule of look-ups; logs of version 0.1.0 have none.
 */
export const RoundStarted = event("RoundStarted", {
  attempt: Schema.Int,
  round: Schema.Int,
  action: Schema.Literals(["lookUp", "resend"]),
  due: Moment,
  step: Schema.optionalKey(Schema.Int),
});

export const AttemptOutcomeUnknown = event("AttemptOutcomeUnknown", {
  attempt: Schema.Int,
  round: Schema.Int,
  reason: Schema.String,
});

/** The gateway's own answer about an unknown outcome. */
export const OutcomeVerified = event("OutcomeVerified", {
  attempt: Schema.Int,
  round: Schema.Int,
  outcome: Schema.Union([Approved, Declined, ActionRequired, NotFound]),
});

export const PaymentSucceeded = event("PaymentSucceeded", {
  attempt: Schema.Int,
  gatewayTransactionId: Schema.String,
  amount: RecordedMoney,
});

export const AttemptDeclined = event("AttemptDeclined", { attempt: Schema.Int, outcome: Declined });

export const ActionRequiredEvent = event("ActionRequired", {
  attempt: Schema.Int,
  gatewayTransactionId: Schema.String,
  nextAction: NextAction,
});

export const Failure = Schema.Struct({
  code: Schema.String,
  message: Schema.String,
  declineCode: Schema.optionalKey(Schema.String),
});
export type Failure = typeof Failure.Type;

export const PaymentFailed = event("PaymentFailed", { failure: Failure });

/** The gateway reports another amount, currency or kind of success than was asked for. */
export const IntegrityMismatchDetected = event("IntegrityMismatchDetected", {
  attempt: Schema.Int,
  expected: ChargeRequest,
  reported: Approved,
});

/** People are to look at it. While the gateway may still know more, the same commit holds a round that goes on asking. */
export const ReviewRequested = event("ReviewRequested", { attempt: Schema.Int, reason: Schema.String });

export const PaymentEvent = Schema.Union([
  PaymentInitiated,
  PaymentAuthenticated,
  AttemptStarted,
  AttemptNotSent,
  RoundStarted,
  AttemptOutcomeUnknown,
  OutcomeVerified,
  PaymentSucceeded,
  AttemptDeclined,
  ActionRequiredEvent,
  PaymentFailed,
  IntegrityMismatchDetected,
  ReviewRequested,
]);
export type PaymentEvent = typeof PaymentEvent.Type;

/** An event as `decide` returns it: not yet placed in a log. */
export type NewEvent = PaymentEvent extends infer Event
  ? Event extends { readonly type: infer Type; readonly data: infer Data }
    ? { readonly type: Type; readonly data: Data }
    : never
  : never;

/** Places new events after `version`, at a moment given as ISO 8601. */
export const placeEvents = (
  events: ReadonlyArray<NewEvent>,
  version: number,
  at: string,
): ReadonlyArray<PaymentEvent> =>
  events.map(({ type, data }, index) => ({ version: version + index + 1, type, at, data }) as PaymentEvent);
