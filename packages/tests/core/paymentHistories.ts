/**
 * Generated lives of a payment: thousands of sequences of commands, mostly such as a node would send (the outcome of the
 * round that is open), often such as come late, twice, or from an owner that has gone.
 */
import { canonicalHash } from "@aegispay/core/identity/canonical";
import type { CreateBody } from "@aegispay/core/payment/CreateBody";
import { decide, type Decision } from "@aegispay/core/payment/decide";
import { evolveAll } from "@aegispay/core/payment/evolve";
import type { GatewayOutcome, LookUpOutcome } from "@aegispay/core/payment/GatewayOutcome";
import { isoTime, type Given, type Policy } from "@aegispay/core/payment/Given";
import { errandsOf, expiryOf } from "@aegispay/core/payment/intents";
import type { FurtherCommand, PaymentCommand, Recorded, RecordOperation } from "@aegispay/core/payment/PaymentCommand";
import { isOperation, type Attempt, type Errand, type Operation } from "@aegispay/core/payment/Errand";
import { placeEvents, type PaymentEvent } from "@aegispay/core/payment/PaymentEvent";
import { absent, behindReview, isHeld, type PaymentState } from "@aegispay/core/payment/PaymentState";
import { Result } from "effect";
import { liveKey, unseen } from "@aegispay/core/routing/LiveFigures";
import fc from "fast-check";
import { beginning, deployment, east, north, payment, south } from "./paymentExamples.ts";

/** What one command did. */
export interface Step {
  readonly command: PaymentCommand;
  readonly before: PaymentState;
  readonly decision: Decision;
  readonly events: ReadonlyArray<PaymentEvent>;
  /** Undefined: what was decided is not legal. */
  readonly after: PaymentState | undefined;
}

export interface Life {
  readonly policy: Policy;
  readonly steps: ReadonlyArray<Step>;
}

const amounts = fc.record({
  value: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  currency: fc.constantFrom("USD", "EUR", "JPY", "KWD"),
});

const texts = fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" });

const bodies: fc.Arbitrary<CreateBody> = fc.record(
  {
    amount: amounts,
    method: fc.record({ type: fc.constant("card" as const), token: fc.stringMatching(/^tok_[a-z]{1,9}$/) }),
    description: texts,
    metadata: fc.dictionary(
      fc.stringMatching(/^[a-z][a-zA-Z0-9_.-]{0,9}$/),
      fc.string({ unit: fc.oneof(fc.constant("\ud800"), fc.string({ unit: "binary", minLength: 1, maxLength: 1 })) }),
      { maxKeys: 3, noNullPrototype: true },
    ),
    customer: fc.record({ name: texts, email: texts }, { requiredKeys: [], noNullPrototype: true }),
    gateway: fc.constantFrom("north", "south", "nowhere"),
    capture: fc.constant("manual" as const),
  },
  { requiredKeys: ["amount", "method"], noNullPrototype: true },
);

const policies: fc.Arbitrary<Policy> = fc.record({
  maxRetries: fc.integer({ min: 0, max: 4 }),
  retryDelaysMillis: fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 4 }),
  heldBackDelaysMillis: fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 4 }),
  createAgainDelaysMillis: fc.constant([1_000]),
  retryAfterMaxMillis: fc.integer({ min: 0, max: 600_000 }),
  lookUpDelaysMillis: fc.array(fc.integer({ min: 0, max: 600_000 }), { minLength: 1, maxLength: 4 }),
  reviewEveryMillis: fc.integer({ min: 0, max: 600_000 }),
  maxRounds: fc.constantFrom(0, 1, 4, 8, 400),
  resendForMillis: fc.constantFrom(0, 60_000, 900_000),
  keyRetentionMarginMillis: fc.constantFrom(0, 3_600_000),
  customerWaitMillis: fc.integer({ min: 1, max: 600_000 }),
  authorizationForMillis: fc.integer({ min: 1, max: 600_000 }),
  expireAgainMillis: fc.integer({ min: 1, max: 600_000 }),
  maxAttempts: fc.integer({ min: 1, max: 4 }),
});

/** A command in terms of where the payment stands when it comes. */
interface Order {
  readonly kind: "create" | "tried" | "lookedUp" | "answered" | "resume" | "further" | "notify" | "expire";
  /** Of a further command. */
  readonly verb: FurtherCommand["type"];
  /** How much is wanted, in hundredths of the payment; nothing is said where it is 0. */
  readonly part: number;
  /** Which of a handful of command ids. */
  readonly id: number;
  /** Which of what is owed, or has been asked for, is answered. */
  readonly which: number;
  /** Added to the number of the attempt or operation that is answered, and to its latest round. */
  readonly attemptOff: number;
  readonly roundOff: number;
  readonly outcome: string;
  readonly amountOff: number;
  readonly laterMillis: number;
  readonly candidates: Given["candidates"];
  readonly routing: Given["routing"];
  readonly otherBody: boolean;
}

/** A gateway with knobs of its own. */
const impatient = { ...north, retry: { maxRetries: 1, retryDelaysMillis: [10] } };

const southIsAway = new Map([[liveKey("south", "s1"), { ...unseen, breakerOpen: true }]]);

const rarely = <A>(usual: A, ...others: ReadonlyArray<A>): fc.Arbitrary<A> =>
  fc.oneof({ weight: 8, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });

const orders: fc.Arbitrary<Order> = fc.record({
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constant("answered" as const) },
    { weight: 4, arbitrary: fc.constant("further" as const) },
    { weight: 1, arbitrary: fc.constantFrom("notify" as const, "expire" as const) },
    { weight: 2, arbitrary: fc.constantFrom("tried" as const, "lookedUp" as const, "resume" as const) },
    { weight: 1, arbitrary: fc.constant("create" as const) },
  ),
  verb: fc.constantFrom("Capture", "Capture", "Refund", "Refund", "Void", "Cancel", "Authenticate", "Resolve"),
  part: fc.constantFrom(0, 10, 30, 60, 100),
  id: fc.integer({ min: 1, max: 12 }),
  which: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 9 })),
  attemptOff: rarely(0, -1, 1),
  roundOff: rarely(0, -1, -2, 1),
  outcome: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom("NotSent", "HeldBack", "Unknown", "NotFound", "move on") },
    { weight: 6, arbitrary: fc.constantFrom("as asked", "as asked", "as asked", "Refused", "Reversed", "Released") },
    {
      weight: 1,
      arbitrary: fc.constantFrom("Approved", "Declined", "ActionRequired", "authorized", "unauthenticated"),
    },
  ),
  amountOff: rarely(0, 1),
  laterMillis: fc.oneof(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: -5_000, max: 2_000_000 })),
  candidates: rarely<Given["candidates"]>([north, south, east], [], [north], [south, north], [impatient, south]),
  routing: rarely<Given["routing"]>(
    undefined,
    { table: { strategy: "roundRobin", maxAttempts: 2 }, live: new Map() },
    { table: { rules: [{ name: "any", when: {}, prefer: ["east"] }] }, live: southIsAway },
  ),
  otherBody: rarely(false, true),
});

/** What says nothing about what the gateway has done. */
const noEvidence = (outcome: string) => {
  if (outcome === "HeldBack") {
    return { _tag: "NotSent", reason: "why", heldBack: true, retryAfterMillis: 8_000 } as const;
  }
  return { _tag: outcome === "NotSent" ? ("NotSent" as const) : ("Unknown" as const), reason: "why" };
};

const outcomeOf = (order: Order, body: CreateBody): GatewayOutcome | LookUpOutcome => {
  const gatewayTransactionId = "ch_1";
  const { value, currency } = body.amount;
  switch (order.outcome) {
    case "as asked":
    case "Approved":
    case "authorized": {
      const isOnlyHeld = order.outcome === "as asked" ? body.capture === "manual" : order.outcome === "authorized";
      const status = isOnlyHeld ? "authorized" : "succeeded";
      return { _tag: "Approved", gatewayTransactionId, status, amount: { value: value + order.amountOff, currency } };
    }
    case "Declined":
    case "unauthenticated":
    case "move on": {
      const code = order.outcome === "unauthenticated" ? "authentication_failed" : "no";
      return { _tag: "Declined", code, message: "declined", tryAnotherGateway: order.outcome === "move on" };
    }
    case "ActionRequired": {
      const nextAction = { type: "redirect", url: "https://bank.example" } as const;
      return { _tag: "ActionRequired", gatewayTransactionId, nextAction };
    }
    case "Released":
      return { _tag: "Released", gatewayTransactionId };
    case "NotFound":
      return { _tag: "NotFound" };
    default:
      return noEvidence(order.outcome);
  }
};

/** What an operation moves; of a void all that is held, or was asked for where nothing is. */
const movedBy = ({ amount }: Operation, state: PaymentState, body: CreateBody) => {
  const behind = behindReview(state);
  const { currency } = body.amount;
  return amount ?? (isHeld(behind) ? { value: behind.authorized - behind.captured, currency } : body.amount);
};

const operationOutcomeOf = (
  order: Order,
  operation: Operation,
  state: PaymentState,
  body: CreateBody,
): RecordOperation["outcome"] => {
  const { value, currency } = movedBy(operation, state, body);
  const done = { operationId: "op_1", amount: { value: value + order.amountOff, currency } };
  switch (order.outcome) {
    case "as asked":
    case "Approved":
    case "authorized":
      return { _tag: "Done", ...done };
    case "Reversed":
      return { _tag: "Reversed", ...done };
    case "Refused":
    case "Declined":
    case "unauthenticated":
      return { _tag: "Refused", code: "no", message: "refused" };
    case "NotFound":
    case "Released":
      return { _tag: "NotFound" };
    default:
      return noEvidence(order.outcome);
  }
};

const furtherCommand = (order: Order, body: CreateBody, given: Given): FurtherCommand => {
  const { verb, part, id } = order;
  const value = Math.ceil((body.amount.value / 100) * part);
  const currency = order.otherBody ? "XAF" : body.amount.currency;
  const amount = part === 0 ? {} : { amount: { value, currency } };
  const identity = { commandId: `c${id}`, message: `1/${id + order.which}`, payment, given };
  const asked = <Type extends FurtherCommand["type"], Body>(type: Type, wanted: Body) =>
    ({ type, body: wanted, hash: canonicalHash(wanted), ...identity }) as const;
  switch (verb) {
    case "Capture":
      return asked("Capture", amount);
    case "Refund":
      return asked("Refund", amount);
    case "Void":
      return asked("Void", {});
    case "Cancel":
      return asked("Cancel", {});
    case "Authenticate":
      return asked("Authenticate", { result: part });
    case "Resolve": {
      const operation = order.which % 4;
      if (operation > 0) {
        return asked("Resolve", { operation, as: part > 30 ? "SUCCEEDED" : "FAILED", reason: "seen" } as const);
      }
      const as = (["SUCCESS", "AUTHORIZED", "FAILURE", "VOIDED", "EXPIRED"] as const)[order.id % 5]!;
      return asked("Resolve", { as, gatewayTransactionId: "ch_9", reason: "seen", ...amount });
    }
  }
};

/** What came of a call for the errand: neither kind of call can come to what only the other can. */
const answer = (order: Order, errand: Errand, state: PaymentState, body: CreateBody, given: Given): Recorded => {
  const round = errand.lastRound + order.roundOff;
  const isLookUp = order.kind === "lookedUp" || (order.kind === "answered" && errand.round?.action === "lookUp");
  if (isOperation(errand)) {
    const outcome = operationOutcomeOf(order, errand, state, body);
    const operation = errand.number + order.attemptOff;
    const only = isLookUp ? ("NotSent" as const) : outcome._tag === "Reversed" ? "Reversed" : "NotFound";
    const heard = outcome._tag === only ? ({ _tag: "Unknown", reason: "why" } as const) : outcome;
    return { type: "RecordOperation", payment, operation, round, outcome: heard, given };
  }
  const attempt = errand.number + order.attemptOff;
  const outcome = outcomeOf(order, body);
  if (isLookUp) {
    const heard = outcome._tag === "NotSent" ? ({ _tag: "Unknown", reason: "why" } as const) : outcome;
    return { type: "RecordLookUp", payment, attempt, round, outcome: heard, given };
  }
  const heard =
    outcome._tag === "NotFound" || outcome._tag === "Released"
      ? ({ _tag: "NotSent", reason: "why" } as const)
      : outcome;
  return { type: "RecordOutcome", payment, attempt, round, outcome: heard, given };
};

const noAttempt = { number: 1, lastRound: 0, round: undefined } as unknown as Attempt;

const commandOf = (order: Order, state: PaymentState, body: CreateBody, given: Given): PaymentCommand => {
  switch (order.kind) {
    case "create": {
      const wanted = order.otherBody ? { ...body, description: "another" } : body;
      const identity = { commandId: "c0", message: "1/1", hash: canonicalHash(wanted) };
      return { type: "Create", payment, body: wanted, ...identity, given };
    }
    case "resume":
      return { type: "Resume", payment, given };
    case "notify":
      return { type: "Notify", payment, given };
    case "expire":
      return { type: "Expire", payment, version: expiryOf(state)?.version ?? order.id, given };
    case "further":
      return furtherCommand(order, body, given);
    default: {
      const owed = errandsOf(state).filter(({ round }) => round !== undefined);
      const asked = order.kind === "answered" && owed.length > 0 ? owed : errandsOf(state);
      return answer(order, asked[order.which % asked.length] ?? noAttempt, state, body, given);
    }
  }
};

const live = (body: CreateBody, policy: Policy, list: ReadonlyArray<Order>): Life => {
  const steps: Array<Step> = [];
  let before = absent;
  let at = beginning;
  for (const order of list) {
    // Two nodes' clocks differ: time may also go back a little.
    at += order.laterMillis;
    const { candidates, routing } = order;
    const given = { at, deployment, candidates, policy, jitter: 0, ...(routing === undefined ? {} : { routing }) };
    const command = commandOf(order, before, body, given);
    const decision = decide(before, command);
    const events = placeEvents(Result.isSuccess(decision) ? decision.success : [], before.version, isoTime(at));
    const after = evolveAll(before, events);
    steps.push({ command, before, decision, events, after });
    if (after === undefined) break;
    before = after;
  }
  return { policy, steps };
};

const firstOrder: Order = {
  kind: "create",
  verb: "Capture",
  part: 0,
  id: 1,
  which: 0,
  attemptOff: 0,
  roundOff: 0,
  outcome: "Approved",
  amountOff: 0,
  laterMillis: 0,
  candidates: [north, south, east],
  routing: undefined,
  otherBody: false,
};

/** Most lives begin with a create; some with whatever comes. */
export const lives: fc.Arbitrary<Life> = fc
  .tuple(bodies, policies, rarely(true, false), fc.array(orders, { maxLength: 40, size: "max" }))
  .map(([body, policy, begins, list]) => live(body, policy, begins ? [firstOrder, ...list] : list));

export const eventsOf = (life: Life): ReadonlyArray<PaymentEvent> => life.steps.flatMap(({ events }) => events);

/** Lives for each property; each property draws its own, so that nights and days explore further. */
const runs = 1_000;

/** Holds over every generated life; a failure names the seed that makes it again. */
export const holds = (check: (life: Life) => void): void => fc.assert(fc.property(lives, check), { numRuns: runs });

export const holdsAtEveryStep = (check: (step: Step & { readonly after: PaymentState }) => void): void =>
  holds(({ steps }) => {
    for (const step of steps) check({ ...step, after: step.after! });
  });

type EventOf<Type extends PaymentEvent["type"]> = Extract<PaymentEvent, { readonly type: Type }>;

export const ofType = <Type extends PaymentEvent["type"]>(events: ReadonlyArray<PaymentEvent>, type: Type) =>
  events.filter((event): event is EventOf<Type> => event.type === type);
