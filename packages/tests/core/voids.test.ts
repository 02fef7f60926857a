import { defaultPolicy, isoTime } from "@aegispay/core/payment/Given";
import type { Expire } from "@aegispay/core/payment/PaymentCommand";
import type { NewEvent } from "@aegispay/core/payment/PaymentEvent";
import { describe, expect, it } from "vitest";
import {
  asks,
  authorized,
  cancel,
  capture,
  captureRequested,
  commandRecord,
  done,
  heard,
  lookUpEnded,
  operationRound,
  operationUnknown,
  partlyCaptured,
  refundRequested,
  refused,
  taken,
  usd,
  voidFailed,
  voidIt,
  voidRequested,
  waiting,
} from "./operationExamples.ts";
import {
  approved,
  beginning,
  givenAt,
  heldUntil,
  initiated,
  authenticated,
  lookedUp,
  lookingUp,
  payment,
  reviewRequested,
  roundStarted,
  started,
  unknown,
} from "./paymentExamples.ts";
import { given, stateAfter } from "./specification.ts";

const { authorizationForMillis, expireAgainMillis } = defaultPolicy;

const expire = (version: number): Expire => ({
  type: "Expire",
  payment,
  version,
  given: givenAt(authorizationForMillis),
});
const voided: NewEvent = { type: "PaymentVoided", data: { operation: 1, operationId: "op_1" } };
const releasedId = { _tag: "Released", gatewayTransactionId: "ch_1" } as const;

describe("a void", () => {
  it("asks the gateway to release the charge, and makes VOIDED on its word", () => {
    given(...authorized)
      .when(voidIt())
      .then(voidRequested(1))
      .is("AUTHORIZED")
      .owes("void 1/0 start");
    const { state } = given(...authorized, voidRequested(1))
      .when(heard(1, done(1_999)))
      .then(voided)
      .is("VOIDED")
      .owes("nothing");
    expect(state).toMatchObject({ ended: [{ number: 1, gatewayTransactionId: "ch_1" }] });
  });

  it("of what is left after a partial capture makes SUCCESS: RemainderReleased", () => {
    given(...partlyCaptured)
      .when(voidIt("void-2"))
      .then(voidRequested(2));
    const { state } = given(...partlyCaptured, voidRequested(2))
      .when(heard(2, done(1_399)))
      .then({ type: "RemainderReleased", data: { operation: 2 } })
      .is("SUCCESS")
      .owes("nothing");
    expect(state).toMatchObject({ authorized: 1_999, captured: 600 });
  });

  it("that the gateway refuses leaves the authorization, and asks what has become of the charge: VoidFailed", () => {
    given(...authorized, voidRequested(1))
      .when(heard(1, refused))
      .then(voidFailed(1), roundStarted(1, "lookUp"))
      .is("AUTHORIZED")
      .owes("1/1 lookUp");
    given(...authorized, voidRequested(1), voidFailed(1), roundStarted(1, "lookUp"))
      .when(lookedUp(approved({ status: "authorized" })))
      .then({ type: "LookUpEnded", data: { about: { attempt: 1 }, round: 1, found: "Approved" } })
      .is("AUTHORIZED")
      .owes("expiry");
  });

  it("that has released another amount than was held is for people: IntegrityMismatchDetected", () => {
    const differs = (operation: number, expected: number, reported: ReturnType<typeof done>): NewEvent => ({
      type: "IntegrityMismatchDetected.v2",
      data: { about: { operation }, expected: usd(expected), reported },
    });
    for (const wrong of [done(1_399), done(1_999, "EUR"), done(0)]) {
      given(...authorized, voidRequested(1))
        .when(heard(1, wrong))
        .then(differs(1, 1_999, wrong))
        .is("NEEDS_REVIEW")
        .owes("nothing");
    }
    given(...authorized, voidRequested(1, "expiry"), operationUnknown("void", 1), operationRound(1, 1, "lookUp"))
      .when(heard(1, done(1_399), 1))
      .then(differs(1, 1_999, done(1_399)))
      .is("NEEDS_REVIEW");
    given(...partlyCaptured, voidRequested(2))
      .when(heard(2, done(1_999)))
      .then(differs(2, 1_399, done(1_999)))
      .is("NEEDS_REVIEW");
    const { state } = given(...authorized, voidRequested(1), differs(1, 1_999, done(1_399)))
      .when(asks("Resolve", { operation: 1, as: "SUCCEEDED", reason: "seen" }))
      .then({
        type: "ReviewResolved",
        data: {
          operation: 1,
          as: "SUCCEEDED",
          reason: "seen",
          command: commandRecord("resolve", { operation: 1, as: "SUCCEEDED", reason: "seen" }),
        },
      })
      .is("VOIDED");
    expect(state).toMatchObject({ operations: [{ status: "SUCCEEDED" }] });
  });

  it("of what held nothing yet is done whatever amount the gateway names", () => {
    for (const value of [0, 1_999, 1_399]) {
      given(...waiting, voidRequested(1, "cancel"))
        .when(heard(1, done(value)))
        .then({ type: "PaymentCancelled", data: { operation: 1 } })
        .is("VOIDED");
    }
  });

  it("whose outcome is not known is looked up, and nothing expires meanwhile: VoidOutcomeUnknown", () => {
    given(...authorized, voidRequested(1))
      .when(heard(1, unknown))
      .then(operationUnknown("void", 1), operationRound(1, 1, "lookUp"))
      .is("AUTHORIZED")
      .owes("void 1/1 lookUp");
    given(...authorized, voidRequested(1), operationUnknown("void", 1), operationRound(1, 1, "lookUp"))
      .when(heard(1, done(1_999), 1))
      .then(voided)
      .is("VOIDED");
  });

  it("after a capture of all is an IllegalTransition, and wherever else nothing is held", () => {
    for (const history of [taken, started, lookingUp, waiting, [...authorized, voidRequested(1), voided]]) {
      given(...history)
        .when(voidIt("void-9"))
        .thenRefused("IllegalTransition");
    }
  });

  it("is an IllegalTransition while a capture or a refund is under way: one of two is done, never both", () => {
    given(...authorized, captureRequested(1, 1_999))
      .when(voidIt())
      .thenRefused("IllegalTransition");
    given(...authorized, captureRequested(1, 600), operationUnknown("capture", 1), operationRound(1, 1, "lookUp"))
      .when(voidIt())
      .thenRefused("IllegalTransition");
    given(...partlyCaptured, refundRequested(2, 600))
      .when(voidIt("void-9"))
      .thenRefused("IllegalTransition");
    given(...authorized, voidRequested(1))
      .when(capture(600))
      .thenRefused("IllegalTransition");
  });
});

describe("a cancel", () => {
  it("of what no gateway was asked about ends at once: PaymentCancelled", () => {
    for (const history of [[initiated()], [initiated(), authenticated]]) {
      const command = voidRequested(1, "cancel").data as { readonly command: object };
      given(...history)
        .when(cancel())
        .then({ type: "PaymentCancelled", data: { command: command.command } } as NewEvent)
        .is("VOIDED")
        .owes("nothing");
    }
  });

  it("is an IllegalTransition while an attempt is under way or unknown, and once something is held or over", () => {
    for (const history of [started, lookingUp, authorized, partlyCaptured, taken]) {
      given(...history)
        .when(cancel())
        .thenRefused("IllegalTransition");
    }
  });
});

describe("an authorization whose time is over", () => {
  it("is released at the gateway, and EXPIRED on its word: AuthorizationExpired", () => {
    given(...authorized)
      .when(expire(4))
      .then(voidRequested(1, "expiry"))
      .is("AUTHORIZED");
    given(...authorized, voidRequested(1, "expiry"))
      .when(heard(1, done(1_999)))
      .then({ type: "AuthorizationExpired", data: { operation: 1 } })
      .is("EXPIRED")
      .owes("nothing");
  });

  it("is SUCCESS with what was captured of it: RemainderReleased", () => {
    given(...partlyCaptured)
      .when(expire(4))
      .then(voidRequested(2, "expiry"));
    given(...partlyCaptured, voidRequested(2, "expiry"))
      .when(heard(2, done(1_399)))
      .then({ type: "RemainderReleased", data: { operation: 2 } })
      .is("SUCCESS");
  });

  it("never expires while a child is PENDING or UNKNOWN, and is due again once that is known", () => {
    for (const open of [[], [operationUnknown("capture", 1), operationRound(1, 1, "lookUp")]]) {
      given(...authorized, captureRequested(1, 600), ...open)
        .when(expire(4))
        .thenNothing();
    }
    given(...partlyCaptured)
      .when(expire(4))
      .then(voidRequested(2, "expiry"));
  });

  it("changes nothing by a timer of a state long past", () => {
    for (const history of [taken, [...authorized, voidRequested(1), voided]]) {
      given(...history)
        .when(expire(4))
        .thenNothing();
    }
    given(...authorized)
      .when(expire(3))
      .thenNothing();
    given().when(expire(1)).thenNothing();
  });

  it("that the gateway does not release is asked about, and is due again a day later", () => {
    const again = isoTime(beginning + authorizationForMillis + expireAgainMillis);
    given(...authorized, voidRequested(1, "expiry"))
      .when(heard(1, refused, 0, givenAt(authorizationForMillis)))
      .then(voidFailed(1, again), roundStarted(1, "lookUp", authorizationForMillis))
      .is("AUTHORIZED");
    const state = stateAfter([...authorized, voidRequested(1, "expiry"), voidFailed(1, again)]);
    expect(state).toMatchObject({ name: "AUTHORIZED", expiry: { due: again, version: 6 } });
  });

  it("has lapsed where the gateway says so by itself, or what is left of it", () => {
    given(...authorized, roundStarted(1, "lookUp"))
      .when(lookedUp(releasedId))
      .then({ type: "AuthorizationExpired", data: {} })
      .is("EXPIRED");
    given(...partlyCaptured, roundStarted(1, "lookUp"))
      .when(lookedUp(releasedId))
      .then({ type: "RemainderReleased", data: {} })
      .is("SUCCESS")
      .owes("nothing");
  });

  it("is held for seven days by default", () => {
    expect(stateAfter(authorized)).toMatchObject({ expiry: { due: heldUntil, version: 4 } });
    expect(authorizationForMillis).toBe(7 * 86_400_000);
  });
});

describe("a void of what waits for its customer, refused when the gateway was asked as often as it may be", () => {
  const policy = { ...defaultPolicy, maxRounds: 1 };
  const askedOften = [...waiting, roundStarted(1, "lookUp"), lookUpEnded({ attempt: 1 }, 1, "ActionRequired")];
  const reason = "it could not be voided, and the gateway was asked as often as it may be";

  it.each(["expiry", "cancel"] as const)("is for people: the customer may have paid (%s)", (purpose) => {
    const again = purpose === "expiry" ? isoTime(beginning + expireAgainMillis) : undefined;
    const history = [...askedOften, voidRequested(1, purpose)];
    given(...history)
      .when(heard(1, refused, 0, givenAt(0, { policy })))
      .then(voidFailed(1, again), reviewRequested(reason))
      .is("NEEDS_REVIEW")
      .owes("nothing");
    const wanted = { as: "SUCCESS", reason: "seen" } as const;
    const { state } = given(...history, voidFailed(1, again), reviewRequested(reason))
      .when(asks("Resolve", wanted))
      .then({ type: "ReviewResolved", data: { ...wanted, command: commandRecord("resolve", wanted) } })
      .is("SUCCESS")
      .owes("nothing");
    expect(state).toMatchObject({ captured: 1_999, attempt: { status: "SUCCEEDED", gatewayTransactionId: "ch_1" } });
  });

  it("is asked about as ever while the gateway may still be asked", () => {
    given(...askedOften, voidRequested(1, "cancel"))
      .when(heard(1, refused))
      .then(voidFailed(1), roundStarted(2, "lookUp"))
      .is("REQUIRES_ACTION");
  });
});
