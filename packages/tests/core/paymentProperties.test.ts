import { canonicalHash } from "@aegispay/core/identity/canonical";
import { chainHash, Commit, decodeCommit } from "@aegispay/core/payment/Commit";
import { decide } from "@aegispay/core/payment/decide";
import { evolveAll } from "@aegispay/core/payment/evolve";
import { rememberedOf } from "@aegispay/core/payment/identifiedCommands";
import { errandsOf, expirySet, intents } from "@aegispay/core/payment/intents";
import { clientEventsMax, eventsMax, refusalsMax } from "@aegispay/core/payment/limits";
import {
  absent,
  attemptOf,
  behindReview,
  hasEnded,
  isAtRest,
  isHeld,
  stateNames,
  type PaymentState,
} from "@aegispay/core/payment/PaymentState";
import { PaymentView, viewPayment } from "@aegispay/core/payment/PaymentView";
import { Option, Result, Schema } from "effect";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { payment } from "./paymentExamples.ts";
import { eventsOf, holds, holdsAtEveryStep, lives, ofType } from "./paymentHistories.ts";

describe("whatever comes in whatever order", () => {
  it("the generated lives reach every state and every event that is still written", () => {
    const sample = fc.sample(lives, { numRuns: 8_000, seed: 7 });
    const steps = sample.flatMap((life) => life.steps);
    const reached = new Set(steps.map(({ after }) => after?.name));
    // INITIATED and AUTHENTICATED are passed through within a commit.
    const passedThrough = new Set(["INITIATED", "AUTHENTICATED"]);
    expect(stateNames.filter((name) => !reached.has(name) && !passedThrough.has(name))).toEqual([]);
    const types = new Set(sample.flatMap((life) => eventsOf(life).map(({ type }) => type)));
    expect(types.size).toBe(41);
    const outOfReview = new Set(
      steps.filter(({ before }) => before.name === "NEEDS_REVIEW").map(({ after }) => after?.name),
    );
    for (const name of ["SUCCESS", "AUTHORIZED", "FAILURE", "VOIDED", "EXPIRED", "REQUIRES_ACTION"]) {
      expect(outOfReview).toContain(name);
    }
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

  it("a payment that does not rest owes something, and one that owes nothing stays until somebody comes", () => {
    holdsAtEveryStep(({ before, after, command }) => {
      if (after.name !== "ABSENT" && !isAtRest(after)) expect(intents(after).length).toBeGreaterThan(0);
      // States that are passed through within a commit are never where a commit ends.
      expect(["INITIATED", "AUTHENTICATED"]).not.toContain(after.name);
      if (command.type === "Resume" && intents(before).length === 0) expect(after).toBe(before);
    });
  });

  it("terminal states are final but for review", () => {
    holdsAtEveryStep(({ before, after }) => {
      if (before.name !== "SUCCESS" && !hasEnded(before)) return;
      expect([before.name, "NEEDS_REVIEW"]).toContain(after.name);
      if (after.name === "NEEDS_REVIEW") expect(behindReview(after).name).toBe(before.name);
    });
  });

  it("a review of an operation hides the payment's state and does not change it", () => {
    holdsAtEveryStep(({ after }) => {
      const behind = behindReview(after);
      if (behind === after) return;
      const inQuestion = errandsOf(after).filter(({ review }) => review !== undefined);
      expect(inQuestion.map(({ review }) => review)).toContain((after as { readonly reason: string }).reason);
    });
  });

  it("a command is remembered for ever: repeated it changes nothing, with other parameters it is in conflict", () => {
    holdsAtEveryStep(({ command, before, after, decision }) => {
      if (!("commandId" in command) || command.type === "Create" || before.name === "ABSENT") return;
      const known = rememberedOf(before, command.commandId);
      if (known === undefined) return;
      expect(after).toBe(before);
      const isSame = known.hash === command.hash && known.verb === command.type.toLowerCase();
      if (isSame) expect(decision).toEqual(Result.succeed([]));
      else expect(decision).toMatchObject(Result.fail({ code: "IdempotencyConflict" }));
    });
  });

  it("what a payment remembers it never forgets nor changes", () => {
    holdsAtEveryStep(({ before, after }) => {
      if (before.name === "ABSENT" || after.name === "ABSENT") return;
      expect(after.commands.slice(0, before.commands.length)).toEqual(before.commands);
    });
  });

  it("a refusal by state is one event and changes nothing else", () => {
    holdsAtEveryStep(({ before, after, events }) => {
      if (ofType(events, "CommandRefused").length === 0 || before.name === "ABSENT" || after.name === "ABSENT") return;
      expect(events).toHaveLength(1);
      const { version: _v, updatedAt: _u, commands: _c, ...then } = behindReview(after) as typeof before;
      const { version: _v2, updatedAt: _u2, commands: _c2, ...now } = behindReview(before) as typeof before;
      expect(then).toEqual(now);
    });
  });

  it("a rejection changes nothing, and says what is not remembered", () => {
    holdsAtEveryStep(({ decision, before, after }) => {
      if (Result.isSuccess(decision)) return;
      expect(after).toBe(before);
      const codes = ["IdempotencyConflict", "PaymentNotFound", "Overloaded", "NoGatewayAvailable", "InvalidCommand"];
      expect(codes).toContain(decision.failure.code);
    });
  });

  it("only a client's or an operator's word makes an event that carries a command", () => {
    holdsAtEveryStep(({ command, events }) => {
      const carried = events.filter(({ data }) => "command" in data && data.command !== undefined);
      expect(carried.length).toBe("commandId" in command && command.type !== "Create" && events.length > 0 ? 1 : 0);
    });
  });

  it("a log is bounded: commands by 1,000 events, refusals by 100, everything by what is kept for outcomes", () => {
    holds((life) => {
      const events = eventsOf(life);
      expect(events.length).toBeLessThanOrEqual(eventsMax);
      const asked = events.filter(({ data }) => "command" in data && data.command !== undefined);
      for (const { version } of asked) expect(version).toBeLessThanOrEqual(clientEventsMax);
      expect(ofType(events, "CommandRefused").length).toBeLessThanOrEqual(refusalsMax);
    });
  });

  it("at most one attempt is open, and the next begins only where the last one's end allows it", () => {
    holdsAtEveryStep(({ after }) => {
      if (after.name === "ABSENT") return;
      const own = attemptOf(behindReview(after));
      const attempts = own === undefined ? after.ended : [...after.ended, own];
      expect(attempts.filter(({ status }) => status === "PENDING" || status === "UNKNOWN").length).toBeLessThan(2);
      expect(attempts.map(({ number }) => number)).toEqual(attempts.map((_, index) => index + 1));
      for (const ended of attempts.slice(0, -1)) expect(ended.mayMoveOn).toBe(true);
      expect(new Set(attempts.map(({ gateway }) => gateway)).size).toBe(attempts.length);
    });
  });

  it("no attempt starts once people have looked, the customer was asked, or the time is over", () => {
    holdsAtEveryStep(({ before, events, command }) => {
      const [next] = ofType(events, "AttemptStarted");
      if (next === undefined || before.name === "ABSENT") return;
      expect(["PROCESSING", "OUTCOME_UNKNOWN"]).toContain(before.name);
      const { policy, at } = command.given;
      expect(at).toBeLessThan(Date.parse(before.order.createdAt) + policy.resendForMillis);
      expect(next.data.attempt).toBeLessThanOrEqual(policy.maxAttempts);
    });
  });

  it("nothing expires, is voided or cancelled while the outcome of anything is still to come", () => {
    holdsAtEveryStep(({ before, events }) => {
      const ending = ofType(events, "VoidRequested").filter(({ data }) => data.purpose !== "compensation");
      if (ending.length === 0 || before.name === "ABSENT") return;
      expect(before.operations.filter(({ status }) => status === "PENDING" || status === "UNKNOWN")).toEqual([]);
      const own = attemptOf(before);
      expect(own?.status).toBe(before.name === "REQUIRES_ACTION" ? "PENDING" : "SUCCEEDED");
    });
  });

  it("a payment that waits for customer or merchant has an end to that", () => {
    holdsAtEveryStep(({ after }) => {
      const waits = ["REQUIRES_ACTION", "AUTHORIZED", "PARTIALLY_CAPTURED"].includes(behindReview(after).name);
      expect(expirySet(after) !== undefined).toBe(waits);
    });
  });

  it("a success that no person declared is exactly what was asked for", () => {
    holds((life) => {
      if (ofType(eventsOf(life), "ReviewResolved").length > 0) return;
      for (const { after } of life.steps) {
        const held = after === undefined ? absent : behindReview(after);
        if (!isHeld(held)) continue;
        const { amount } = held.order.create;
        expect(held.authorized).toBe(amount.value);
        expect(held.attempt.request.amount).toEqual(amount);
      }
    });
  });

  it("a payment can always be shown", () => {
    const isView = Schema.is(PaymentView);
    holdsAtEveryStep(({ after }) => {
      if (after.name === "ABSENT") return;
      const view = viewPayment(payment, after);
      expect(isView(view)).toBe(true);
      expect(view).toMatchObject({ state: after.name, version: after.version, amount: after.order.create.amount });
      expect(view.captures.length + view.voids.length + view.refunds.length).toBe(after.operations.length);
    });
  });
});
