import { describe, it } from "vitest";
import {
  attemptStarted,
  authenticated,
  create,
  east,
  givenAt,
  initiated,
  lookingUp,
  resending,
  south,
  started,
  succeeded,
} from "./paymentExamples.ts";
import { refundRequested, taken } from "./operationExamples.ts";
import { given } from "./specification.ts";

describe("create", () => {
  it("begins a payment and announces the first attempt in one commit, before any call", () => {
    given().when(create()).then(initiated(), authenticated, attemptStarted()).is("PROCESSING").owes("1/0 start");
  });

  it("records who waits for the answer, so that whoever completes the payment can give it", () => {
    const asker = { token: "abcdefghijklmnop", when: "completed" } as const;
    given()
      .when(create({}, givenAt(), asker))
      .then(initiated({}, asker), authenticated, attemptStarted());
  });

  it("goes to the gateway that the client prefers", () => {
    given()
      .when(create({ gateway: "east" }))
      .then(initiated({ gateway: "east" }), authenticated, attemptStarted(1, east, "preferred"));
  });

  it("goes to the first candidate where the preferred gateway is none", () => {
    given()
      .when(create({ gateway: "unheard-of" }, givenAt(0, { candidates: [south, east] })))
      .then(initiated({ gateway: "unheard-of" }), authenticated, attemptStarted(1, south));
  });

  it("is refused where no gateway is configured, and leaves no log behind", () => {
    given()
      .when(create({}, givenAt(0, { candidates: [] })))
      .thenRejected("NoGatewayAvailable");
  });

  const openOrEnded = [
    ["a first try under way", started],
    ["a look-up under way", lookingUp],
    ["a resend under way", resending],
    ["success behind it", [...started, succeeded()]],
  ] as const;

  it.each(openOrEnded)("with the same body changes nothing about a payment with %s", (_, history) => {
    given(...history)
      .when(create({}, givenAt(86_400_000)))
      .thenNothing();
  });

  it.each(openOrEnded)("with another body is a conflict for a payment with %s", (_, history) => {
    given(...history)
      .when(create({ amount: { value: 2000, currency: "USD" } }))
      .thenRejected("IdempotencyConflict");
  });

  it("under the id of a later command is a conflict: one id, one command", () => {
    given(...taken, refundRequested(1, 600))
      .when({ ...create(), commandId: "refund-1" })
      .thenRejected("IdempotencyConflict");
  });

  it("with the same body is no conflict when gateways were taken out of service since", () => {
    given(...started)
      .when(create({}, givenAt(1_000, { candidates: [] })))
      .thenNothing();
  });
});
