import { decide } from "@aegispay/core/payment/decide";
import { evolveAll } from "@aegispay/core/payment/evolve";
import { defaultPolicy, isoTime, type Given } from "@aegispay/core/payment/Given";
import { intents } from "@aegispay/core/payment/intents";
import type { PaymentCommand } from "@aegispay/core/payment/PaymentCommand";
import { placeEvents } from "@aegispay/core/payment/PaymentEvent";
import { absent, type PaymentState } from "@aegispay/core/payment/PaymentState";
import { Result } from "effect";
import { describe, expect, it } from "vitest";
import {
  beginning,
  create,
  givenAt,
  lastStep,
  lookedUp,
  lookingUp,
  notFound,
  notSent,
  outcomeUnknown,
  resending,
  resume,
  retrying,
  roundStarted,
  started,
  tried,
  unknown,
  verified,
} from "./paymentExamples.ts";
import { given } from "./specification.ts";

const { lookUpDelaysMillis, reviewEveryMillis } = defaultPolicy;
const seconds = 1_000;
const minutes = 60 * seconds;
const hours = 60 * minutes;

const after = (state: PaymentState, command: PaymentCommand): PaymentState => {
  const events = Result.getOrThrow(decide(state, command));
  const reached = evolveAll(state, placeEvents(events, state.version, isoTime(command.given.at)));
  if (reached === undefined) throw new Error("what was decided is not legal");
  return reached;
};

const openRound = (state: PaymentState) => {
  const [intent] = intents(state);
  if (intent?.kind !== "charge") throw new Error(`nothing is owed in ${state.name}`);
  return intent.round;
};

/** The first try is without an answer. */
const unanswered = (changes: Partial<Given> = {}): PaymentState =>
  after(after(absent, create({}, givenAt(0, changes))), tried(unknown, 0, givenAt(0, changes)));

/** The look-ups of a payment, each made when it is due and never answered, as "STATE action step wait". */
const walk = (count: number, changes: Partial<Given> = {}, crashesBeforeEach = 0): ReadonlyArray<string> => {
  let state = unanswered(changes);
  let at = beginning;
  const seen: Array<string> = [];
  for (let index = 0; index < count; index += 1) {
    const { action, step, due } = openRound(state);
    const wait = Date.parse(due) - at;
    seen.push(`${state.name} ${action} ${step} ${wait / seconds}`);
    at += wait;
    const now = givenAt(at - beginning, changes);
    for (let crash = 0; crash < crashesBeforeEach; crash += 1) state = after(state, resume(now));
    state = after(state, lookedUp(unknown, openRound(state).round, now));
  }
  return seen;
};

const wholeWalk = [
  "OUTCOME_UNKNOWN lookUp 0 0",
  "OUTCOME_UNKNOWN lookUp 1 5",
  "OUTCOME_UNKNOWN lookUp 2 15",
  "OUTCOME_UNKNOWN lookUp 3 60",
  "OUTCOME_UNKNOWN lookUp 4 300",
  "OUTCOME_UNKNOWN lookUp 5 900",
  "OUTCOME_UNKNOWN lookUp 6 3600",
  "OUTCOME_UNKNOWN lookUp 7 21600",
  "OUTCOME_UNKNOWN lookUp 8 86400",
  "NEEDS_REVIEW lookUp 8 86400",
  "NEEDS_REVIEW lookUp 8 86400",
  "NEEDS_REVIEW lookUp 8 86400",
];

describe("the schedule of look-ups", () => {
  it("is at once and then the field's", () => {
    const field = [5 * seconds, 15 * seconds, minutes, 5 * minutes, 15 * minutes, hours, 6 * hours, 24 * hours];
    expect(lookUpDelaysMillis).toEqual([0, ...field]);
    expect(reviewEveryMillis).toBe(24 * hours);
  });

  it("is walked step by step to its end, and goes on daily while people look at the payment (criterion 21)", () => {
    expect(walk(wholeWalk.length)).toEqual(wholeWalk);
  });

  it.each([1, 3])("is not moved on by crashes, %i before each look-up", (crashes) => {
    expect(walk(wholeWalk.length, {}, crashes)).toEqual(wholeWalk);
  });

  it("is the policy's, however short", () => {
    const policy = { ...defaultPolicy, lookUpDelaysMillis: [2_000], reviewEveryMillis: 3_000 };
    expect(walk(3, { policy })).toEqual([
      "OUTCOME_UNKNOWN lookUp 0 2",
      "NEEDS_REVIEW lookUp 0 3",
      "NEEDS_REVIEW lookUp 0 3",
    ]);
  });

  it("waits at most what the policy says and at least half of it, in review too", () => {
    const waits = (jitter: number) => walk(11, { jitter }).map((round) => Number(round.split(" ").at(-1)));
    const whole = waits(0);
    expect(waits(1)).toEqual(whole.map((wait) => wait / 2));
  });

  it("begins with its first step however many tries were surely not sent before", () => {
    given(...retrying)
      .when(tried(unknown, 1))
      .then(outcomeUnknown(1), roundStarted(2, "lookUp"));
  });

  it("begins with its first wait for a new owner too", () => {
    const policy = { ...defaultPolicy, lookUpDelaysMillis: [2_000, 4_000] };
    given(...started)
      .when(resume(givenAt(5_000, { policy })))
      .then(outcomeUnknown(0, "the owner that was trying has gone"), roundStarted(1, "lookUp", 7_000));
  });

  it("stays where it is when the request is sent again, and moves on when nobody knows what came of that", () => {
    const atThird = [...lookingUp, roundStarted(2, "lookUp", 0, 3)];
    given(...atThird)
      .when(lookedUp(notFound, 2))
      .then(verified(notFound, 2), roundStarted(3, "resend", 0, 3));
    for (const outcome of [unknown, notSent]) {
      given(...atThird, verified(notFound, 2), roundStarted(3, "resend", 0, 3))
        .when(tried(outcome, 3))
        .then(roundStarted(4, "lookUp", lookUpDelaysMillis[4], 4))
        .is("OUTCOME_UNKNOWN");
    }
  });

  it("stays where it is when an owner goes away while it sends again", () => {
    given(...resending, roundStarted(3, "resend", 0, 2))
      .when(resume(givenAt(5_000)))
      .then(roundStarted(4, "lookUp", 5_000, 2));
  });

  it("looks a resend up at its last step before people must", () => {
    given(...lookingUp, roundStarted(2, "resend", 0, lastStep))
      .when(tried(unknown, 2))
      .then(roundStarted(3, "lookUp", lookUpDelaysMillis[lastStep], lastStep))
      .is("OUTCOME_UNKNOWN");
  });
});
