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

  it("a payment rests only where nothing is owed, and owes exactly one round everywhere else", () => {
    holdsAtEveryStep(({ after }) => {
      expect(intents(after).length).toBe(isAtRest(after) || after.name === "ABSENT" ? 0 : 1);
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

  it("a new owner owes a look-up round of its own before anything else (law 1)", () => {
    holdsAtEveryStep(({ command, before, events, after }) => {
      if (command.type !== "Resume" || intents(before).length === 0) return;
      expect(intents(after).map(({ round }) => round.action)).toEqual(["lookUp"]);
      expect(announced(events)).toEqual(owed(after));
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

  it("an unknown outcome ends only by the gateway's own answer, or in review (criterion 21)", () => {
    holdsAtEveryStep(({ before, after, command, events }) => {
      if (before.name !== "OUTCOME_UNKNOWN" || events.length === 0) return;
      if (after.name === "OUTCOME_UNKNOWN") return;
      const outcome = "outcome" in command ? command.outcome._tag : command.type;
      const evidence = {
        FAILURE: ["Declined"],
        PROCESSING: ["Declined"],
        SUCCESS: ["Approved"],
        REQUIRES_ACTION: ["ActionRequired"],
        NEEDS_REVIEW: ["NotFound", "Approved"],
      }[after.name as string];
      expect(evidence).toContain(outcome);
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

  it("a payment at rest stays as it is, whatever comes", () => {
    holdsAtEveryStep(({ before, after }) => {
      if (isAtRest(before)) expect(after).toBe(before);
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
