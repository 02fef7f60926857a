/**
 * What has happened to a payment: the only truth there is about it. The names are those of the field (facts, "Lifecycle").
 * No schema here transforms anything, so an event in memory is its own JSON: the hot path stringifies, replay decodes.
 *
 * A shape that has been stored is never changed: another shape gets a type with a version (`ReviewRequested.v2`), the old
 * one stays readable, and upcast.ts says what it means today.
 */
import { Schema } from "effect";
import { RecordedCreate } from "./CreateBody.ts";
import {
  About,
  CommandRecord,
  event,
  Failure,
  HeldBack,
  LookUpAction,
  Moment,
  RecordedMoney,
  ReplyTo,
} from "./eventShape.ts";
import { ActionRequired, Approved, Declined, Done, NextAction, NotFound, Released } from "./GatewayOutcome.ts";
import { HookJudged, PaymentEnriched } from "./hookEvents.ts";
import { operationEvents } from "./operationEvents.ts";
import { RecordedRoute } from "./RecordedRoute.ts";
import { RejectionCode } from "./Rejection.ts";

export { Failure, type CommandRecord, type ReplyTo } from "./eventShape.ts";

/** `message` is the stream position the command came by: a redelivery has the same, a repeat has another. */
export const PaymentInitiated = event("PaymentInitiated", {
  create: RecordedCreate,
  commandId: Schema.String,
  message: Schema.String,
  hash: Schema.String,
  replyTo: Schema.optionalKey(ReplyTo),
});

/** `attempt`: the customer has acted for an attempt that waited for it, and that attempt goes on. */
export const PaymentAuthenticated = event("PaymentAuthenticated", {
  method: Schema.Literals(["none", "exempt", "frictionless", "challenge"]),
  attempt: Schema.optionalKey(Schema.Int),
});

/**
 * A client says that the customer has come back. It proves nothing: the same commit asks the gateway. `brought`: what the
 * customer came back with, only for a gateway that does not go on before it is handed it.
 */
export const AuthenticationReported = event("AuthenticationReported", {
  attempt: Schema.Int,
  brought: Schema.optionalKey(Schema.Json),
  command: CommandRecord,
});

export const AuthenticationFailed = event("AuthenticationFailed", {
  attempt: Schema.optionalKey(Schema.Int),
  failure: Failure,
});

/** What will be sent, letter for letter; a resend is identical to it (law 1). */
export const ChargeRequest = Schema.Struct({
  reference: Schema.String,
  amount: RecordedMoney,
  token: Schema.String,
  capture: Schema.Literals(["automatic", "manual"]),
  /** Where the customer comes back to from a page of the gateway or the bank. */
  returnUrl: Schema.optionalKey(Schema.String),
  /** Whom a stored card belongs to: a gateway charges it for nobody else. */
  customer: Schema.optionalKey(
    Schema.Struct({
      id: Schema.optionalKey(Schema.String),
      email: Schema.optionalKey(Schema.String),
      phone: Schema.optionalKey(Schema.String),
    }),
  ),
});
export type ChargeRequest = typeof ChargeRequest.Type;

/**
 * `why`: in a few words. `route`: all that spoke for and against each gateway when this one was chosen; left out where
 * there was nothing to choose from.
 */
export const AttemptStarted = event("AttemptStarted", {
  attempt: Schema.Int,
  gateway: Schema.String,
  account: Schema.String,
  why: Schema.String,
  route: Schema.optionalKey(RecordedRoute),
  idempotencyKey: Schema.String,
  request: ChargeRequest,
});

/**
 * The try certainly never left this process. `last`: the retries are used up, the attempt ends here. `heldBack`: it was not
 * even made, and is not counted as one.
 */
export const AttemptNotSent = event("AttemptNotSent", {
  attempt: Schema.Int,
  round: Schema.Int,
  reason: Schema.String,
  last: Schema.Boolean,
  heldBack: HeldBack,
});

/**
 * A further round of the attempt's debt: a look-up or a resend, not before `due` (law 1). `step`: its position in the
 * schedule of look-ups; logs of version 0.1.0 have none. `heldBack`: the resend before it was kept here, and is no try.
 */
export const RoundStarted = event("RoundStarted", {
  attempt: Schema.Int,
  round: Schema.Int,
  action: LookUpAction,
  due: Moment,
  step: Schema.optionalKey(Schema.Int),
  heldBack: HeldBack,
});

export const AttemptOutcomeUnknown = event("AttemptOutcomeUnknown", {
  attempt: Schema.Int,
  round: Schema.Int,
  reason: Schema.String,
});

/** The gateway's own answer about an unknown outcome. `expiresAt`: of what waits for customer or merchant from now on. */
export const OutcomeVerified = event("OutcomeVerified", {
  attempt: Schema.Int,
  round: Schema.Int,
  outcome: Schema.Union([Approved, Declined, ActionRequired, Released, NotFound]),
  expiresAt: Schema.optionalKey(Moment),
});

export const PaymentAuthorized = event("PaymentAuthorized", {
  attempt: Schema.Int,
  gatewayTransactionId: Schema.String,
  amount: RecordedMoney,
  expiresAt: Moment,
});

export const PaymentSucceeded = event("PaymentSucceeded", {
  attempt: Schema.Int,
  gatewayTransactionId: Schema.String,
  amount: RecordedMoney,
});

export const AttemptDeclined = event("AttemptDeclined", { attempt: Schema.Int, outcome: Declined });

/** Without an attempt it is the merchant's own authentication, before any gateway was asked. */
export const ActionRequiredEvent = event("ActionRequired", {
  attempt: Schema.optionalKey(Schema.Int),
  gatewayTransactionId: Schema.optionalKey(Schema.String),
  nextAction: NextAction,
  expiresAt: Schema.optionalKey(Moment),
});

/** `noOther`: why no other gateway was tried, where the failure alone would have allowed it. */
export const PaymentFailed = event("PaymentFailed", { failure: Failure, noOther: Schema.optionalKey(Schema.String) });

/** An attempt that is not the payment's has succeeded after all: the same commit asks for what undoes it. */
export const LateSuccessDetected = event("LateSuccessDetected", { attempt: Schema.Int, reported: Approved });

/** A command that this state cannot follow: remembered, so that a repeat gets no other answer. */
export const CommandRefused = event("CommandRefused", {
  command: CommandRecord,
  code: RejectionCode,
  reason: Schema.String,
});

/** As version 0.1.0 stored it: of a charge only. */
export const IntegrityMismatchDetectedV1 = event("IntegrityMismatchDetected", {
  attempt: Schema.Int,
  expected: ChargeRequest,
  reported: Approved,
});

/** The gateway reports another amount, currency or kind of success than was asked for. */
export const IntegrityMismatchDetected = event("IntegrityMismatchDetected.v2", {
  about: About,
  expected: RecordedMoney,
  reported: Schema.Union([Approved, Done]),
});

/** As version 0.1.0 stored it: of a charge only. */
export const ReviewRequestedV1 = event("ReviewRequested", { attempt: Schema.Int, reason: Schema.String });

/** People are to look at it. While the gateway may still know more, the same commit holds a round that goes on asking. */
export const ReviewRequested = event("ReviewRequested.v2", { about: About, reason: Schema.String });

/** What an operator found out. Of an operation `as` is its own end, of a payment the state it has from now on. */
export const ReviewResolved = event("ReviewResolved", {
  operation: Schema.optionalKey(Schema.Int),
  as: Schema.Literals(["SUCCESS", "AUTHORIZED", "FAILURE", "VOIDED", "EXPIRED", "SUCCEEDED", "FAILED"]),
  gatewayTransactionId: Schema.optionalKey(Schema.String),
  amount: Schema.optionalKey(RecordedMoney),
  expiresAt: Schema.optionalKey(Moment),
  reason: Schema.String,
  command: CommandRecord,
});

const earlierShapes = [IntegrityMismatchDetectedV1, ReviewRequestedV1] as const;

export const PaymentEvent = Schema.Union([
  PaymentInitiated,
  PaymentAuthenticated,
  AttemptStarted,
  PaymentSucceeded,
  AttemptNotSent,
  RoundStarted,
  AttemptOutcomeUnknown,
  OutcomeVerified,
  PaymentAuthorized,
  AttemptDeclined,
  ActionRequiredEvent,
  PaymentFailed,
  AuthenticationReported,
  AuthenticationFailed,
  ...operationEvents,
  LateSuccessDetected,
  CommandRefused,
  IntegrityMismatchDetected,
  ReviewRequested,
  ReviewResolved,
  HookJudged,
  PaymentEnriched,
  ...earlierShapes,
]);
/** An event as it stands in a log, in whatever shape it was stored. */
export type PaymentEvent = typeof PaymentEvent.Type;

/** An event in the shape of today: what upcast.ts makes of every stored one, and the only kind that is still written. */
export type CurrentEvent = Exclude<PaymentEvent, (typeof earlierShapes)[number]["Type"]>;

export type EventOf<Type extends CurrentEvent["type"]> = Extract<CurrentEvent, { readonly type: Type }>;

/** An event as `decide` returns it: not yet placed in a log. */
export type NewEvent = CurrentEvent extends infer Event
  ? Event extends { readonly type: infer Type; readonly data: infer Data }
    ? { readonly type: Type; readonly data: Data }
    : never
  : never;

/** Places new events after `version`, at a moment given as ISO 8601. */
export const placeEvents = (
  events: ReadonlyArray<NewEvent>,
  version: number,
  at: string,
): ReadonlyArray<CurrentEvent> =>
  events.map(({ type, data }, index) => ({ version: version + index + 1, type, at, data }) as CurrentEvent);
