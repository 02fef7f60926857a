/** The laws of tries and rounds, over generated lives: they hold for a charge, a capture, a void and a refund alike. */
import { isOperation, type Errand, type Operation } from "@aegispay/core/payment/Errand";
import { errandsOf, intents, type GatewayIntent } from "@aegispay/core/payment/intents";
import { roundsUntilVersion } from "@aegispay/core/payment/limits";
import type { PaymentEvent } from "@aegispay/core/payment/PaymentEvent";
import { behindReview, type PaymentState } from "@aegispay/core/payment/PaymentState";
import { describe, expect, it } from "vitest";
import { eventsOf, holds, holdsAtEveryStep, ofType } from "./paymentHistories.ts";

const nameOf = (errand: Errand): string => `${isOperation(errand) ? "operation" : "attempt"} ${errand.number}`;

const owedBy = (state: PaymentState): ReadonlyArray<GatewayIntent> =>
  intents(state).filter((intent) => intent.kind !== "expiry");

const errandOf = (intent: GatewayIntent): Errand => (intent.kind === "charge" ? intent.attempt : intent.operation);

/** The errand and the number of the round that an event opens. */
const opened = (event: PaymentEvent): string | undefined => {
  switch (event.type) {
    case "AttemptStarted":
      return `attempt ${event.data.attempt}/0`;
    case "RoundStarted":
      return `attempt ${event.data.attempt}/${event.data.round}`;
    case "CaptureRequested":
    case "VoidRequested":
    case "RefundRequested":
      return `operation ${event.data.operation}/0`;
    case "OperationRoundStarted":
      return `operation ${event.data.operation}/${event.data.round}`;
    default:
      return undefined;
  }
};

const roundName = (intent: GatewayIntent): string => `${nameOf(errandOf(intent))}/${intent.round.round}`;

/** The same errand before and after a step. */
const before = (state: PaymentState, errand: Errand): Errand | undefined =>
  errandsOf(state).find((other) => nameOf(other) === nameOf(errand));

const isWatched = (state: PaymentState, { status }: Errand): boolean =>
  status === "SUCCEEDED" || status === "FAILED" || behindReview(state).name === "REQUIRES_ACTION";

describe("whatever comes in whatever order", () => {
  it("a round is announced by exactly one event before it is owed, and known by that event's version (law 1)", () => {
    holds(({ steps }) => {
      const versions = new Map<string, number>();
      for (const { events, after } of steps) {
        for (const event of events) {
          const round = opened(event);
          if (round === undefined) continue;
          expect(versions.has(round)).toBe(false);
          versions.set(round, event.version);
        }
        for (const intent of owedBy(after!)) expect(versions.get(roundName(intent))).toBe(intent.round.version);
      }
    });
  });

  it("no two debts of a payment have one version, so that none is taken for another", () => {
    holdsAtEveryStep(({ after }) => {
      const versions = intents(after).map(({ round }) => round.version);
      expect(new Set(versions).size).toBe(versions.length);
    });
  });

  it("a new owner begins every round anew with a look-up of its own, or people look at it (law 1)", () => {
    holdsAtEveryStep(({ command, before: earlier, after }) => {
      if (command.type !== "Resume") return;
      const stale = new Set(owedBy(earlier).map(roundName));
      for (const intent of owedBy(after)) {
        expect(stale.has(roundName(intent))).toBe(false);
        expect(intent.round.action).toBe("lookUp");
      }
    });
  });

  it("a crash does not move the schedule of look-ups on, nor a look-up nearer", () => {
    holdsAtEveryStep(({ command, before: earlier, after }) => {
      if (command.type !== "Resume") return;
      for (const intent of owedBy(after)) {
        const repeated = before(earlier, errandOf(intent));
        expect(intent.round.step).toBe(repeated?.round?.step);
        if (repeated?.status === "PENDING" && repeated.round?.action !== "lookUp") continue;
        expect(Date.parse(intent.round.due)).toBe(Math.max(command.given.at, Date.parse(repeated!.round!.due)));
      }
    });
  });

  it("an errand has at most maxRounds rounds after its first try, and none when the log is nearly full", () => {
    holds((life) => {
      for (const { before: earlier, events } of life.steps) {
        for (const event of events) {
          if (event.type !== "RoundStarted" && event.type !== "OperationRoundStarted") continue;
          expect(event.data.round).toBeLessThanOrEqual(life.policy.maxRounds);
          expect(earlier.version).toBeLessThan(roundsUntilVersion);
        }
      }
    });
  });

  it("a resend is what was announced, letter for letter (law 1)", () => {
    holds(({ steps }) => {
      const announced = new Map<string, unknown>();
      for (const errand of steps.flatMap(({ after }) => errandsOf(after!))) {
        const { idempotencyKey } = errand;
        const sent = isOperation(errand)
          ? { idempotencyKey, charge: errand.gatewayTransactionId, amount: errand.amount }
          : { idempotencyKey, gateway: errand.gateway, account: errand.account, request: errand.request };
        expect(announced.get(nameOf(errand)) ?? sent).toEqual(sent);
        announced.set(nameOf(errand), sent);
      }
    });
  });

  it("each errand has a key of its own (law 3)", () => {
    holds((life) => {
      const keys = eventsOf(life).flatMap(({ data }) => ("idempotencyKey" in data ? [data.idempotencyKey] : []));
      expect(new Set(keys).size).toBe(keys.length);
      for (const key of keys) expect(key.length).toBeLessThanOrEqual(64);
    });
  });

  it("not sent is never believed once a try may have left (law 4)", () => {
    holds((life) => {
      const mayHaveLeft = new Set<string>();
      for (const event of eventsOf(life)) {
        if (event.type === "AttemptOutcomeUnknown") mayHaveLeft.add(`attempt ${event.data.attempt}`);
        if (event.type.endsWith("OutcomeUnknown") && "operation" in event.data) {
          mayHaveLeft.add(`operation ${event.data.operation}`);
        }
        if (event.type === "AttemptNotSent") expect(mayHaveLeft.has(`attempt ${event.data.attempt}`)).toBe(false);
        if (event.type === "OperationNotSent") expect(mayHaveLeft.has(`operation ${event.data.operation}`)).toBe(false);
      }
    });
  });

  it("UNKNOWN never ends without the gateway's own word, or a person's (criterion 21)", () => {
    const evidence = new Set(["Approved", "Declined", "ActionRequired", "Released", "Done", "Refused", "Reversed"]);
    holdsAtEveryStep(({ before: earlier, after, command }) => {
      if (command.type === "Resolve") return;
      for (const errand of errandsOf(after)) {
        const unknown = before(earlier, errand);
        if (unknown?.status !== "UNKNOWN" || errand.status === "UNKNOWN") continue;
        expect(evidence).toContain("outcome" in command ? command.outcome._tag : command.type);
      }
    });
  });

  it("a failure always stands on a definitive no, on tries that certainly were not sent, or on a person's word", () => {
    const no = ["Declined", "Refused", "NotSent", "Released", "Reversed", "Done"];
    holdsAtEveryStep(({ before: earlier, after, command }) => {
      if (command.type === "Resolve") return;
      for (const errand of errandsOf(after)) {
        if (errand.status !== "FAILED" || before(earlier, errand)?.status === "FAILED") continue;
        const outcome = "outcome" in command ? command.outcome._tag : command.type;
        expect(no).toContain(outcome);
        if (outcome === "NotSent") expect(before(earlier, errand)?.status).toBe("PENDING");
      }
    });
  });

  it("an errand is announced for sending at most one time and maxRetries more (criterion 20)", () => {
    holdsAtEveryStep(({ command, before: earlier, after }) => {
      const { candidates, policy } = command.given;
      for (const intent of owedBy(after)) {
        const { tries, lastRound } = errandOf(intent);
        // The knobs may have been turned since: they bind what is announced now.
        if (intent.round.action !== "resend" || before(earlier, errandOf(intent))?.lastRound === lastRound) continue;
        const { gateway } = intent.attempt;
        const retry = candidates.find((candidate) => candidate.gateway === gateway)?.retry ?? policy;
        expect(tries).toBeLessThanOrEqual(1 + retry.maxRetries);
      }
    });
  });

  it("what was held back is no try, proves nothing, and is not brought again before it is asked for (criterion 20)", () => {
    holdsAtEveryStep(({ command, before: earlier, events, after }) => {
      if (!("outcome" in command) || !("heldBack" in command.outcome)) return;
      const { retryAfterMillis = 0 } = command.outcome;
      const { at, policy } = command.given;
      const notBefore = at + Math.min(retryAfterMillis, policy.retryAfterMaxMillis);
      for (const errand of errandsOf(after)) {
        const was = before(earlier, errand);
        if (was === undefined) continue;
        if (was.status === "UNKNOWN") expect(errand.status).toBe("UNKNOWN");
        if (was.status === "PENDING" && was.round?.action !== "lookUp") {
          expect(errand.tries).toBe(errand.status === "FAILED" ? was.tries - 1 : was.tries);
        }
        if (errand.lastRound === was.lastRound || errand.status === "FAILED" || was.round === undefined) continue;
        if (was.round.action === "lookUp" || errand.review !== undefined || after.name === "NEEDS_REVIEW") continue;
        expect(Date.parse(errand.round!.due)).toBeGreaterThanOrEqual(notBefore);
      }
      expect(events.filter(({ type }) => type.endsWith("OutcomeUnknown"))).toEqual([]);
    });
  });

  it("nothing is sent again after the time for it is over, nor near the end of the gateway's memory (law 4)", () => {
    holdsAtEveryStep(({ command, before: earlier, after }) => {
      const known = new Set(owedBy(earlier).map(roundName));
      for (const intent of owedBy(after)) {
        if (intent.round.action !== "resend" || known.has(roundName(intent))) continue;
        const { policy, candidates } = command.given;
        const at = Math.max(command.given.at, Date.parse(intent.round.due));
        const began = Date.parse(errandOf(intent).startedAt);
        expect(at).toBeLessThan(began + policy.resendForMillis);
        const candidate = candidates.find(({ gateway }) => gateway === intent.attempt.gateway);
        if (candidate === undefined) continue;
        expect(at).toBeLessThan(began + candidate.keyRetentionMillis - policy.keyRetentionMarginMillis);
      }
    });
  });

  it("nothing is sent behind the back of whoever looks at it", () => {
    holdsAtEveryStep(({ before: earlier, events }) => {
      for (const event of events) {
        if (event.type === "RoundStarted" && earlier.name === "NEEDS_REVIEW") expect(event.data.action).toBe("lookUp");
        if (event.type !== "OperationRoundStarted" || earlier.name === "ABSENT") continue;
        const operation: Operation | undefined = earlier.operations[event.data.operation - 1];
        if (operation?.review !== undefined) expect(event.data.action).toBe("lookUp");
      }
    });
  });

  it("people are asked to look only where no look-up is left, nothing may be sent again, or something contradicts", () => {
    holdsAtEveryStep(({ before: earlier, command, events }) => {
      for (const { data } of ofType(events, "ReviewRequested.v2")) {
        const { about } = data;
        const errand =
          "operation" in about
            ? errandsOf(earlier).find((one) => isOperation(one) && one.number === about.operation)
            : errandsOf(earlier).find((one) => !isOperation(one) && one.number === about.attempt);
        const outcome = "outcome" in command ? command.outcome._tag : command.type;
        const { policy } = command.given;
        const isAtEnd = errand?.round?.step === policy.lookUpDelaysMillis.length - 1;
        const hasNoRound = errand !== undefined && errand.lastRound >= policy.maxRounds;
        const contradicts = ["Done", "Reversed", "Refused", "NotSent"].includes(outcome);
        expect(outcome === "NotFound" || isAtEnd || hasNoRound || contradicts).toBe(true);
      }
    });
  });

  it("what is settled is only looked up, and only for so long", () => {
    holdsAtEveryStep(({ after }) => {
      for (const intent of owedBy(after)) {
        const errand = errandOf(intent);
        if (isWatched(after, errand) && !(isOperation(errand) && errand.status === "PENDING")) {
          const isOpenVoid = isOperation(errand) && errand.status === "UNKNOWN";
          if (!isOpenVoid) expect(intent.round.action).toBe("lookUp");
        }
      }
    });
  });
});
