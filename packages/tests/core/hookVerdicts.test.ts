/** What hooks have said is what a payment begins with, or why it never begins. */
import { evolve } from "@aegispay/core/payment/evolve";
import { isoTime } from "@aegispay/core/payment/Given";
import { placeEvents, type NewEvent } from "@aegispay/core/payment/PaymentEvent";
import type { Verdicts } from "@aegispay/core/payment/verdicts";
import { describe, expect, it } from "vitest";
import {
  attemptDeclined,
  attemptStarted,
  authenticated,
  beginning,
  create,
  declinedForGood,
  east,
  failed,
  givenAt,
  initiated,
  mayMoveOn,
  north,
  south,
  tried,
} from "./paymentExamples.ts";
import { given, stateAfter } from "./specification.ts";

const allowed: NewEvent = {
  type: "HookJudged",
  data: { hook: "fraudCheck", verdict: "allowed", score: 0.1, millis: 3 },
};
const refused: NewEvent = { type: "HookJudged", data: { hook: "fraudCheck", verdict: "refused", reason: "stolen" } };
const enriched: NewEvent = { type: "PaymentEnriched", data: { labels: { tier: "gold" } } };
const ordered: NewEvent = {
  type: "HookJudged",
  data: { hook: "route", verdict: "ordered", order: ["nowhere", "east"] },
};
const failure = { code: "fraud_refused", message: "the fraud check refused the payment" };
const wasRefused = [initiated(), refused, failed(failure.code, failure.message)];

const createWith = (verdicts: Verdicts, ...rest: Parameters<typeof create>) => ({ ...create(...rest), verdicts });
const events = (...of: ReadonlyArray<NewEvent>) => of as Verdicts["events"];

describe("a create that hooks have judged", () => {
  it("begins with what they said, in the same commit, and goes on as any other", () => {
    const { state } = given()
      .when(createWith({ events: events(enriched, allowed) }))
      .then(initiated(), enriched, allowed, authenticated, attemptStarted())
      .is("PROCESSING")
      .owes("1/0 start");
    expect(state).toMatchObject({ order: { labels: { tier: "gold" } } });
  });

  it("that nobody was asked about is what it always was, to the letter", () => {
    given()
      .when(createWith({ events: [] }))
      .then(initiated(), authenticated, attemptStarted());
  });

  it("and refused is a FAILURE that owes nothing; no gateway is ever called, not even where none is configured", () => {
    for (const candidates of [[north], []]) {
      given()
        .when(createWith({ events: events(refused), refusal: failure }, {}, givenAt(0, { candidates })))
        .then(...wasRefused)
        .is("FAILURE")
        .owes("nothing");
    }
  });

  it("gets the same end when it is repeated, whatever hooks would say now", () => {
    given(...wasRefused)
      .when(create())
      .thenNothing();
    given(...wasRefused)
      .when(createWith({ events: events(allowed) }, {}, givenAt(86_400_000)))
      .thenNothing();
    given(...wasRefused)
      .when(create({ description: "another" }))
      .thenRejected("IdempotencyConflict");
  });

  it("goes first where the route hook wants it to, then where the hook's order and the configuration's lead", () => {
    const verdicts = { events: events(ordered), route: ["nowhere", "east"] };
    const begun = [initiated(), ordered, authenticated, attemptStarted(1, east, "route hook")];
    given()
      .when(createWith(verdicts))
      .then(...begun);
    given(...begun)
      .when(tried(mayMoveOn))
      .then(attemptDeclined(mayMoveOn), attemptStarted(2, north, `after ${mayMoveOn.code}`));
  });

  it("goes where it would anyway if the route hook names nothing that is there", () => {
    given()
      .when(createWith({ events: [], route: ["nowhere"] }, { gateway: "south" }))
      .then(initiated({ gateway: "south" }), authenticated, attemptStarted(1, south, "preferred"));
  });
});

describe("the history of a payment", () => {
  const follows = (history: ReadonlyArray<NewEvent>, next: NewEvent) => {
    const state = stateAfter(history);
    return evolve(state, placeEvents([next], state.version, isoTime(beginning))[0]!) !== undefined;
  };

  it("has verdicts only before anything has begun", () => {
    expect(follows([initiated()], allowed)).toBe(true);
    for (const verdict of [allowed, refused, enriched]) {
      expect(follows([initiated(), authenticated], verdict)).toBe(false);
      expect(follows([initiated(), authenticated, attemptStarted()], verdict)).toBe(false);
      expect(follows(wasRefused, verdict)).toBe(false);
    }
  });

  it("has nothing but the failure after a refusal, and no failure before one", () => {
    const refusedNow = [initiated(), refused];
    for (const next of [authenticated, allowed, enriched, refused, attemptStarted()]) {
      expect(follows(refusedNow, next)).toBe(false);
    }
    expect(follows(refusedNow, failed("fraud_refused", "no"))).toBe(true);
    expect(follows([initiated()], failed("fraud_refused", "no"))).toBe(false);
    expect(follows([initiated(), allowed], failed("fraud_refused", "no"))).toBe(false);
  });

  it("of a decline is as before", () => {
    given(initiated(), authenticated, attemptStarted())
      .when(tried(declinedForGood))
      .then(attemptDeclined(declinedForGood), failed("card_declined", "no", "insufficient_funds"))
      .is("FAILURE");
  });
});
