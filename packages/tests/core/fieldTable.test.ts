/**
 * The field's table of states and events (facts, "Lifecycle"), row by row, against all transitions that `evolve` knows. What
 * decides that an event happens is held in the files named after what decides it; here stands only what may follow what.
 */
import { stateNames, type PaymentState } from "@aegispay/core/payment/PaymentState";
import { describe, expect, it } from "vitest";
import { allTransitions, type Transition } from "./transitions.ts";

type Name = PaymentState["name"];
type Row = readonly [from: ReadonlyArray<Name>, events: ReadonlyArray<Transition["event"]>, to: ReadonlyArray<Name>];

/** Each row as the table has it. Where it says "unchanged" `to` is what the row begins with. */
const rows: ReadonlyArray<Row> = [
  [["ABSENT"], ["PaymentInitiated"], ["INITIATED"]],
  [["INITIATED"], ["HookJudged", "PaymentEnriched"], ["INITIATED"]],
  [["INITIATED"], ["PaymentFailed"], ["FAILURE"]],
  [["INITIATED"], ["ActionRequired"], ["REQUIRES_ACTION"]],
  [["INITIATED", "REQUIRES_ACTION"], ["PaymentAuthenticated"], ["AUTHENTICATED"]],
  [["REQUIRES_ACTION"], ["AuthenticationFailed"], ["FAILURE"]],
  [["INITIATED", "REQUIRES_ACTION", "AUTHENTICATED"], ["PaymentCancelled"], ["VOIDED"]],
  [["INITIATED", "REQUIRES_ACTION", "AUTHENTICATED"], ["PaymentExpired"], ["EXPIRED"]],
  [["AUTHENTICATED"], ["AttemptStarted"], ["PROCESSING"]],
  [["PROCESSING"], ["ActionRequired"], ["REQUIRES_ACTION"]],
  [["PROCESSING"], ["PaymentAuthorized"], ["AUTHORIZED"]],
  [["PROCESSING"], ["PaymentSucceeded"], ["SUCCESS"]],
  [["PROCESSING"], ["AttemptDeclined", "AttemptStarted"], ["PROCESSING"]],
  [["PROCESSING"], ["PaymentFailed"], ["FAILURE"]],
  [["PROCESSING"], ["AttemptOutcomeUnknown"], ["OUTCOME_UNKNOWN"]],
  [["OUTCOME_UNKNOWN"], ["OutcomeVerified"], ["AUTHORIZED", "SUCCESS", "PROCESSING", "REQUIRES_ACTION"]],
  [["OUTCOME_UNKNOWN"], ["OutcomeVerified", "RoundStarted"], ["OUTCOME_UNKNOWN"]],
  [["OUTCOME_UNKNOWN"], ["ReviewRequested.v2"], ["NEEDS_REVIEW"]],
  [["NEEDS_REVIEW"], ["ReviewResolved"], ["SUCCESS", "AUTHORIZED", "FAILURE", "VOIDED", "EXPIRED"]],
  [["AUTHORIZED"], ["CaptureRequested", "CaptureFailed", "CaptureOutcomeUnknown"], ["AUTHORIZED"]],
  [["PARTIALLY_CAPTURED"], ["CaptureRequested", "CaptureFailed", "CaptureOutcomeUnknown"], ["PARTIALLY_CAPTURED"]],
  [["AUTHORIZED", "PARTIALLY_CAPTURED"], ["CaptureSucceeded"], ["PARTIALLY_CAPTURED", "SUCCESS"]],
  [["AUTHORIZED"], ["VoidRequested", "VoidFailed", "VoidOutcomeUnknown"], ["AUTHORIZED"]],
  [["AUTHORIZED"], ["PaymentVoided"], ["VOIDED"]],
  [["AUTHORIZED"], ["AuthorizationExpired"], ["EXPIRED"]],
  [["PARTIALLY_CAPTURED"], ["RemainderReleased"], ["SUCCESS"]],
  ...(["SUCCESS", "PARTIALLY_CAPTURED"] as const).map((name): Row => [
    [name],
    ["RefundRequested", "RefundSucceeded", "RefundFailed", "RefundOutcomeUnknown", "RefundReversed"],
    [name],
  ]),
  [
    ["PROCESSING", "OUTCOME_UNKNOWN", "REQUIRES_ACTION", "AUTHORIZED", "PARTIALLY_CAPTURED", "SUCCESS"],
    ["IntegrityMismatchDetected.v2"],
    ["NEEDS_REVIEW"],
  ],
  ...(["PROCESSING", "OUTCOME_UNKNOWN", "REQUIRES_ACTION", "AUTHORIZED", "SUCCESS"] as const).map((name): Row => [
    [name],
    ["LateSuccessDetected", "LateSuccessCompensated"],
    [name],
  ]),
  [["FAILURE", "VOIDED", "EXPIRED"], ["LateSuccessDetected"], ["NEEDS_REVIEW"]],
  ...stateNames.map((name): Row => [[name], ["CommandRefused"], [name]]),
];

const transitions = allTransitions();
const has = (from: Name, event: Transition["event"], to: Name): boolean =>
  transitions.some((one) => one.from === from && one.event === event && one.to === to);

const names = rows.map(
  ([from, events, to]) => [`${from.join(", ")}: ${events.join(", ")} to ${to.join(", ")}`, from, events, to] as const,
);

/** What moves a payment besides: how an attempt that waited for the customer goes on, and how reviews begin and end. */
const besides = new Set([
  "AUTHENTICATED PaymentAuthorized AUTHORIZED",
  "AUTHENTICATED PaymentSucceeded SUCCESS",
  "AUTHENTICATED AttemptDeclined PROCESSING",
]);

describe("the table of the field", () => {
  it.each(names)("has its row %s", (_, from, events, to) => {
    for (const name of from) {
      for (const event of events) {
        const reached = to.filter((target) => has(name, event, target));
        // From one of several states not all of several others need be reached: PARTIALLY_CAPTURED stays what it is.
        expect(from.length > 1 ? reached.length > 0 : reached.length === to.length).toBe(true);
      }
    }
  });

  it("has no other way from one state to another, but into and out of review", () => {
    const inTable = new Set(
      rows.flatMap(([from, events, to]) =>
        from.flatMap((name) => events.flatMap((event) => to.map((target) => `${name} ${event} ${target}`))),
      ),
    );
    const others = transitions
      .filter(({ from, to }) => from !== to && from !== "NEEDS_REVIEW" && to !== "NEEDS_REVIEW")
      .map(({ from, event, to }) => `${from} ${event} ${to}`)
      .filter((transition) => !inTable.has(transition) && !besides.has(transition));
    expect(others).toEqual([]);
  });

  it("lets nothing out of a terminal state but a review", () => {
    const out = transitions.filter(
      ({ from, to }) => ["SUCCESS", "FAILURE", "VOIDED", "EXPIRED"].includes(from) && to !== from,
    );
    expect([...new Set(out.map(({ to }) => to))]).toEqual(["NEEDS_REVIEW"]);
  });

  it("reaches every state, and writes every kind of event, from no payment on", () => {
    expect(stateNames.filter((name) => !transitions.some(({ to }) => to === name))).toEqual([]);
    expect(new Set(transitions.map(({ event }) => event)).size).toBe(43);
  });
});
