/** How an attempt's gateway is decided, and what of it stands in the log. */
import { decide } from "@aegispay/core/payment/decide";
import { evolveAll } from "@aegispay/core/payment/evolve";
import type { Given } from "@aegispay/core/payment/Given";
import { absent, type ExistingPayment } from "@aegispay/core/payment/PaymentState";
import { viewPayment } from "@aegispay/core/payment/PaymentView";
import { placeEvents, type NewEvent } from "@aegispay/core/payment/PaymentEvent";
import type { PaymentCommand } from "@aegispay/core/payment/PaymentCommand";
import { liveKey, unseen, type LiveFigures } from "@aegispay/core/routing/LiveFigures";
import type { RoutingTable } from "@aegispay/core/routing/RoutingTable";
import { Result } from "effect";
import { describe, expect, it } from "vitest";
import {
  create,
  declinedForGood,
  east,
  givenAt,
  lookedUp,
  mayMoveOn,
  north,
  notFound,
  notSent,
  payment,
  south,
  tried,
  unknown,
} from "./paymentExamples.ts";

const open = { ...unseen, breakerOpen: true };
const openAt = (...gateways: ReadonlyArray<typeof north>): LiveFigures =>
  new Map(gateways.map(({ gateway, account }) => [liveKey(gateway, account), open]));

const routed = (table: RoutingTable, live: LiveFigures = new Map(), changes: Partial<Given> = {}): Given =>
  givenAt(0, { routing: { table, live }, ...changes });

/** What comes of commands that are told to a payment one after the other. */
const told = (...commands: ReadonlyArray<PaymentCommand>) => {
  let state = absent as ReturnType<typeof evolveAll>;
  const events: Array<NewEvent> = [];
  for (const command of commands) {
    const decided = Result.getOrThrow(decide(state!, command));
    events.push(...decided);
    state = evolveAll(state!, placeEvents(decided, state!.version, "2026-01-02T03:04:05.000Z"));
    expect(state).toBeDefined();
  }
  const starts = events.flatMap((event) => (event.type === "AttemptStarted" ? [event.data] : []));
  return { state: state as ExistingPayment, starts, last: events.at(-1)! };
};

const preferEast: RoutingTable = { rules: [{ name: "dollars", when: { currency: ["USD"] }, prefer: ["east"] }] };

describe("the first attempt", () => {
  it("goes where the table says, and says by which rule, and what spoke for each", () => {
    const { starts, state } = told(create({}, routed(preferEast, openAt(south))));
    const route = {
      strategy: "order",
      rule: "dollars",
      order: [
        { gateway: "east", account: "e1", why: ["the rule dollars prefers it"] },
        { gateway: "north", account: "n1", why: ["first"] },
      ],
      skipped: [{ gateway: "south", account: "s1", why: "its breaker is open" }],
    };
    expect(starts).toMatchObject([{ gateway: "east", account: "e1", why: "the rule dollars prefers it", route }]);
    expect(viewPayment(payment, state).attempts).toMatchObject([{ gateway: "east", route }]);
  });

  it("goes to the gateway that the client prefers where it can be used, and elsewhere where it cannot", () => {
    expect(told(create({ gateway: "south" }, routed(preferEast))).starts).toMatchObject([
      { gateway: "south", why: "preferred" },
    ]);
    expect(told(create({ gateway: "south" }, routed(preferEast, openAt(south)))).starts).toMatchObject([
      { gateway: "east", route: { skipped: [{ gateway: "south" }] } },
    ]);
  });

  it("leaves out open breakers where the configuration has no section of routing, and dead gateways it does not", () => {
    const dead = { ...unseen, calls: 100, score: 2 };
    const live = new Map([...openAt(north), [liveKey("south", "s1"), dead]]);
    expect(told(create({}, givenAt(0, { routing: { table: { health: { floor: 0 } }, live } }))).starts).toMatchObject([
      { gateway: "south", why: "first" },
    ]);
  });

  it("is none where every gateway is away, which passes, or takes no such payments, which does not", () => {
    const away = decide(absent, create({}, routed({}, openAt(north, south, east))));
    expect(Result.isFailure(away) && away.failure).toEqual({
      code: "NoGatewayAvailable",
      message:
        "no gateway can take this payment: north: its breaker is open; south: its breaker is open; east: its breaker is open",
      retryable: true,
    });
    const unsupported = { supports: { currencies: ["EUR"] } };
    const gateways = { north: unsupported, south: unsupported, east: unsupported };
    const never = decide(absent, create({}, routed({ gateways })));
    expect(Result.isFailure(never) && never.failure).toMatchObject({ code: "NoGatewayAvailable", retryable: false });
  });

  it("is decided the same by every owner, from the payment and the figures alone", () => {
    const table: RoutingTable = { strategy: "weights", weights: { north: 1, south: 1, east: 1 } };
    for (const paymentId of ["a", "b", "c", "d", "e"]) {
      const command = { ...create({}, routed(table)), payment: { merchant: "shop", paymentId } };
      expect(decide(absent, command)).toEqual(decide(absent, structuredClone(command)));
    }
  });

  it("says no more than it must: no route where there is nothing to choose, and a bounded one where there is much", () => {
    expect(told(create({}, routed({}, new Map(), { candidates: [north] }))).starts[0]).not.toHaveProperty("route");
    const many = Array.from({ length: 40 }, (_, number) => ({ ...north, gateway: `gateway-${number}` }));
    const live = new Map(many.slice(20).map(({ gateway, account }) => [liveKey(gateway, account), open]));
    const [start] = told(create({}, routed({}, live, { candidates: many }))).starts;
    expect(start?.route?.order).toHaveLength(8);
    expect(start?.route?.skipped).toHaveLength(8);
    expect(start?.route?.leftOut).toBe(24);
    expect(JSON.stringify(start?.route).length).toBeLessThan(4_000);
  });
});

describe("a further attempt", () => {
  it("follows the same table, without the gateways where it was tried", () => {
    const given = routed(preferEast);
    const { starts } = told(create({}, given), tried(mayMoveOn, 0, given), tried(mayMoveOn, 0, given, 2));
    expect(starts.map(({ gateway }) => gateway)).toEqual(["east", "north", "south"]);
    expect(starts[1]).toMatchObject({
      why: "after processing_error",
      route: {
        order: [{ gateway: "north" }, { gateway: "south" }],
        skipped: [{ gateway: "east", why: "it was tried" }],
      },
    });
  });

  it("is decided by the figures of its own moment", () => {
    const { starts } = told(create({}, routed({})), tried(mayMoveOn, 0, routed({}, openAt(south))));
    expect(starts.map(({ gateway }) => gateway)).toEqual(["north", "east"]);
  });

  it("is none where no other gateway can be used: the payment has failed as it was declined", () => {
    const { starts, last } = told(create({}, routed({})), tried(mayMoveOn, 0, routed({}, openAt(south, east))));
    expect(starts).toHaveLength(1);
    expect(last).toMatchObject({
      type: "PaymentFailed",
      data: {
        failure: { code: "processing_error" },
        noOther: expect.stringContaining("south: its breaker is open; east: its breaker is open"),
      },
    });
  });

  it("is none after as many as the table or the policy allows, whichever is less", () => {
    const given = routed({ maxAttempts: 2 });
    const two = told(create({}, given), tried(mayMoveOn, 0, given), tried(mayMoveOn, 0, given, 2));
    expect(two.starts).toHaveLength(2);
    expect(two.last).toMatchObject({ type: "PaymentFailed" });
    const { policy } = givenAt();
    const strict = routed({ maxAttempts: 9 }, new Map(), { policy: { ...policy, maxAttempts: 1 } });
    expect(told(create({}, strict), tried(mayMoveOn, 0, strict)).starts).toHaveLength(1);
  });

  it("is none after a decline for good, while an outcome is unknown, or while a try may be sent again", () => {
    const given = routed(preferEast);
    expect(told(create({}, given), tried(declinedForGood, 0, given)).starts).toHaveLength(1);
    expect(told(create({}, given), tried(notSent, 0, given)).starts).toHaveLength(1);
    const inDoubt = told(create({}, given), tried(unknown, 0, given), lookedUp(notFound, 1, given));
    expect(inDoubt.starts).toHaveLength(1);
    expect(inDoubt.last).toMatchObject({ type: "RoundStarted", data: { action: "resend" } });
  });

  it("follows an unknown outcome once the gateway has said that it declined", () => {
    const given = routed(preferEast);
    const { starts } = told(create({}, given), tried(unknown, 0, given), lookedUp(mayMoveOn, 1, given));
    expect(starts.map(({ gateway }) => gateway)).toEqual(["east", "north"]);
  });
});
