import { decide } from "@aegispay/core/payment/decide";
import { evolveAll } from "@aegispay/core/payment/evolve";
import { defaultPolicy, isoTime } from "@aegispay/core/payment/Given";
import { intents } from "@aegispay/core/payment/intents";
import { clientEventsMax, roundsWithNotifications } from "@aegispay/core/payment/limits";
import type { Notify, PaymentCommand } from "@aegispay/core/payment/PaymentCommand";
import { placeEvents, type NewEvent } from "@aegispay/core/payment/PaymentEvent";
import { Result } from "effect";
import { describe, expect, it } from "vitest";
import {
  asks,
  authorized,
  captureRequested,
  captureSucceeded,
  commandRecord,
  done,
  heard,
  lookUpEnded,
  lost,
  operationRound,
  partlyCaptured,
  refund,
  refundRequested,
  refundSucceeded,
  secondWon,
  taken,
  usd,
  voidRequested,
  waiting,
} from "./operationExamples.ts";
import {
  approved,
  beginning,
  declinedForGood,
  givenAt,
  inReview,
  lookedUp,
  lookingUp,
  mismatch,
  notFound,
  payment,
  roundStarted,
  started,
  unknown,
} from "./paymentExamples.ts";
import { given, stateAfter } from "./specification.ts";

const notify = (): Notify => ({ type: "Notify", payment, given: givenAt() });
const held = approved({ status: "authorized" });

describe("a notification", () => {
  it("proves nothing: it makes us look up what is ours and not under way", () => {
    given(...secondWon)
      .when(notify())
      .then(roundStarted(1, "lookUp"), roundStarted(1, "lookUp", 0, 0, 2))
      .is("SUCCESS");
    given(...lost)
      .when(notify())
      .then(roundStarted(1, "lookUp"))
      .is("FAILURE");
    given(...authorized)
      .when(notify())
      .then(roundStarted(1, "lookUp"));
    given(...waiting)
      .when(notify())
      .then(roundStarted(1, "lookUp"))
      .is("REQUIRES_ACTION");
    given(...taken, refundRequested(1, 600), refundSucceeded(1, 600))
      .when(notify())
      .then(roundStarted(1, "lookUp"), operationRound(1, 1, "lookUp"));
  });

  it("brings forward a look-up that waits for its moment, also in review", () => {
    given(...lookingUp, roundStarted(2, "lookUp", 60_000, 3))
      .when(notify())
      .then(roundStarted(3, "lookUp", 0, 2));
    given(...inReview)
      .when(notify())
      .then(roundStarted(4, "lookUp", 0, defaultPolicy.lookUpDelaysMillis.length - 2));
  });

  it("that comes too early for its gateway does not wear out the schedule, however often it comes", () => {
    const last = defaultPolicy.lookUpDelaysMillis.length - 1;
    const waitingForLast = [...lookingUp, roundStarted(2, "lookUp", 86_400_000, last)];
    const { state } = given(...waitingForLast)
      .when(notify())
      .then(roundStarted(3, "lookUp", 0, last - 1));
    expect(state.name).toBe("OUTCOME_UNKNOWN");
    given(...waitingForLast, roundStarted(3, "lookUp", 0, last - 1))
      .when(lookedUp(unknown, 3))
      .then(roundStarted(4, "lookUp", defaultPolicy.lookUpDelaysMillis[last], last))
      .is("OUTCOME_UNKNOWN");
  });

  it("changes nothing about what is under way, nor where people alone have the say, nor where nothing is", () => {
    for (const history of [started, lookingUp, [...started, mismatch(approved({ status: "authorized" }))]]) {
      given(...history)
        .when(notify())
        .thenNothing();
    }
    given(...waiting, voidRequested(1, "cancel"))
      .when(notify())
      .thenNothing();
    given().when(notify()).thenNothing();
  });

  it("of a failure that the gateway confirms ends with that look-up", () => {
    for (const outcome of [declinedForGood, notFound]) {
      given(...lost, roundStarted(1, "lookUp"))
        .when(lookedUp(outcome))
        .then(lookUpEnded({ attempt: 1 }, 1, outcome._tag))
        .is("FAILURE")
        .owes("nothing");
    }
  });

  it("of which nobody answers is followed by the schedule, to its end", () => {
    const { lookUpDelaysMillis } = defaultPolicy;
    given(...lost, roundStarted(1, "lookUp"))
      .when(lookedUp(unknown))
      .then(roundStarted(2, "lookUp", lookUpDelaysMillis[1], 1));
    given(...lost, roundStarted(1, "lookUp", 0, lookUpDelaysMillis.length - 1))
      .when(lookedUp(unknown))
      .then(lookUpEnded({ attempt: 1 }, 1, "Unknown"));
  });

  it("finds out that the gateway has let the rest go by itself, or has taken another amount than was captured", () => {
    const partly = [...partlyCaptured, roundStarted(1, "lookUp")];
    given(...partly)
      .when(lookedUp(approved({ amount: usd(600) })))
      .then({ type: "RemainderReleased", data: {} })
      .is("SUCCESS")
      .owes("nothing");
    const other = approved({ amount: usd(1_000) });
    given(...partly)
      .when(lookedUp(other))
      .then(mismatch(other, 600))
      .is("NEEDS_REVIEW");
    // What was taken cannot be declared not to have been.
    given(...partly, mismatch(other, 600))
      .when(asks("Resolve", { as: "FAILURE", reason: "seen" }))
      .thenRefused("IllegalTransition");
    given(...partly)
      .when(lookedUp(held))
      .then(lookUpEnded({ attempt: 1 }, 1, "Approved"))
      .is("PARTIALLY_CAPTURED");
  });

  it("finds out that the gateway has taken another amount than succeeded: people look at it, and say what it is", () => {
    const other = approved({ amount: usd(1_399) });
    given(...taken, roundStarted(1, "lookUp"))
      .when(lookedUp(other))
      .then(mismatch(other))
      .is("NEEDS_REVIEW")
      .owes("nothing");
    const wanted = { as: "SUCCESS", amount: usd(1_399), reason: "seen" } as const;
    const { state } = given(...taken, roundStarted(1, "lookUp"), mismatch(other))
      .when(asks("Resolve", wanted))
      .then({ type: "ReviewResolved", data: { ...wanted, command: commandRecord("resolve", wanted) } })
      .is("SUCCESS");
    expect(state).toMatchObject({ authorized: 1_399, captured: 1_399 });
    const released: NewEvent = { type: "RemainderReleased", data: {} };
    given(...partlyCaptured, released, roundStarted(1, "lookUp"))
      .when(lookedUp(approved()))
      .then(mismatch(approved(), 600))
      .is("NEEDS_REVIEW");
  });

  it("does not take for another amount what was given back, released, or read before the last capture", () => {
    const released: NewEvent = { type: "RemainderReleased", data: {} };
    const captured = [...partlyCaptured, captureRequested(2, 1_399), captureSucceeded(2, 1_399)];
    for (const [history, found] of [
      [[...taken, refundRequested(1, 1_999), refundSucceeded(1, 1_999)], approved()],
      [[...partlyCaptured, released], approved({ amount: usd(600) })],
      [captured, held],
      [captured, approved()],
    ] as const) {
      given(...history, roundStarted(1, "lookUp"))
        .when(lookedUp(found))
        .then(lookUpEnded({ attempt: 1 }, 1, "Approved"))
        .is("SUCCESS");
    }
    given(...partlyCaptured, captureRequested(2, 1_399), roundStarted(1, "lookUp"))
      .when(lookedUp(approved()))
      .then(lookUpEnded({ attempt: 1 }, 1, "Approved"))
      .is("PARTIALLY_CAPTURED");
  });

  it("finds out that the gateway holds something else than was authorized: people look at it", () => {
    for (const wrong of [approved(), approved({ status: "authorized", amount: usd(1_000) })]) {
      given(...authorized, roundStarted(1, "lookUp"))
        .when(lookedUp(wrong))
        .then(mismatch(wrong))
        .is("NEEDS_REVIEW")
        .owes("nothing");
    }
    const euros = approved({ amount: { value: 1_999, currency: "EUR" } });
    given(...taken, roundStarted(1, "lookUp"))
      .when(lookedUp(euros))
      .then(mismatch(euros))
      .is("NEEDS_REVIEW");
  });
});

/** Notified again and again, and each look-up answered at once. */
const notifiedOften = (history: ReadonlyArray<NewEvent>, times: number, answer: "answered" | "unanswered") => {
  let state = stateAfter(history);
  const tell = (command: PaymentCommand) => {
    const decision = decide(state, command);
    if (Result.isFailure(decision)) throw new Error(decision.failure.message);
    state = evolveAll(state, placeEvents(decision.success, state.version, isoTime(beginning)))!;
  };
  for (let index = 0; index < times; index++) {
    tell(notify());
    for (const intent of intents(state)) {
      if (intent.kind === "expiry") continue;
      const { round } = intent.round;
      if (intent.kind === "charge") tell(lookedUp(answer === "answered" ? approved() : unknown, round));
      else tell(heard(intent.operation.number, answer === "answered" ? done(1) : unknown, round));
    }
  }
  return state;
};

describe("however often a gateway notifies", () => {
  const refunds = Array.from({ length: 10 }, (_, index) => index + 1).flatMap((number) => [
    refundRequested(number, 1),
    refundSucceeded(number, 1),
  ]);

  it.each(["answered", "unanswered"] as const)(
    "clients keep half of their events for what they ask for: look-ups that are %s",
    (answer) => {
      const state = notifiedOften([...taken, ...refunds], 500, answer);
      expect(state.version).toBeLessThan(clientEventsMax / 2 + refunds.length + 2 * taken.length);
      const decision = decide(state, refund(1, "refund-11"));
      expect(Result.isSuccess(decision) && decision.success).toMatchObject([{ type: "RefundRequested" }]);
    },
  );

  it("only the newest are looked up where not all can be, and at last none", () => {
    const asked = Array.from({ length: roundsWithNotifications - 1 }, (_, index) => [
      roundStarted(index + 1, "lookUp"),
      lookUpEnded({ attempt: 1 }, index + 1, "Approved"),
    ]).flat();
    const history = [...taken, refundRequested(1, 1), refundSucceeded(1, 1), ...asked];
    given(...history)
      .when(notify())
      .then(operationRound(1, 1, "lookUp"))
      .is("SUCCESS");
    given(...history, operationRound(1, 1, "lookUp"), lookUpEnded({ operation: 1 }, 1, "Done"))
      .when(notify())
      .thenNothing();
  });
});
