/**
 * What every adapter has to do, whatever its gateway's protocol. The suite plays the core's part: what is unknown is looked
 * up, and sent again only where that is the way to ask or nothing was found. The stand-in's own books judge.
 */
import type { GatewayOutcome, LookUpOutcome, OperationLookUpOutcome } from "@aegispay/core/payment/GatewayOutcome";
import type { OperationRequest, StartRequest } from "@aegispay/gateways/Gateway";
import { describe, expect, it } from "@effect/vitest";
import { Effect } from "effect";
import type { Fault } from "./StandInServer.ts";
import { asked, chargeOf, type MakeSubject, operationOn, type Subject, type Traits } from "./Subject.ts";
import { describeWebhooks } from "./webhooks.contract.ts";

const mayAskAgain = (outcome: LookUpOutcome | OperationLookUpOutcome): boolean =>
  outcome._tag === "NotFound" || (outcome._tag === "Unknown" && outcome.sameKeyAnswers === true);

/** As the core does it: a look-up, and the same request again where the look-up says so. */
const resolved = Effect.fnUntraced(function* ({ gateway, timePasses }: Subject, request: StartRequest) {
  const soon = yield* gateway.lookUp(asked(request));
  if (soon._tag === "Unknown" && !mayAskAgain(soon)) yield* timePasses;
  const found = soon._tag === "Unknown" && !mayAskAgain(soon) ? yield* gateway.lookUp(asked(request)) : soon;
  return mayAskAgain(found) ? yield* gateway.start(request) : found;
});

const settled = Effect.fnUntraced(function* ({ gateway, notify }: Subject, request: OperationRequest) {
  const first = yield* gateway.operate(request);
  if (first._tag !== "Unknown") return first;
  yield* notify;
  const found = yield* gateway.lookUpOperation(request);
  if (!mayAskAgain(found)) return found;
  const again = yield* gateway.operate(request);
  if (again._tag !== "Unknown") return again;
  yield* notify;
  return yield* gateway.lookUpOperation(request);
});

const transactionOf = (outcome: GatewayOutcome | LookUpOutcome): string => {
  if (outcome._tag !== "Approved") throw new Error(`the charge is ${outcome._tag}: ${JSON.stringify(outcome)}`);
  return outcome.gatewayTransactionId;
};

/** Faults after which nobody knows whether the charge was made. */
const unknowing: ReadonlyArray<Fault> = [
  "lose the answer",
  "never answer",
  "reset",
  "break before",
  "break after",
  "answer nonsense",
  "say it is in flight",
];

/** Noes that surely came before anything was done. */
const turnedAway: ReadonlyArray<Fault> = ["limit the rate", "refuse the key"];

const whole = (traits: Traits) => ({ value: 1999, currency: traits.currency });
const part = (traits: Traits) => ({ value: 700, currency: traits.currency });

const describeCharges = (traits: Traits, make: MakeSubject) => {
  for (const [capture, status] of [
    ["automatic", "succeeded"],
    ["manual", "authorized"],
  ] as const) {
    it.live(`${traits.name}: a charge with capture ${capture} is ${status}, and its look-up by id says the same`, () =>
      Effect.gen(function* () {
        const subject = yield* make;
        const request = chargeOf(traits, "ap_key-1", { capture });
        const started = yield* subject.gateway.start(request);
        expect(started).toMatchObject({ _tag: "Approved", status, amount: whole(traits) });
        yield* subject.notify;
        expect(yield* subject.gateway.lookUp(asked(request, transactionOf(started)))).toEqual(started);
        expect(yield* subject.booked).toMatchObject([{ key: "ap_key-1", isHeld: capture === "manual" }]);
      }),
    );
  }

  for (const [why, tryAnotherGateway] of [
    ["insufficientFunds", false],
    ["moveOn", true],
  ] as const) {
    it.live(`${traits.name}: a decline (${why}) says whether another gateway may be tried, also when looked up`, () =>
      Effect.gen(function* () {
        const subject = yield* make;
        const request = chargeOf(traits, "ap_key-1", { token: traits.tokens[why] });
        const declined = yield* subject.gateway.start(request);
        expect(declined).toMatchObject({ _tag: "Declined", tryAnotherGateway });
        expect(yield* resolved(subject, request)).toMatchObject({ _tag: "Declined", tryAnotherGateway });
        expect(yield* subject.booked).toEqual([]);
      }),
    );
  }

  const struck = traits.posts.flatMap((post, skipped) => unknowing.map((fault) => ({ post, skipped, fault })));
  for (const { post, skipped, fault } of struck) {
    it.live(`${traits.name}: a charge whose ${post} meets "${fault}" is Unknown, and ends as one charge`, () =>
      Effect.gen(function* () {
        const subject = yield* make;
        const request = chargeOf(traits, "ap_key-1");
        subject.fault(fault, skipped);
        expect(yield* subject.gateway.start(request)).toMatchObject({ _tag: "Unknown" });
        expect(yield* resolved(subject, request)).toMatchObject({ _tag: "Approved", amount: whole(traits) });
        expect(yield* subject.booked).toHaveLength(1);
      }),
    );
  }

  for (const fault of turnedAway) {
    it.live(`${traits.name}: a charge that meets "${fault}" is NotSent`, () =>
      Effect.gen(function* () {
        const subject = yield* make;
        subject.fault(fault);
        const outcome = yield* subject.gateway.start(chargeOf(traits, "ap_key-1"));
        expect(outcome).toMatchObject({ _tag: "NotSent" });
        expect(yield* subject.booked).toEqual([]);
      }),
    );
  }

  it.live(`${traits.name}: two starts with one key at once end as one charge`, () =>
    Effect.gen(function* () {
      const subject = yield* make;
      const request = chargeOf(traits, "ap_key-1");
      const start = subject.gateway.start(request);
      const both = yield* Effect.all([start, start], { concurrency: "unbounded" });
      const end = yield* resolved(subject, request);
      const ids = [...both, end].flatMap((outcome) =>
        outcome._tag === "Approved" ? [outcome.gatewayTransactionId] : [],
      );
      expect(end).toMatchObject({ _tag: "Approved", amount: whole(traits) });
      expect(new Set(ids).size).toBe(1);
      expect(yield* subject.booked).toHaveLength(1);
    }),
  );

  it.live(`${traits.name}: a charge that never was is not found, and nothing is charged by asking`, () =>
    Effect.gen(function* () {
      const subject = yield* make;
      yield* subject.gateway.start(chargeOf(traits, "ap_key-other"));
      const found = yield* subject.gateway.lookUp(asked(chargeOf(traits, "ap_key-1")));
      expect(mayAskAgain(found)).toBe(true);
      expect(found._tag).toBe(traits.asks === "lookUp" ? "NotFound" : "Unknown");
      expect(yield* subject.booked).toHaveLength(1);
    }),
  );

  it.live(`${traits.name}: an amount that differs is reported as the gateway booked it`, () =>
    Effect.gen(function* () {
      const subject = yield* make;
      subject.bookAnotherAmount();
      const outcome = yield* subject.gateway.start(chargeOf(traits, "ap_key-1"));
      const [booked] = yield* subject.booked;
      expect(booked?.captured).not.toBe(1999);
      expect(outcome).toMatchObject({
        _tag: "Approved",
        amount: { value: booked?.captured, currency: traits.currency },
      });
    }),
  );

  const { action } = traits.tokens;
  if (action !== undefined) {
    it.live(`${traits.name}: 3-D Secure hands the customer over by a redirect, and goes on afterwards`, () =>
      Effect.gen(function* () {
        const subject = yield* make;
        const request = chargeOf(traits, "ap_key-1", { token: action });
        const waiting = yield* subject.gateway.start(request);
        expect(waiting).toMatchObject({ _tag: "ActionRequired", nextAction: { type: "redirect" } });
        if (waiting._tag !== "ActionRequired") return;
        expect(waiting.nextAction.url).toMatch(/^https?:\/\//);
        yield* subject.authenticate;
        yield* subject.notify;
        const found = yield* subject.gateway.lookUp(asked(request, waiting.gatewayTransactionId));
        expect(found).toMatchObject({ _tag: "Approved", status: "succeeded", amount: whole(traits) });
      }),
    );
  }
};

const describeOperations = (traits: Traits, make: MakeSubject) => {
  const held = Effect.gen(function* () {
    const subject = yield* make;
    const started = yield* subject.gateway.start(chargeOf(traits, "ap_key-1", { capture: "manual" }));
    return { subject, charge: transactionOf(started) };
  });
  const taken = Effect.gen(function* () {
    const subject = yield* make;
    const started = yield* subject.gateway.start(chargeOf(traits, "ap_key-1"));
    return { subject, charge: transactionOf(started) };
  });

  it.live(`${traits.name}: a capture is done once, with its amount, and its look-up says the same`, () =>
    Effect.gen(function* () {
      const { subject, charge } = yield* held;
      const amount = traits.hasPartialCapture ? part(traits) : whole(traits);
      const capture = operationOn(charge, "capture", "ap_key-2", amount);
      const first = yield* subject.gateway.operate(capture);
      expect(first._tag).toBe(traits.operations === "atOnce" ? "Done" : "Unknown");
      const done = yield* settled(subject, capture);
      expect(done).toMatchObject({ _tag: "Done", amount });
      expect(yield* settled(subject, capture)).toEqual(done);
      expect(yield* subject.gateway.lookUpOperation(capture)).toEqual(done);
      expect(yield* subject.booked).toMatchObject([{ captured: amount.value }]);
    }),
  );

  it.live(`${traits.name}: a void ${traits.hasVoid ? "releases the charge" : "is refused, since there is none"}`, () =>
    Effect.gen(function* () {
      const { subject, charge } = yield* held;
      const done = yield* settled(subject, operationOn(charge, "void", "ap_key-2"));
      expect(done._tag).toBe(traits.hasVoid ? "Done" : "Refused");
      expect(yield* subject.booked).toHaveLength(traits.hasVoid ? 0 : 1);
    }),
  );

  it.live(`${traits.name}: refunds of parts are told apart by their keys, and one too many is refused`, () =>
    Effect.gen(function* () {
      const { subject, charge } = yield* taken;
      const refund = (key: string) => operationOn(charge, "refund", key, part(traits));
      expect(yield* settled(subject, refund("ap_key-0000002"))).toMatchObject({ _tag: "Done", amount: part(traits) });
      expect(yield* settled(subject, refund("ap_key-0000003"))).toMatchObject({ _tag: "Done", amount: part(traits) });
      expect(yield* settled(subject, refund("ap_key-0000004"))).toMatchObject({ _tag: "Refused" });
      expect(yield* subject.booked).toMatchObject([{ refunded: 1400 }]);
      const known = yield* subject.gateway.lookUpOperation(refund("ap_key-0000003"));
      expect(known).toMatchObject({ _tag: "Done", amount: part(traits) });
    }),
  );

  for (const fault of unknowing) {
    it.live(`${traits.name}: a refund that meets "${fault}" is Unknown, and is given back once`, () =>
      Effect.gen(function* () {
        const { subject, charge } = yield* taken;
        subject.fault(fault);
        const refund = operationOn(charge, "refund", "ap_key-0000002", part(traits));
        expect(yield* subject.gateway.operate(refund)).toMatchObject({ _tag: "Unknown" });
        yield* subject.notify;
        const found = yield* subject.gateway.lookUpOperation(refund);
        const end = mayAskAgain(found) ? yield* settled(subject, refund) : found;
        expect(end).toMatchObject({ _tag: "Done", amount: part(traits) });
        expect(yield* subject.booked).toMatchObject([{ refunded: 700 }]);
      }),
    );
  }

  it.live(`${traits.name}: a refund that was turned away for its rate is NotSent`, () =>
    Effect.gen(function* () {
      const { subject, charge } = yield* taken;
      subject.fault("limit the rate");
      const refund = operationOn(charge, "refund", "ap_key-0000002", part(traits));
      expect(yield* subject.gateway.operate(refund)).toMatchObject({ _tag: "NotSent" });
      expect(yield* subject.booked).toMatchObject([{ refunded: 0 }]);
    }),
  );
};

export const describeConformance = (traits: Traits, make: MakeSubject): void => {
  describeWebhooks(traits, make);
  describe(`charges at ${traits.name}`, () => {
    describeCharges(traits, make);
  });
  describe(`operations at ${traits.name}`, () => {
    describeOperations(traits, make);
  });
};
