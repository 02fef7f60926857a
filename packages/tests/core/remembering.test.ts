import { decide } from "@aegispay/core/payment/decide";
import { isCompleted, waitingFor } from "@aegispay/core/payment/completion";
import { rememberedOf } from "@aegispay/core/payment/identifiedCommands";
import { clientEventsMax, openOperationsMax, refusalsMax } from "@aegispay/core/payment/limits";
import type { FurtherCommand } from "@aegispay/core/payment/PaymentCommand";
import { evolveAll } from "@aegispay/core/payment/evolve";
import { isoTime } from "@aegispay/core/payment/Given";
import { placeEvents, type NewEvent } from "@aegispay/core/payment/PaymentEvent";
import { Result } from "effect";
import { describe, expect, it } from "vitest";
import {
  asks,
  authorized,
  cancel,
  capture,
  captureRequested,
  captureSucceeded,
  commandRecord,
  operationReview,
  refund,
  refundFailed,
  refundRequested,
  refundSucceeded,
  taken,
  voidFailed,
  voidIt,
  voidRequested,
  waiting,
} from "./operationExamples.ts";
import { beginning, create, roundStarted, started } from "./paymentExamples.ts";
import { given, stateAfter } from "./specification.ts";

const refusal = (verb: string, commandId: string): NewEvent => ({
  type: "CommandRefused",
  data: { command: commandRecord(verb, {}, commandId), code: "IllegalTransition", reason: "no" },
});

describe("a command that comes again", () => {
  it("changes nothing, whatever has become of it", () => {
    const requested = [...taken, refundRequested(1, 600)];
    for (const history of [requested, [...requested, refundSucceeded(1, 600)], [...requested, refundFailed(1)]]) {
      given(...history)
        .when(refund(600))
        .thenNothing();
    }
  });

  it("is refused as it was the first time, although it could be done now", () => {
    const history = [...started, refusal("refund", "refund-1"), taken.at(-1)!];
    const again = asks("Refund", {}, "refund-1");
    given(...history)
      .when(again)
      .thenNothing();
    expect(rememberedOf(stateAfter(history), "refund-1")).toMatchObject({
      refusal: { code: "IllegalTransition", message: "no", retryable: false },
    });
  });

  it("with other parameters, or as another verb, is IdempotencyConflict and no event", () => {
    const history = [...taken, refundRequested(1, 600)];
    given(...history)
      .when(refund(601))
      .thenRejected("IdempotencyConflict");
    given(...history)
      .when(capture(600, "refund-1"))
      .thenRejected("IdempotencyConflict");
    given(...started, refusal("void", "k"))
      .when(asks("Cancel", {}, "k"))
      .thenRejected("IdempotencyConflict");
  });

  it("under the id of the create is a conflict: one id, one command", () => {
    given(...taken)
      .when(refund(600, create().commandId))
      .thenRejected("IdempotencyConflict");
  });
});

describe("a command to a payment that is not there", () => {
  it.each(["Capture", "Void", "Refund", "Cancel", "Authenticate", "Resolve"] as const)(
    "is PaymentNotFound, and begins no log: %s",
    (type) => {
      const body = (type === "Resolve" ? { as: "FAILURE", reason: "why" } : { result: 1 }) as never;
      given().when(asks(type, body)).thenRejected("PaymentNotFound");
    },
  );
});

describe("a refusal by state", () => {
  it("is an event that says which command, and why, and holds no body", () => {
    given(...started)
      .when(cancel())
      .then({
        type: "CommandRefused",
        data: {
          command: commandRecord("cancel"),
          code: "IllegalTransition",
          reason: "a payment that is PROCESSING takes no cancel",
        },
      });
  });

  it("is remembered a hundred times a payment; further ones are Overloaded, which may be tried again", () => {
    const refusals = Array.from({ length: refusalsMax }, (_, index) => refusal("void", `k${index}`));
    given(...started, ...refusals.slice(1))
      .when(voidIt("one-more"))
      .thenRefused("IllegalTransition");
    given(...started, ...refusals)
      .when(voidIt("one-more"))
      .thenRejected("Overloaded");
  });
});

/** Tells the payment, again and again, until it takes no more. */
const tellUntilFull = (history: ReadonlyArray<NewEvent>, command: (index: number) => FurtherCommand) => {
  let state = stateAfter(history);
  for (let index = 0; index < 2 * clientEventsMax; index++) {
    const decision = decide(state, command(index));
    if (Result.isFailure(decision)) return { state, rejection: decision.failure };
    const failed = refundFailed(index + 1);
    state = evolveAll(state, placeEvents([...decision.success, failed], state.version, isoTime(beginning)))!;
  }
  throw new Error("it takes any number");
};

describe("the log of a payment", () => {
  it("takes clients' commands up to 1,000 events, and leaves room for their outcomes", () => {
    const { state, rejection } = tellUntilFull(taken, (index) => refund(1, `k${index}`));
    expect(rejection).toMatchObject({ code: "Overloaded", retryable: true });
    expect(state.version).toBeLessThanOrEqual(clientEventsMax);
    expect(state.version).toBeGreaterThan(clientEventsMax - 10);
  });

  it("takes so many operations under way at once", () => {
    const requested = Array.from({ length: openOperationsMax }, (_, index) => refundRequested(index + 1, 1));
    const oneLess = stateAfter([...taken, ...requested.slice(0, -1)]);
    expect(Result.isSuccess(decide(oneLess, refund(1, "one-more")))).toBe(true);
    given(...taken, ...requested)
      .when(refund(1, "one-more"))
      .thenRejected("Overloaded");
  });
});

describe("whoever waits", () => {
  const replyTo = { token: "abcdefghijklmnop", when: "completed" } as const;
  const waitingCapture = (): NewEvent => {
    const requested = captureRequested(1, 600);
    const data = requested.data as { readonly command: object };
    return { ...requested, data: { ...requested.data, command: { ...data.command, replyTo } } } as NewEvent;
  };

  it("is remembered with the command, until what it asked for has come to its end", () => {
    const asked = [...authorized, waitingCapture()];
    expect(waitingFor(stateAfter(asked))).toEqual([{ token: replyTo.token, commandId: "capture-1" }]);
    expect(waitingFor(stateAfter([...asked, captureSucceeded(1, 600)]))).toEqual([]);
    expect(waitingFor(stateAfter([...asked, operationReview(1, "why")]))).toEqual([]);
  });

  it("waits for its own command, and for no other one", () => {
    const both = stateAfter([...taken, refundRequested(1, 600), refundRequested(2, 600), refundSucceeded(2, 600)]);
    expect(isCompleted(both, "refund-1")).toBe(false);
    expect(isCompleted(both, "refund-2")).toBe(true);
    expect(isCompleted(both, create().commandId)).toBe(true);
  });

  it("for a void that is refused waits until it is known what became of the charge", () => {
    const voided = [...waiting, voidRequested(1, "cancel"), voidFailed(1)];
    expect(isCompleted(stateAfter([...voided, roundStarted(1, "lookUp")]), "cancel-1")).toBe(false);
    expect(isCompleted(stateAfter(voided), "cancel-1")).toBe(true);
  });

  it("is answered at once where the command was refused", () => {
    expect(isCompleted(stateAfter([...taken, refusal("void", "k")]), "k")).toBe(true);
  });
});
