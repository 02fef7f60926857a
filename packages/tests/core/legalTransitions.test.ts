import { evolve, evolveAll } from "@aegispay/core/payment/evolve";
import { isoTime } from "@aegispay/core/payment/Given";
import { intents } from "@aegispay/core/payment/intents";
import { placeEvents, type NewEvent, type PaymentEvent } from "@aegispay/core/payment/PaymentEvent";
import { absent, isAtRest } from "@aegispay/core/payment/PaymentState";
import { describe, expect, it } from "vitest";
import {
  actionWasRequired,
  approved,
  attemptDeclined,
  attemptNotSent,
  attemptStarted,
  authenticated,
  beginning,
  declinedForGood,
  failed,
  initiated,
  inReview,
  lookingUp,
  mayMoveOn,
  mismatch,
  notFound,
  outcomeUnknown,
  resending,
  retrying,
  reviewRequested,
  roundStarted,
  started,
  succeeded,
  verified,
} from "./paymentExamples.ts";
import { stateAfter } from "./specification.ts";

const notSentAtLast = [...started, attemptNotSent(0, true)];
const declined = [...started, attemptDeclined(declinedForGood)];

const whileVerifying: ReadonlyArray<PaymentEvent["type"]> = [
  "RoundStarted",
  "OutcomeVerified",
  "IntegrityMismatchDetected.v2",
  "ReviewRequested.v2",
];

/** What rests may be asked about again: a notification says that the gateway knows more. */
const lookedUpAgain: ReadonlyArray<PaymentEvent["type"]> = ["RoundStarted", "IntegrityMismatchDetected.v2"];

/** The states of a charge, and what may happen in it. What is not listed must be refused as a broken
 * history. Captures, voids and refunds: fieldTable.test.ts. */
const table: ReadonlyArray<readonly [string, ReadonlyArray<NewEvent>, ReadonlyArray<PaymentEvent["type"]>]> = [
  ["no payment", [], ["PaymentInitiated"]],
  ["INITIATED", [initiated()], ["PaymentAuthenticated"]],
  ["AUTHENTICATED", [initiated(), authenticated], ["AttemptStarted"]],
  [
    "PROCESSING",
    started,
    [
      "AttemptNotSent",
      "RoundStarted",
      "AttemptOutcomeUnknown",
      "PaymentSucceeded",
      "AttemptDeclined",
      "ActionRequired",
      "IntegrityMismatchDetected.v2",
      "ReviewRequested.v2",
    ],
  ],
  ["PROCESSING after an attempt that was not sent", notSentAtLast, ["AttemptStarted", "PaymentFailed"]],
  [
    "PROCESSING after a decline that lets it move on",
    [...started, attemptDeclined(mayMoveOn)],
    ["AttemptStarted", "PaymentFailed"],
  ],
  ["PROCESSING after a decline for good", declined, ["PaymentFailed"]],
  ["OUTCOME_UNKNOWN", lookingUp, whileVerifying],
  ["REQUIRES_ACTION", [...started, actionWasRequired], [...lookedUpAgain, "ReviewRequested.v2"]],
  ["SUCCESS", [...started, succeeded()], lookedUpAgain],
  ["SUCCESS after a look-up", [...lookingUp, verified(approved())], lookedUpAgain],
  ["FAILURE", [...declined, failed("card_declined", "no")], ["RoundStarted"]],
  ["NEEDS_REVIEW with a look-up", inReview, whileVerifying],
  ["NEEDS_REVIEW without a round", [...started, reviewRequested("why")], ["RoundStarted", "ReviewRequested.v2"]],
  ["NEEDS_REVIEW after a mismatch", [...started, mismatch(approved())], []],
  ["NEEDS_REVIEW after a mismatch that was found in review", [...inReview, mismatch(approved())], []],
  ["PROCESSING after a decline in review", [...inReview, verified(mayMoveOn, 3)], ["PaymentFailed"]],
];

/** One event of each type, addressed to the attempt and round that would come next after the history. */
const everyEvent = (history: ReadonlyArray<NewEvent>): ReadonlyArray<NewEvent> => {
  const nextAttempt = history.filter(({ type }) => type === "AttemptStarted").length + 1;
  const nextRound = history.filter(({ type }) => type === "RoundStarted").length + 1;
  return [
    initiated(),
    authenticated,
    attemptStarted(nextAttempt),
    attemptNotSent(0),
    roundStarted(nextRound, "lookUp"),
    outcomeUnknown(),
    verified(notFound),
    succeeded(),
    attemptDeclined(mayMoveOn),
    actionWasRequired,
    failed("card_declined", "no"),
    mismatch(approved()),
    reviewRequested("why"),
  ];
};

const follow = (history: ReadonlyArray<NewEvent>, next: NewEvent) => {
  const state = stateAfter(history);
  return evolve(state, placeEvents([next], state.version, isoTime(beginning))[0]!);
};

describe("a payment's history", () => {
  it.each(table)("goes on from %s only as the table of the field says", (_, history, legal) => {
    const accepted = everyEvent(history)
      .filter((event) => follow(history, event) !== undefined)
      .map(({ type }) => type);
    expect(accepted).toEqual(
      everyEvent(history)
        .map(({ type }) => type)
        .filter((type) => legal.includes(type)),
    );
  });

  it.each(table.filter(([name]) => /^(SUCCESS|FAILURE|NEEDS_REVIEW after)/.test(name)))(
    "owes nothing once it has come to rest in %s",
    (_, history) => {
      const state = stateAfter(history);
      expect(isAtRest(state)).toBe(true);
      expect(intents(state)).toEqual([]);
    },
  );

  it.each([0, 1, 3, 5, 1000])("has no gap and no repeat: version %i does not follow version 3", (version) => {
    const state = stateAfter(started);
    const [event] = placeEvents([outcomeUnknown()], version - 1, isoTime(beginning));
    expect(evolve(state, event!)).toBeUndefined();
  });

  it("names the attempt that is open, no other", () => {
    const misaddressed = [
      attemptNotSent(0, false, 2),
      roundStarted(1, "lookUp", 0, 0, 2),
      outcomeUnknown(0, "why", 2),
      succeeded(2),
      attemptDeclined(mayMoveOn, 2),
    ];
    expect(misaddressed.map((event) => follow(started, event))).toEqual(misaddressed.map(() => undefined));
    expect(follow(lookingUp, verified(approved(), 1, 2))).toBeUndefined();
  });

  it("counts attempts and rounds without gaps", () => {
    expect(follow([...started, attemptDeclined(mayMoveOn)], attemptStarted(3))).toBeUndefined();
    expect(follow([...started, attemptDeclined(mayMoveOn)], attemptStarted(1))).toBeUndefined();
    expect(follow([initiated(), authenticated], attemptStarted(2))).toBeUndefined();
    expect(follow(lookingUp, roundStarted(3, "lookUp"))).toBeUndefined();
    expect(follow(lookingUp, roundStarted(1, "lookUp"))).toBeUndefined();
  });

  it("sends nothing again while people look at it, and starts no other attempt (criterion 21)", () => {
    expect(follow(inReview, roundStarted(4, "resend"))).toBeUndefined();
    expect(follow([...inReview, verified(mayMoveOn, 3)], attemptStarted(2))).toBeUndefined();
  });

  it("names each round's timer by the event that opened it, so that one name has one due time for ever", () => {
    const versions = [started, retrying, lookingUp, resending, inReview].map((history) => [
      history.length,
      intents(stateAfter(history))[0]?.round.version,
    ]);
    for (const [events, version] of versions) expect(version).toBe(events);
  });

  it("is not read beyond its first illegal step", () => {
    const events = placeEvents([...started, initiated(), succeeded()], 0, isoTime(beginning));
    expect(evolveAll(absent, events)).toBeUndefined();
    expect(evolveAll(absent, events.slice(0, 3))).toBeDefined();
  });
});
