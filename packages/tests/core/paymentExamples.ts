/** One payment in examples: what may be said about it (events), told to it (commands) and heard of it (outcomes). */
import { canonicalHash } from "@aegispay/core/identity/canonical";
import { gatewayIdempotencyKey } from "@aegispay/core/identity/Identity";
import type { CreateBody } from "@aegispay/core/payment/CreateBody";
import type { GatewayOutcome, LookUpOutcome } from "@aegispay/core/payment/GatewayOutcome";
import { defaultPolicy, isoTime, type Candidate, type Given } from "@aegispay/core/payment/Given";
import type { Create, RecordLookUp, RecordOutcome, Resume } from "@aegispay/core/payment/PaymentCommand";
import type { ChargeRequest, NewEvent, ReplyTo } from "@aegispay/core/payment/PaymentEvent";

export const payment = { merchant: "shop", paymentId: "order-1" };
export const deployment = "DEPLOYMENT";

const keyRetentionMillis = 86_400_000;
export const north = { gateway: "north", account: "n1", keyRetentionMillis };
export const south = { gateway: "south", account: "s1", keyRetentionMillis };
export const east = { gateway: "east", account: "e1", keyRetentionMillis };

/** When every example begins, in milliseconds. */
export const beginning = Date.parse("2026-01-02T03:04:05.000Z");

/** What a decision is given `later` milliseconds after the beginning. */
export const givenAt = (later = 0, changes: Partial<Given> = {}): Given => ({
  at: beginning + later,
  deployment,
  candidates: [north, south, east],
  policy: defaultPolicy,
  jitter: 0,
  ...changes,
});

export const body: CreateBody = {
  amount: { value: 1999, currency: "USD" },
  method: { type: "card", token: "tok_visa" },
};

export const request: ChargeRequest = {
  reference: "shop/order-1",
  amount: body.amount,
  token: "tok_visa",
  capture: "automatic",
};

export const create = (changes: Partial<CreateBody> = {}, given = givenAt(), replyTo?: ReplyTo): Create => {
  const wanted = { ...body, ...changes };
  const asker = replyTo === undefined ? {} : { replyTo };
  return {
    type: "Create",
    payment,
    body: wanted,
    hash: canonicalHash(wanted),
    commandId: "c1",
    message: "1/1",
    given,
    ...asker,
  };
};

export const tried = (outcome: GatewayOutcome, round = 0, given = givenAt(), attempt = 1): RecordOutcome => ({
  type: "RecordOutcome",
  payment,
  attempt,
  round,
  outcome,
  given,
});

export const lookedUp = (outcome: LookUpOutcome, round = 1, given = givenAt(), attempt = 1): RecordLookUp => ({
  type: "RecordLookUp",
  payment,
  attempt,
  round,
  outcome,
  given,
});

export const resume = (given = givenAt()): Resume => ({ type: "Resume", payment, given });

type Outcome<Tag> = Extract<GatewayOutcome | LookUpOutcome, { readonly _tag: Tag }>;

export const approved = (changes: Partial<Outcome<"Approved">> = {}): Outcome<"Approved"> => ({
  _tag: "Approved",
  gatewayTransactionId: "ch_1",
  status: "succeeded",
  amount: { value: 1999, currency: "USD" },
  ...changes,
});
export const mayMoveOn: Outcome<"Declined"> = {
  _tag: "Declined",
  code: "processing_error",
  message: "try again",
  declineCode: "try_again_later",
  tryAnotherGateway: true,
};
export const declinedForGood: Outcome<"Declined"> = {
  _tag: "Declined",
  code: "card_declined",
  message: "no",
  declineCode: "insufficient_funds",
  gatewayTransactionId: "ch_1",
  tryAnotherGateway: false,
};
export const actionRequired: Outcome<"ActionRequired"> = {
  _tag: "ActionRequired",
  gatewayTransactionId: "ch_1",
  nextAction: { type: "redirect", url: "https://bank.example/3ds" },
};
export const notSent: Outcome<"NotSent"> = { _tag: "NotSent", reason: "connection refused" };
export const unknown: Outcome<"Unknown"> = { _tag: "Unknown", reason: "no answer in time" };
export const notFound: Outcome<"NotFound"> = { _tag: "NotFound" };

export const initiated = (changes: Partial<CreateBody> = {}, replyTo?: ReplyTo): NewEvent => {
  const { body: wanted, commandId, message, hash } = create(changes);
  const asker = replyTo === undefined ? {} : { replyTo };
  return { type: "PaymentInitiated", data: { create: wanted, commandId, message, hash, ...asker } };
};
export const authenticated: NewEvent = { type: "PaymentAuthenticated", data: { method: "none" } };

export const attemptStarted = (
  attempt = 1,
  { gateway, account }: Candidate = north,
  why = "first",
  capture: ChargeRequest["capture"] = "automatic",
): NewEvent => ({
  type: "AttemptStarted",
  data: {
    attempt,
    gateway,
    account,
    why,
    idempotencyKey: gatewayIdempotencyKey(deployment, payment, attempt, "charge", 1),
    request: { ...request, capture },
  },
});
export const attemptNotSent = (round: number, last = false, attempt = 1): NewEvent => ({
  type: "AttemptNotSent",
  data: { attempt, round, reason: notSent.reason, last },
});
export const roundStarted = (
  round: number,
  action: "lookUp" | "resend",
  later = 0,
  step = 0,
  attempt = 1,
): NewEvent => ({
  type: "RoundStarted",
  data: { attempt, round, action, due: isoTime(beginning + later), step },
});
export const outcomeUnknown = (round = 0, reason = unknown.reason, attempt = 1): NewEvent => ({
  type: "AttemptOutcomeUnknown",
  data: { attempt, round, reason },
});
export const verified = (
  outcome: Exclude<LookUpOutcome, { readonly _tag: "Unknown" }>,
  round = 1,
  attempt = 1,
): NewEvent => ({
  type: "OutcomeVerified",
  data: { attempt, round, outcome, ...(outcome._tag === "ActionRequired" ? { expiresAt: waitsUntil } : {}) },
});
export const succeeded = (attempt = 1): NewEvent => ({
  type: "PaymentSucceeded",
  data: { attempt, gatewayTransactionId: "ch_1", amount: body.amount },
});
export const attemptDeclined = (outcome: Outcome<"Declined">, attempt = 1): NewEvent => ({
  type: "AttemptDeclined",
  data: { attempt, outcome },
});
/** When a payment stops waiting for its customer, or for its merchant, if the gateway answers at the beginning. */
export const waitsUntil = isoTime(beginning + defaultPolicy.customerWaitMillis);
export const heldUntil = isoTime(beginning + defaultPolicy.authorizationForMillis);
export const actionWasRequired: NewEvent = {
  type: "ActionRequired",
  data: { attempt: 1, gatewayTransactionId: "ch_1", nextAction: actionRequired.nextAction, expiresAt: waitsUntil },
};
export const failed = (code: string, message: string, declineCode?: string): NewEvent => ({
  type: "PaymentFailed",
  data: { failure: { code, message, ...(declineCode === undefined ? {} : { declineCode }) } },
});
export const mismatch = (reported: Outcome<"Approved">, value = request.amount.value): NewEvent => ({
  type: "IntegrityMismatchDetected.v2",
  data: { about: { attempt: 1 }, expected: { ...request.amount, value }, reported },
});
export const reviewRequested = (reason: string): NewEvent => ({
  type: "ReviewRequested.v2",
  data: { about: { attempt: 1 }, reason },
});

/** The first try is under way. */
export const started = [initiated(), authenticated, attemptStarted()];
/** The first try certainly was not sent, the second is under way. */
export const retrying = [...started, attemptNotSent(0), roundStarted(1, "resend", 1_000)];
/** A try may have left: a look-up is under way. */
export const lookingUp = [...started, outcomeUnknown(), roundStarted(1, "lookUp")];
/** The gateway knew nothing of it: the same request is on its way again. */
export const resending = [...lookingUp, verified(notFound), roundStarted(2, "resend")];

const { lookUpDelaysMillis, reviewEveryMillis } = defaultPolicy;
/** The last step of the schedule of look-ups. */
export const lastStep = lookUpDelaysMillis.length - 1;
/** The look-up of the last step is under way, in round 2. */
export const atLastStep = [...lookingUp, roundStarted(2, "lookUp", 0, lastStep)];
/** People look at it, and the first daily look-up is under way in round 3. */
export const inReview = [
  ...atLastStep,
  reviewRequested("the gateway gave no answer about the attempt in the whole schedule of look-ups"),
  roundStarted(3, "lookUp", reviewEveryMillis, lastStep),
];
