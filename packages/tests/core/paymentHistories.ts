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
import type { PaymentCommand } from "@aegispay/core/payment/PaymentCommand";
import { placeEvents, type PaymentEvent } from "@aegispay/core/payment/PaymentEvent";
import { absent, type PaymentState } from "@aegispay/core/payment/PaymentState";
import { Result } from "effect";
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
  },
  { requiredKeys: ["amount", "method"], noNullPrototype: true },
);

const policies: fc.Arbitrary<Policy> = fc.record({
  maxRetries: fc.integer({ min: 0, max: 4 }),
  retryDelaysMillis: fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 4 }),
  lookUpDelaysMillis: fc.array(fc.integer({ min: 0, max: 600_000 }), { minLength: 1, maxLength: 4 }),
  reviewEveryMillis: fc.integer({ min: 0, max: 600_000 }),
  maxRounds: fc.constantFrom(0, 1, 4, 8, 400),
  resendForMillis: fc.constantFrom(0, 60_000, 900_000),
  maxAttempts: fc.integer({ min: 1, max: 4 }),
});

/** A command in terms of where the payment stands when it comes. */
interface Order {
  readonly kind: "create" | "tried" | "lookedUp" | "answered" | "resume";
  /** Added to the number of the open attempt, and to its latest round. */
  readonly attemptOff: number;
  readonly roundOff: number;
  readonly outcome: string;
  readonly amountOff: number;
  readonly laterMillis: number;
  readonly candidates: Given["candidates"];
  readonly otherBody: boolean;
}

const rarely = <A>(usual: A, ...others: ReadonlyArray<A>): fc.Arbitrary<A> =>
  fc.oneof({ weight: 8, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });

const orders: fc.Arbitrary<Order> = fc.record({
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constant("answered" as const) },
    { weight: 2, arbitrary: fc.constantFrom("tried" as const, "lookedUp" as const, "resume" as const) },
    { weight: 1, arbitrary: fc.constant("create" as const) },
  ),
  attemptOff: rarely(0, -1, 1),
  roundOff: rarely(0, -1, -2, 1),
  outcome: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom("NotSent", "Unknown", "NotFound", "move on") },
    { weight: 1, arbitrary: fc.constantFrom("Approved", "Declined", "ActionRequired", "authorized") },
  ),
  amountOff: rarely(0, 1),
  laterMillis: fc.oneof(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: -5_000, max: 2_000_000 })),
  candidates: rarely<Given["candidates"]>([north, south, east], [], [north], [south, north]),
  otherBody: rarely(false, true),
});

const outcomeOf = (order: Order, body: CreateBody): GatewayOutcome | LookUpOutcome => {
  const gatewayTransactionId = "ch_1";
  const { value, currency } = body.amount;
  switch (order.outcome) {
    case "Approved":
    case "authorized": {
      const status = order.outcome === "Approved" ? "succeeded" : "authorized";
      return { _tag: "Approved", gatewayTransactionId, status, amount: { value: value + order.amountOff, currency } };
    }
    case "Declined":
    case "move on":
      return { _tag: "Declined", code: "no", message: "declined", tryAnotherGateway: order.outcome === "move on" };
    case "ActionRequired": {
      const nextAction = { type: "redirect", url: "https://bank.example" } as const;
      return { _tag: "ActionRequired", gatewayTransactionId, nextAction };
    }
    case "NotFound":
      return { _tag: "NotFound" };
    default:
      return { _tag: order.outcome === "NotSent" ? "NotSent" : "Unknown", reason: "why" };
  }
};

const commandOf = (order: Order, state: PaymentState, body: CreateBody, given: Given): PaymentCommand => {
  if (order.kind === "create") {
    const wanted = order.otherBody ? { ...body, description: "another" } : body;
    const identity = { commandId: "c1", message: "1/1", hash: canonicalHash(wanted) };
    return { type: "Create", payment, body: wanted, ...identity, given };
  }
  if (order.kind === "resume") return { type: "Resume", payment, given };
  const open = "attempt" in state ? state : undefined;
  const attempt = (open?.attempt.number ?? 1) + order.attemptOff;
  const round = (open?.attempt.lastRound ?? 0) + order.roundOff;
  const outcome = outcomeOf(order, body);
  const isLookUp = open !== undefined && "round" in open && open.round?.action === "lookUp";
  const lookedUp = order.kind === "lookedUp" || (order.kind === "answered" && isLookUp);
  // Neither kind of call can come to what only the other can.
  return lookedUp
    ? {
        type: "RecordLookUp",
        payment,
        attempt,
        round,
        outcome: outcome._tag === "NotSent" ? { _tag: "Unknown", reason: "why" } : outcome,
        given,
      }
    : {
        type: "RecordOutcome",
        payment,
        attempt,
        round,
        outcome: outcome._tag === "NotFound" ? { _tag: "NotSent", reason: "why" } : outcome,
        given,
      };
};

const live = (body: CreateBody, policy: Policy, list: ReadonlyArray<Order>): Life => {
  const steps: Array<Step> = [];
  let before = absent;
  let at = beginning;
  for (const order of list) {
    // Two nodes' clocks differ: time may also go back a little.
    at += order.laterMillis;
    const command = commandOf(order, before, body, { at, deployment, candidates: order.candidates, policy, jitter: 0 });
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
  attemptOff: 0,
  roundOff: 0,
  outcome: "Approved",
  amountOff: 0,
  laterMillis: 0,
  candidates: [north, south, east],
  otherBody: false,
};

/** Most lives begin with a create; some with whatever comes. */
export const lives: fc.Arbitrary<Life> = fc
  .tuple(bodies, policies, rarely(true, false), fc.array(orders, { maxLength: 25, size: "max" }))
  .map(([body, policy, begins, list]) => live(body, policy, begins ? [firstOrder, ...list] : list));

export const eventsOf = (life: Life): ReadonlyArray<PaymentEvent> => life.steps.flatMap(({ events }) => events);
