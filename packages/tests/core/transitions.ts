/**
 * All transitions that `evolve` knows, found by trying: from no payment on, every kind of event, well addressed, in every
 * situation that is reached so. What is written about the states is held against this, and the diagram is drawn from it.
 */
import { findOperation } from "@aegispay/core/payment/evolving";
import { evolve } from "@aegispay/core/payment/evolve";
import { errandsOf } from "@aegispay/core/payment/intents";
import { isOperation, type Errand } from "@aegispay/core/payment/Errand";
import { isoTime } from "@aegispay/core/payment/Given";
import { placeEvents, type NewEvent } from "@aegispay/core/payment/PaymentEvent";
import { absent, attemptOf, behindReview, type PaymentState } from "@aegispay/core/payment/PaymentState";
import {
  actionRequired,
  approved,
  attemptStarted,
  beginning,
  body,
  declinedForGood,
  heldUntil,
  initiated,
  mayMoveOn,
  notFound,
  waitsUntil,
} from "./paymentExamples.ts";
import { commandRecord } from "./operationExamples.ts";

/** Attempts and operations of a situation, at most: more of them show nothing new. */
const errandsMax = 3;
const stepsMax = 9;

const { amount } = body;
const part = { value: 600, currency: "USD" };
const failure = { code: "no", message: "no" };
const held = approved({ status: "authorized" });

const aboutAttempt = (attempt: number): ReadonlyArray<NewEvent> => [
  { type: "PaymentAuthenticated", data: { method: "challenge", attempt } },
  { type: "AuthenticationReported", data: { attempt, command: commandRecord("authenticate") } },
  { type: "AuthenticationFailed", data: { attempt, failure } },
  { type: "AttemptNotSent", data: { attempt, round: 0, reason: "refused", last: false } },
  { type: "AttemptNotSent", data: { attempt, round: 0, reason: "refused", last: true } },
  { type: "AttemptOutcomeUnknown", data: { attempt, round: 0, reason: "no answer" } },
  ...[approved(), mayMoveOn, declinedForGood, notFound].map((outcome): NewEvent => ({
    type: "OutcomeVerified",
    data: { attempt, round: 1, outcome },
  })),
  { type: "OutcomeVerified", data: { attempt, round: 1, outcome: { _tag: "Released", gatewayTransactionId: "ch_1" } } },
  { type: "OutcomeVerified", data: { attempt, round: 1, outcome: held, expiresAt: heldUntil } },
  { type: "OutcomeVerified", data: { attempt, round: 1, outcome: actionRequired, expiresAt: waitsUntil } },
  { type: "PaymentAuthorized", data: { attempt, gatewayTransactionId: "ch_1", amount, expiresAt: heldUntil } },
  { type: "PaymentSucceeded", data: { attempt, gatewayTransactionId: "ch_1", amount } },
  { type: "AttemptDeclined", data: { attempt, outcome: mayMoveOn } },
  { type: "AttemptDeclined", data: { attempt, outcome: declinedForGood } },
  {
    type: "ActionRequired",
    data: { attempt, gatewayTransactionId: "ch_1", nextAction: actionRequired.nextAction, expiresAt: waitsUntil },
  },
  { type: "LateSuccessDetected", data: { attempt, reported: approved() } },
  { type: "IntegrityMismatchDetected.v2", data: { about: { attempt }, expected: amount, reported: approved() } },
  { type: "ReviewRequested.v2", data: { about: { attempt }, reason: "why" } },
  { type: "LookUpEnded", data: { about: { attempt }, round: 1, found: "Declined" } },
];

const key = (operation: number) => ({
  operation,
  attempt: 1,
  idempotencyKey: `key-${operation}`,
  gatewayTransactionId: "ch_1",
});

const requests = (operation: number, attempt: number): ReadonlyArray<NewEvent> => [
  ...[amount, part].flatMap((wanted): ReadonlyArray<NewEvent> => [
    {
      type: "CaptureRequested",
      data: { ...key(operation), attempt, amount: wanted, command: commandRecord("capture", {}, `k${operation}`) },
    },
    { type: "RefundRequested", data: { ...key(operation), attempt, amount: wanted, purpose: "command" } },
  ]),
  ...(["command", "cancel", "expiry", "compensation"] as const).map((purpose): NewEvent => ({
    type: "VoidRequested",
    data: { ...key(operation), attempt, purpose },
  })),
  { type: "RefundRequested", data: { ...key(operation), attempt, amount, purpose: "compensation" } },
];

const aboutOperation = (operation: number, wanted = amount): ReadonlyArray<NewEvent> => {
  const done = { operation, operationId: "op_1" };
  const unknown = { operation, round: 0, reason: "no answer" };
  return [
    { type: "CaptureSucceeded", data: { ...done, amount: wanted } },
    { type: "CaptureFailed", data: { operation, failure } },
    { type: "CaptureOutcomeUnknown", data: unknown },
    { type: "PaymentVoided", data: done },
    { type: "VoidFailed", data: { operation, failure, expiresAt: heldUntil } },
    { type: "VoidOutcomeUnknown", data: unknown },
    { type: "RefundSucceeded", data: { ...done, amount: wanted } },
    { type: "RefundFailed", data: { operation, failure } },
    { type: "RefundOutcomeUnknown", data: unknown },
    { type: "RefundReversed", data: { ...done, amount: wanted } },
    { type: "RemainderReleased", data: { operation } },
    { type: "AuthorizationExpired", data: { operation } },
    { type: "PaymentExpired", data: { operation } },
    { type: "PaymentCancelled", data: { operation } },
    { type: "LateSuccessCompensated", data: done },
    { type: "OperationNotSent", data: { operation, round: 0, reason: "refused", last: false } },
    { type: "OperationNotSent", data: { operation, round: 0, reason: "refused", last: true } },
    { type: "OperationNotFound", data: { operation, round: 1 } },
    { type: "LookUpEnded", data: { about: { operation }, round: 1, found: "Done" } },
    { type: "ReviewRequested.v2", data: { about: { operation }, reason: "why" } },
    {
      type: "IntegrityMismatchDetected.v2",
      data: { about: { operation }, expected: amount, reported: { _tag: "Done", operationId: "op_1", amount: part } },
    },
    ...(["SUCCEEDED", "FAILED"] as const).map((as): NewEvent => ({
      type: "ReviewResolved",
      data: { operation, as, reason: "seen", command: commandRecord("resolve", {}, `r${operation}`) },
    })),
  ];
};

const rounds = (errand: Errand): ReadonlyArray<NewEvent> =>
  (["lookUp", "resend"] as const).map((action): NewEvent => {
    const round = { round: errand.lastRound + 1, action, due: isoTime(beginning), step: 0 };
    return isOperation(errand)
      ? { type: "OperationRoundStarted", data: { operation: errand.number, ...round } }
      : { type: "RoundStarted", data: { attempt: errand.number, ...round } };
  });

const ofNothing: ReadonlyArray<NewEvent> = [
  initiated(),
  { type: "HookJudged", data: { hook: "fraudCheck", verdict: "allowed" } },
  { type: "HookJudged", data: { hook: "fraudCheck", verdict: "refused", reason: "why" } },
  { type: "PaymentEnriched", data: { labels: { tier: "gold" } } },
  { type: "PaymentAuthenticated", data: { method: "none" } },
  { type: "AuthenticationFailed", data: { failure } },
  { type: "ActionRequired", data: { nextAction: actionRequired.nextAction, expiresAt: waitsUntil } },
  { type: "PaymentFailed", data: { failure } },
  { type: "RemainderReleased", data: {} },
  { type: "AuthorizationExpired", data: {} },
  { type: "PaymentExpired", data: {} },
  { type: "PaymentCancelled", data: {} },
  {
    type: "CommandRefused",
    data: { command: commandRecord("void", {}, "refused"), code: "IllegalTransition", reason: "" },
  },
  ...(["SUCCESS", "AUTHORIZED", "FAILURE", "VOIDED", "EXPIRED"] as const).map((as): NewEvent => ({
    type: "ReviewResolved",
    data: { as, gatewayTransactionId: "ch_1", expiresAt: heldUntil, reason: "seen", command: commandRecord("resolve") },
  })),
];

/** One event of every kind, in every variant that matters, addressed to what there is and to what would come next. */
export const everyEvent = (state: PaymentState): ReadonlyArray<NewEvent> => {
  if (state.name === "ABSENT") return [...ofNothing, ...aboutAttempt(1), ...requests(1, 1), ...aboutOperation(1)];
  const own = attemptOf(behindReview(state));
  const attempts = state.ended.length + (own === undefined ? 0 : 1);
  return [
    ...ofNothing,
    attemptStarted(attempts + 1),
    ...Array.from({ length: Math.max(1, attempts) }, (_, index) => aboutAttempt(index + 1)).flat(),
    ...Array.from({ length: Math.max(1, attempts) }, (_, index) =>
      requests(state.operations.length + 1, index + 1),
    ).flat(),
    ...state.operations.flatMap(({ number }) => aboutOperation(number, findOperation(state, number)?.amount)),
    ...errandsOf(state).flatMap(rounds),
  ];
};

/** What tells one situation from another, but for numbers and moments. */
const situationOf = (state: PaymentState): string => {
  const shown = behindReview(state);
  const errands = errandsOf(state).map((errand) => {
    const what = isOperation(errand)
      ? `${errand.kind} ${errand.purpose} ${errand.amount?.value}`
      : `${errand.mayMoveOn}`;
    const flags = [errand.review !== undefined, errand.isDoubtful, !isOperation(errand) && errand.isLate];
    return `${what} ${errand.status} ${errand.round?.action} ${errand.lastRound > 0} ${flags.join()}`;
  });
  const taken = "captured" in shown ? shown.captured : 0;
  const mismatch = state.name === "NEEDS_REVIEW" && state.mismatch;
  const refusedBy = state.name === "INITIATED" ? state.refusedBy : undefined;
  return JSON.stringify([state.name, refusedBy, shown.name, attemptOf(shown)?.number, taken, mismatch, errands]);
};

export interface Transition {
  readonly from: PaymentState["name"];
  readonly event: NewEvent["type"];
  readonly to: PaymentState["name"];
}

export const follow = (state: PaymentState, next: NewEvent): PaymentState | undefined =>
  evolve(state, placeEvents([next], state.version, isoTime(beginning))[0]!);

/** Each once, in the order in which they are found. */
export const allTransitions = (): ReadonlyArray<Transition> => {
  const found = new Map<string, Transition>();
  const known = new Set<string>([situationOf(absent)]);
  let situations: ReadonlyArray<PaymentState> = [absent];
  for (let step = 0; step < stepsMax; step++) {
    const next: Array<PaymentState> = [];
    for (const state of situations) {
      for (const event of everyEvent(state)) {
        const after = follow(state, event);
        if (after === undefined) continue;
        const transition = { from: state.name, event: event.type, to: after.name };
        found.set(Object.values(transition).join(), transition);
        const situation = situationOf(after);
        if (known.has(situation) || errandsOf(after).length > errandsMax) continue;
        known.add(situation);
        next.push(after);
      }
    }
    situations = next;
  }
  return [...found.values()];
};
