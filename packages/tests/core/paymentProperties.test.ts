import { canonicalHash } from "@aegispay/core/identity/canonical";
import { chainHash, Commit, decodeCommit } from "@aegispay/core/payment/Commit";
import { decide } from "@aegispay/core/payment/decide";
import { evolveAll } from "@aegispay/core/payment/evolve";
import { intents } from "@aegispay/core/payment/intents";
import type { PaymentEvent } from "@aegispay/core/payment/PaymentEvent";
import { absent, isAtRest, type PaymentState } from "@aegispay/core/payment/PaymentState";
import { viewPayment } from "@aegispay/core/payment/PaymentView";
import { Option, Result, Schema } from "effect";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { payment } from "./paymentExamples.ts";
import { eventsOf, lives, type Life, type Step } from "./paymentHistories.ts";

/** Lives for each property; each property draws its own, so that nights and days explore further. */
const runs = 1_000;

/** Holds over every generated life; a failure names the seed that makes it again. */
const holds = (check: (life: Life) => void) => fc.assert(fc.property(lives, check), { numRuns: runs });

const holdsAtEveryStep = (check: (step: Step & { readonly after: PaymentState }) => void) =>
  holds(({ steps }) => {
    for (const step of steps) check({ ...step, after: step.after! });
  });

type EventOf<Type extends PaymentEvent["type"]> = Extract<PaymentEvent, { readonly type: Type }>;

const ofType = <Type extends PaymentEvent["type"]>(events: ReadonlyArray<PaymentEvent>, type: Type) =>
  events.filter((event): event is EventOf<Type> => event.type === type);

/** The rounds that events announce, as "attempt/round". */
const announced = (events: ReadonlyArray<PaymentEvent>): ReadonlyArray<string> =>
  events.flatMap((event) => {
    if (event.type === "AttemptStarted") return [`${event.data.attempt}/0`];
    return event.type === "RoundStarted" ? [`${event.data.attempt}/${event.data.round}`] : [];
  });

const owed = (state: PaymentState): ReadonlyArray<string> =>
  intents(state).map(({ attempt, round }) => `${attempt.number}/${round.round}`);

describe("whatever comes in whatever order", () => {
  it("the generated lives reach every state and every event", () => {
    const sample = fc.sample(lives, { numRuns: 2_000, seed: 7 });
    const states = new Set(sample.flatMap(({ steps }) => steps.map(({ after }) => after?.name)));
    const types = new Set(sample.flatMap((life) => eventsOf(life).map(({ type }) => type)));
    expect([...states].toSorted()).toEqual(
      ["ABSENT", "FAILURE", "NEEDS_REVIEW", "OUTCOME_UNKNOWN", "PROCESSING", "REQUIRES_ACTION", "SUCCESS"].toSorted(),
    );
    expect(types.size).toBe(13);
    const outOfReview = new Set(
      sample.flatMap(({ steps }) =>
        steps.filter(({ before }) => before.name === "NEEDS_REVIEW").map(({ after }) => after?.name),
      ),
    );
    expect([...outOfReview].toSorted()).toEqual(["FAILURE", "NEEDS_REVIEW", "REQUIRES_ACTION", "SUCCESS"]);
  });

  it("a decision never throws and is always legal, and history has no gap from version 1 on", () => {
    holds((life) => {
      for (const { after } of life.steps) expect(after).toBeDefined();
      expect(eventsOf(life).map(({ version }) => version)).toEqual(eventsOf(life).map((_, index) => index + 1));
    });
  });

  it("a decision is the same whoever makes it, and changes nothing it was given", () => {
    // Two owners that see the same state and command must not differ: one of them loses, and decides again.
    holds(({ steps }) => {
      for (const { before, command, decision } of steps) {
        const untouched = structuredClone({ before, command });
        expect(decide(before, command)).toEqual(decision);
        expect({ before, command }).toEqual(untouched);
      }
    });
  });

  it("commits come back from their JSON equal, and replaying them gives the live state", () => {
    holds(({ steps }) => {
      let prev = chainHash("payments.event.shop.order-1");
      let replayed: PaymentState | undefined = absent;
      for (const { events, after } of steps) {
        if (events.length === 0) continue;
        const commit = { ...payment, state: after!.name, events: events as Commit["events"], prev };
        const text = JSON.stringify(commit);
        const decoded = Option.getOrThrow(decodeCommit(text));
        expect(decoded).toEqual(commit);
        expect(canonicalHash(Schema.encodeSync(Commit)(decoded))).toBe(canonicalHash(commit));
        replayed = evolveAll(replayed, decoded.events)!;
        expect(replayed).toEqual(after);
        prev = chainHash(text);
      }
    });
  });

  it("a payment owes exactly one round until it rests, and in review at most a look-up", () => {
    holdsAtEveryStep(({ after }) => {
      const actions = intents(after).map(({ round }) => round.action);
      if (after.name === "NEEDS_REVIEW") expect([[], ["lookUp"]]).toContainEqual(actions);
      else expect(actions.length).toBe(isAtRest(after) || after.name === "ABSENT" ? 0 : 1);
      // States that are passed through within a commit are never where a commit ends.
      expect(["INITIATED", "AUTHENTICATED"]).not.toContain(after.name);
    });
  });

  it("a round is announced by exactly one event before it is owed (law 1)", () => {
    holds(({ steps }) => {
      const known = new Set<string>();
      for (const { events, after } of steps) {
        for (const round of announced(events)) {
          expect(known.has(round)).toBe(false);
          known.add(round);
        }
        for (const round of owed(after!)) expect(known.has(round)).toBe(true);
      }
    });
  });

  it("a new owner owes a look-up round of its own before anything else, or people look at it (law 1)", () => {
    holdsAtEveryStep(({ command, before, events, after }) => {
      const [repeated] = intents(before);
      if (command.type !== "Resume" || repeated === undefined) return;
      expect(announced(events)).toEqual(owed(after));
      if (repeated.attempt.lastRound >= command.given.policy.maxRounds) {
        expect(after.name).toBe("NEEDS_REVIEW");
        expect(owed(after)).toEqual([]);
      } else expect(intents(after).map(({ round }) => round.action)).toEqual(["lookUp"]);
    });
  });

  it("a crash does not move the schedule of look-ups on, nor a look-up nearer", () => {
    holdsAtEveryStep(({ command, before, after }) => {
      const [repeated] = intents(before);
      const [own] = intents(after);
      if (command.type !== "Resume" || repeated === undefined || own === undefined) return;
      expect(own.round.step).toBe(repeated.round.step);
      if (before.name === "PROCESSING") return;
      expect(Date.parse(own.round.due)).toBe(Math.max(command.given.at, Date.parse(repeated.round.due)));
    });
  });

  it("the schedule of look-ups never goes back and is walked step by step, or left for review", () => {
    holdsAtEveryStep(({ command, before, after }) => {
      const [earlier] = intents(before);
      const [later] = intents(after);
      if (earlier === undefined || later === undefined) return;
      if (earlier.attempt.number !== later.attempt.number) return;
      expect(later.round.step).toBeGreaterThanOrEqual(earlier.round.step);
      const last = command.given.policy.lookUpDelaysMillis.length - 1;
      if (after.name === "NEEDS_REVIEW") expect(later.round.step).toBe(last);
      else expect(later.round.step).toBeLessThanOrEqual(Math.min(earlier.round.step + 1, last));
    });
  });

  it("a round is known for ever by the version of the event that opened it", () => {
    holds(({ steps }) => {
      const opened = new Map<number, string>();
      for (const { events, after } of steps) {
        for (const event of events) {
          for (const round of announced([event])) opened.set(event.version, round);
        }
        for (const { attempt, round } of intents(after!)) {
          expect(opened.get(round.version)).toBe(`${attempt.number}/${round.round}`);
        }
      }
    });
  });

  it("an attempt has at most maxRounds rounds after its first try, and a payment's log stays bounded", () => {
    holds((life) => {
      const { maxRounds } = life.policy;
      for (const event of ofType(eventsOf(life), "RoundStarted")) {
        expect(event.data.round).toBeLessThanOrEqual(maxRounds);
      }
    });
  });

  it("a resend is what was announced, letter for letter (law 1)", () => {
    holds(({ steps }) => {
      const requests = new Map<number, unknown>();
      for (const { attempt } of steps.flatMap(({ after }) => intents(after!))) {
        const { number, gateway, account, idempotencyKey, request } = attempt;
        const sent = { gateway, account, idempotencyKey, request };
        expect(requests.get(number) ?? sent).toEqual(sent);
        requests.set(number, sent);
      }
    });
  });

  it("each attempt has a key of its own (law 3)", () => {
    holds((life) => {
      const keys = ofType(eventsOf(life), "AttemptStarted").map(({ data }) => data.idempotencyKey);
      expect(new Set(keys).size).toBe(keys.length);
    });
  });

  it("not sent is never believed once a try may have left (law 4)", () => {
    holds((life) => {
      const mayHaveLeft = new Set<number>();
      for (const event of eventsOf(life)) {
        if (event.type === "AttemptOutcomeUnknown") mayHaveLeft.add(event.data.attempt);
        if (event.type === "AttemptNotSent") expect(mayHaveLeft.has(event.data.attempt)).toBe(false);
      }
    });
  });

  it("UNKNOWN never becomes FAILURE, or anything else, without evidence: only the gateway ends it (criterion 21)", () => {
    holdsAtEveryStep(({ before, after, command, events }) => {
      if (before.name !== "OUTCOME_UNKNOWN" && before.name !== "NEEDS_REVIEW") return;
      // In review nothing has ended: the outcome is still unknown.
      if (events.length === 0 || after.name === "OUTCOME_UNKNOWN" || after.name === "NEEDS_REVIEW") return;
      const outcome = "outcome" in command ? command.outcome._tag : command.type;
      const evidence = {
        FAILURE: "Declined",
        PROCESSING: "Declined",
        SUCCESS: "Approved",
        REQUIRES_ACTION: "ActionRequired",
      }[after.name as string];
      expect(outcome).toBe(evidence);
    });
  });

  it("people are asked to look only where no look-up is left, nothing may be sent again, or the amount is wrong", () => {
    holdsAtEveryStep(({ before, after, command }) => {
      if (after.name !== "NEEDS_REVIEW" || before.name === "NEEDS_REVIEW" || !("attempt" in before)) return;
      const { policy } = command.given;
      const outcome = "outcome" in command ? command.outcome._tag : command.type;
      const [asked] = intents(before);
      const isAtEnd = asked?.round.step === policy.lookUpDelaysMillis.length - 1 && asked.round.action === "lookUp";
      const hasNoRound = before.attempt.lastRound >= policy.maxRounds;
      expect(after.mismatch ? outcome === "Approved" : outcome === "NotFound" || isAtEnd || hasNoRound).toBe(true);
      expect(owed(after).length).toBe(after.mismatch || hasNoRound ? 0 : 1);
    });
  });

  it("once people look at it nothing is sent any more, to no gateway", () => {
    holds((life) => {
      const events = eventsOf(life);
      const review = events.findIndex(({ type }) => type === "ReviewRequested");
      if (review < 0) return;
      const later = events.slice(review);
      expect(ofType(later, "AttemptStarted")).toEqual([]);
      expect(ofType(later, "RoundStarted").filter(({ data }) => data.action === "resend")).toEqual([]);
    });
  });

  it("a failure always stands on a definitive no or on tries that certainly were not sent", () => {
    holdsAtEveryStep(({ before, after, command }) => {
      if (after.name !== "FAILURE" || before.name === "FAILURE") return;
      const outcome = "outcome" in command ? command.outcome._tag : command.type;
      expect(before.name === "PROCESSING" ? ["Declined", "NotSent"] : ["Declined"]).toContain(outcome);
    });
  });

  it("at most one attempt is open, and the next begins only where the last one's end allows it", () => {
    holdsAtEveryStep(({ before, after }) => {
      if (after.name === "ABSENT" || before.name === "ABSENT") return;
      const attempts = "attempt" in after ? [...after.ended, after.attempt] : after.ended;
      expect(attempts.filter(({ status }) => status !== "FAILED").length).toBeLessThanOrEqual(1);
      expect(attempts.map(({ number }) => number)).toEqual(attempts.map((_, index) => index + 1));
      for (const ended of attempts.slice(0, -1)) expect(ended).toMatchObject({ status: "FAILED", mayMoveOn: true });
      expect(new Set(attempts.map(({ gateway }) => gateway)).size).toBe(attempts.length);
    });
  });

  it("an attempt is announced for sending at most one time and maxRetries more (criterion 20)", () => {
    holds((life) => {
      const { policy } = life;
      const tries = new Map<number, number>();
      for (const event of eventsOf(life)) {
        const isTry =
          event.type === "AttemptStarted" || (event.type === "RoundStarted" && event.data.action === "resend");
        if (isTry) tries.set(event.data.attempt, (tries.get(event.data.attempt) ?? 0) + 1);
      }
      expect(Math.max(0, ...tries.values())).toBeLessThanOrEqual(1 + policy.maxRetries);
      expect(tries.size).toBeLessThanOrEqual(policy.maxAttempts);
    });
  });

  it("nothing is sent again after the time for it is over (law 4)", () => {
    holdsAtEveryStep(({ command, before, after }) => {
      const [intent] = intents(after);
      if (intent?.round.action !== "resend" || owed(before)[0] === owed(after)[0]) return;
      const { policy, at } = command.given;
      expect(at).toBeLessThan(Date.parse(intent.attempt.startedAt) + policy.resendForMillis);
    });
  });

  it("a success is exactly what was asked for", () => {
    holdsAtEveryStep(({ after }) => {
      if (after.name !== "SUCCESS") return;
      expect(after.captured).toBe(after.order.create.amount.value);
      expect(after.attempt.request.amount).toEqual(after.order.create.amount);
    });
  });

  it("a payment that rests and owes nothing stays as it is, whatever comes", () => {
    holdsAtEveryStep(({ before, after }) => {
      if (isAtRest(before) && intents(before).length === 0) expect(after).toBe(before);
    });
  });

  it("a refusal changes nothing, and only a create is refused", () => {
    holdsAtEveryStep(({ command, decision, before, after }) => {
      if (Result.isSuccess(decision)) return;
      expect(command.type).toBe("Create");
      expect(after).toBe(before);
    });
  });

  it("a payment can always be shown", () => {
    holdsAtEveryStep(({ after }) => {
      if (after.name === "ABSENT") return;
      const view = viewPayment(payment, after);
      expect(view).toMatchObject({ state: after.name, version: after.version, amount: after.order.create.amount });
      expect(view.captured).toBe(after.name === "SUCCESS" ? view.amount.value : 0);
    });
  });
});
