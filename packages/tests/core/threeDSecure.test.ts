import { defaultPolicy, isoTime } from "@aegispay/core/payment/Given";
import { evolveAll } from "@aegispay/core/payment/evolve";
import { intents } from "@aegispay/core/payment/intents";
import type { LookUpOutcome } from "@aegispay/core/payment/GatewayOutcome";
import type { Expire } from "@aegispay/core/payment/PaymentCommand";
import { placeEvents, type NewEvent } from "@aegispay/core/payment/PaymentEvent";
import { isAtRest } from "@aegispay/core/payment/PaymentState";
import { describe, expect, it } from "vitest";
import {
  asks,
  authenticate,
  cancel,
  commandRecord,
  done,
  heard,
  refused,
  taken,
  voidFailed,
  voidIt,
  voidRequested,
  waiting,
} from "./operationExamples.ts";
import {
  actionRequired,
  approved,
  attemptDeclined,
  attemptStarted,
  authenticated,
  beginning,
  body,
  declinedForGood,
  failed,
  givenAt,
  heldUntil,
  initiated,
  lookedUp,
  mayMoveOn,
  mismatch,
  north,
  notFound,
  payment,
  resume,
  roundStarted,
  started,
  succeeded,
  tried,
  unknown,
  verified,
  waitsUntil,
} from "./paymentExamples.ts";
import { given, stateAfter } from "./specification.ts";

const { lookUpDelaysMillis, customerWaitMillis, expireAgainMillis } = defaultPolicy;

const acted: NewEvent = { type: "PaymentAuthenticated", data: { method: "challenge", attempt: 1 } };
const reported: NewEvent = {
  type: "AuthenticationReported",
  data: { attempt: 1, command: commandRecord("authenticate", { result: "back" }) },
};
const expire: Expire = { type: "Expire", payment, version: 4, given: givenAt(customerWaitMillis) };
const asked = [...waiting, roundStarted(1, "lookUp")];

describe("a payment that waits for its customer", () => {
  it("waits as long as the create says, or as the policy lets it", () => {
    expect(stateAfter(waiting)).toMatchObject({ expiry: { version: 4, due: waitsUntil } });
    const expiresAt = "2026-01-02T04:00:00+01:00";
    const history = [initiated({ expiresAt }), authenticated, attemptStarted()];
    const { gatewayTransactionId, nextAction } = actionRequired;
    given(...history)
      .when(tried(actionRequired))
      .then({
        type: "ActionRequired",
        data: { attempt: 1, gatewayTransactionId, nextAction, expiresAt: isoTime(Date.parse(expiresAt)) },
      });
    // As a log of before may have it: a timer of that moment would be refused, and one of the year 2300 fire at once.
    given(initiated({ expiresAt: "9999-12-31T24:00Z" }), authenticated, attemptStarted())
      .when(tried(actionRequired))
      .then({
        type: "ActionRequired",
        data: { attempt: 1, gatewayTransactionId, nextAction, expiresAt: "2200-01-01T00:00:00.000Z" },
      });
  });

  it("moves nothing when the client says that the customer is back: it asks the gateway", () => {
    const { state } = given(...waiting)
      .when(authenticate())
      .then(reported, roundStarted(1, "lookUp"))
      .is("REQUIRES_ACTION")
      .owes("1/1 lookUp");
    expect(isAtRest(state)).toBe(false);
  });

  it("keeps what the customer brought only for a gateway that waits for it, and hands it on while the charge waits", () => {
    const finishing = givenAt(0, { candidates: [{ ...north, finishesActions: true }] });
    const { state } = given(...waiting)
      .when(authenticate(undefined, finishing))
      .then({ ...reported, data: { ...reported.data, brought: "back" } } as NewEvent, roundStarted(1, "lookUp"));
    expect(intents(state)).toMatchObject([{ kind: "charge", brought: "back" }]);
    const after = [...waiting, { ...reported, data: { ...reported.data, brought: "back" } } as NewEvent];
    const { state: settled } = given(...after, roundStarted(1, "lookUp"))
      .when(lookedUp(approved()))
      .then(acted, succeeded());
    const watched = evolveAll(settled, placeEvents([roundStarted(2, "lookUp")], settled.version, isoTime(beginning)));
    expect(watched && intents(watched)[0]).not.toHaveProperty("brought");
  });

  it("takes no more of what a customer brought than a log should keep", () => {
    const finishing = givenAt(0, { candidates: [{ ...north, finishesActions: true }] });
    const large = asks("Authenticate", { result: "x".repeat(9_000) }, undefined, finishing);
    given(...waiting)
      .when(large)
      .thenRefused("InvalidCommand");
  });

  it("asks at once where it would have asked again later, and not twice", () => {
    given(...waiting, roundStarted(1, "lookUp", 60_000, 3))
      .when(authenticate())
      .then(reported, roundStarted(2, "lookUp", 0, 2));
    given(...asked)
      .when(authenticate())
      .then(reported);
  });

  it("succeeds by the same attempt once the gateway says so", () => {
    given(...asked)
      .when(lookedUp(approved()))
      .then(acted, succeeded())
      .is("SUCCESS")
      .owes("nothing");
  });

  it("is AUTHORIZED where it is captured by hand", () => {
    const manual = [
      initiated({ capture: "manual" }),
      authenticated,
      attemptStarted(1, north, "first", "manual"),
      waiting[3]!,
    ];
    given(...manual)
      .when(lookedUp(approved({ status: "authorized" })))
      .then(acted, {
        type: "PaymentAuthorized",
        data: { attempt: 1, gatewayTransactionId: "ch_1", amount: body.amount, expiresAt: heldUntil },
      })
      .is("AUTHORIZED")
      .owes("expiry");
  });

  it("fails when the customer has not passed: AuthenticationFailed", () => {
    const outcome = { ...declinedForGood, code: "authentication_failed" };
    const failure = { code: "authentication_failed", message: "no", declineCode: "insufficient_funds" };
    given(...asked)
      .when(lookedUp(outcome))
      .then({ type: "AuthenticationFailed", data: { attempt: 1, failure } })
      .is("FAILURE")
      .owes("nothing");
  });

  it("fails when the customer has passed and the issuer declines, and no other gateway asks the customer again", () => {
    for (const outcome of [declinedForGood, mayMoveOn]) {
      const { code, message, declineCode } = outcome;
      given(...asked)
        .when(lookedUp(outcome))
        .then(acted, attemptDeclined(outcome), failed(code, message, declineCode))
        .is("FAILURE");
    }
  });

  it("goes on waiting when the gateway does", () => {
    given(...asked)
      .when(lookedUp(actionRequired))
      .then({ type: "OutcomeVerified", data: { attempt: 1, round: 1, outcome: actionRequired } })
      .is("REQUIRES_ACTION")
      .owes("expiry");
  });

  it("is asked about by the schedule when no answer comes, and waits on when there is none in all of it", () => {
    given(...asked)
      .when(lookedUp(unknown))
      .then(roundStarted(2, "lookUp", lookUpDelaysMillis[1], 1))
      .is("REQUIRES_ACTION");
    const last = lookUpDelaysMillis.length - 1;
    given(...waiting, roundStarted(1, "lookUp", 0, last))
      .when(lookedUp(unknown))
      .then({ type: "LookUpEnded", data: { about: { attempt: 1 }, round: 1, found: "Unknown" } })
      .is("REQUIRES_ACTION")
      .owes("expiry");
  });

  it("takes it for no evidence that a look-up finds nothing", () => {
    given(...asked)
      .when(lookedUp(notFound))
      .then({ type: "LookUpEnded", data: { about: { attempt: 1 }, round: 1, found: "NotFound" } })
      .is("REQUIRES_ACTION");
  });

  it("is never a success when another amount is reported", () => {
    const wrong = approved({ amount: { value: 1, currency: "USD" } });
    given(...asked)
      .when(lookedUp(wrong))
      .then(mismatch(wrong))
      .is("NEEDS_REVIEW")
      .owes("nothing");
  });

  it("has expired where the gateway itself does not wait any more", () => {
    const released: LookUpOutcome = { _tag: "Released", gatewayTransactionId: "ch_1" };
    given(...asked)
      .when(lookedUp(released))
      .then({ type: "PaymentExpired", data: {} })
      .is("EXPIRED");
  });

  it("is looked up by a new owner in a round of its own, and stays what it is", () => {
    given(...asked)
      .when(resume(givenAt(5_000)))
      .then(roundStarted(2, "lookUp", 5_000))
      .is("REQUIRES_ACTION");
    given(...waiting)
      .when(resume())
      .thenNothing();
  });

  it("takes no authenticate once it has ended, and none before: IllegalTransition", () => {
    for (const history of [started, taken]) {
      given(...history)
        .when(authenticate())
        .thenRefused("IllegalTransition");
    }
  });

  it("is no void's: it is cancelled", () => {
    given(...waiting)
      .when(voidIt())
      .thenRefused("IllegalTransition");
  });

  it("after an unknown outcome waits like any other", () => {
    given(
      ...started,
      { type: "AttemptOutcomeUnknown", data: { attempt: 1, round: 0, reason: "no" } },
      roundStarted(1, "lookUp"),
    )
      .when(lookedUp(actionRequired))
      .then(verified(actionRequired))
      .is("REQUIRES_ACTION")
      .owes("expiry");
  });
});

describe.each([
  ["is cancelled", cancel(), "cancel", "PaymentCancelled", "VOIDED"],
  ["has waited too long", expire, "expiry", "PaymentExpired", "EXPIRED"],
] as const)("a 3-D Secure payment that %s", (_, command, purpose, event, end) => {
  const voiding = [...waiting, voidRequested(1, purpose)];
  const ended: NewEvent = { type: event, data: { operation: 1 } };

  it("voids the open attempt at the gateway first", () => {
    given(...waiting)
      .when(command)
      .then(voidRequested(1, purpose))
      .is("REQUIRES_ACTION")
      .owes("void 1/0 start");
  });

  it("ends on the gateway's word", () => {
    given(...voiding)
      .when(heard(1, done(1_999)))
      .then(ended)
      .is(end)
      .owes("nothing");
  });

  it("does not end while that is unknown, and hears nothing else about the attempt meanwhile", () => {
    const { state } = given(...voiding)
      .when(heard(1, unknown))
      .then(
        { type: "VoidOutcomeUnknown", data: { operation: 1, round: 0, reason: unknown.reason } },
        {
          type: "OperationRoundStarted",
          data: { operation: 1, round: 1, action: "lookUp", due: isoTime(beginning), step: 0 },
        },
      )
      .is("REQUIRES_ACTION")
      .owes("void 1/1 lookUp");
    expect(isAtRest(state)).toBe(false);
    for (const outcome of [approved(), declinedForGood, actionRequired]) {
      given(...voiding)
        .when(lookedUp(outcome, 0))
        .thenNothing();
    }
  });

  it("is a success where the customer was quicker: the void is refused, and the look-up says why", () => {
    const again = purpose === "expiry" ? isoTime(beginning + expireAgainMillis) : undefined;
    given(...voiding)
      .when(heard(1, refused))
      .then(voidFailed(1, again), roundStarted(1, "lookUp"))
      .is("REQUIRES_ACTION")
      .owes("1/1 lookUp");
    given(...voiding, voidFailed(1, again), roundStarted(1, "lookUp"))
      .when(lookedUp(approved()))
      .then(acted, succeeded())
      .is("SUCCESS");
  });

  it("takes no other end while the void is under way", () => {
    given(...voiding)
      .when(cancel("cancel-2"))
      .thenRefused("IllegalTransition");
    given(...voiding)
      .when(authenticate())
      .thenRefused("IllegalTransition");
    given(...voiding)
      .when(expire)
      .thenNothing();
  });
});

describe("an authentication of the merchant's own, before any gateway is asked", () => {
  const ownAction: NewEvent = {
    type: "ActionRequired",
    data: { nextAction: actionRequired.nextAction, expiresAt: waitsUntil },
  };

  it("is known to the table: AUTHENTICATED, FAILURE, VOIDED or EXPIRED, with no gateway to ask", () => {
    const history = [initiated(), ownAction];
    given(...history)
      .when(cancel())
      .then({ type: "PaymentCancelled", data: { command: commandRecord("cancel") } })
      .is("VOIDED");
    given(...history)
      .when({ ...expire, version: 2 })
      .then({ type: "PaymentExpired", data: {} })
      .is("EXPIRED");
    given(...history)
      .when(authenticate())
      .thenRefused("IllegalTransition");
    for (const method of ["exempt", "frictionless", "challenge"] as const) {
      expect(stateAfter([...history, { type: "PaymentAuthenticated", data: { method } }]).name).toBe("AUTHENTICATED");
    }
    const failure = { code: "authentication_failed", message: "no" };
    expect(stateAfter([...history, { type: "AuthenticationFailed", data: { failure } }]).name).toBe("FAILURE");
  });
});
