import type { PaymentRef } from "@aegispay/core/identity/Identity";
import { evolveAll } from "@aegispay/core/payment/evolve";
import { placeEvents, type NewEvent } from "@aegispay/core/payment/PaymentEvent";
import { absent } from "@aegispay/core/payment/PaymentState";
import { checkDebts, type DebtSources, type Look } from "@aegispay/runtime/debts/checkDebts";
import { debtOfHalted, debtsOf, debtRow, holds, inOrder, type Debt, type Holding } from "@aegispay/runtime/debts/Debts";
import { OwingPayments } from "@aegispay/runtime/debts/OwingPayments";
import { readDeadEntry, mayHoldDebt, whyNotRetried } from "@aegispay/runtime/dead/DeadEntry";
import { shardOf } from "@aegispay/runtime/shard/shardOf";
import { Effect } from "effect";
import { describe, expect, it } from "vitest";
import {
  actionWasRequired,
  authenticated,
  initiated,
  lookingUp,
  outcomeUnknown,
  roundStarted,
  started,
  succeeded,
  verified,
  approved,
} from "../core/paymentExamples.ts";
import { refundRequested } from "../core/operationExamples.ts";

const payment = (paymentId: string): PaymentRef => ({ merchant: "shop", paymentId });
const at = "2026-01-02T03:04:05.000Z";

const stateAfter = (events: ReadonlyArray<NewEvent>) => evolveAll(absent, placeEvents(events, 0, at))!;

/** Commits as they stand in the log: one for each list of events. */
const commitsOf = (...steps: ReadonlyArray<ReadonlyArray<NewEvent>>): ReadonlyArray<string> => {
  let version = 0;
  return steps.map((step) => {
    const events = placeEvents(step, version, at);
    version += step.length;
    return JSON.stringify({ merchant: "shop", paymentId: "any", state: "ANY", events, prev: "any" });
  });
};

/** `lookUp 1/1`, opened by version 5. */
const waiting = [started, [outcomeUnknown(), roundStarted(1, "lookUp", 30_000)]] as const;
const debtOfWaiting = (id: string): Debt => debtsOf(payment(id), stateAfter(waiting.flat()))[0]!;

describe("what a payment owes", () => {
  it("is the open round of its attempt, named by the version that opened it", () => {
    expect(debtsOf(payment("p"), stateAfter(lookingUp))).toEqual([
      {
        payment: payment("p"),
        state: "OUTCOME_UNKNOWN",
        owes: "lookUp 1/1",
        due: at,
        version: 5,
        kind: "round",
        others: [],
      },
    ]);
    expect(debtsOf(payment("p"), stateAfter(started))).toMatchObject([{ owes: "start 1/0", version: 3 }]);
  });

  it("is every open operation besides, and the end of what waits where nothing is open", () => {
    const refunding = [...started, succeeded(), refundRequested(1, 500), refundRequested(2, 300)];
    expect(debtsOf(payment("p"), stateAfter(refunding))).toMatchObject([
      { owes: "refund start 1/0", version: 5, others: [6] },
      { owes: "refund start 2/0", version: 6, others: [5] },
    ]);
    expect(debtsOf(payment("p"), stateAfter([...started, actionWasRequired]))).toMatchObject([
      { owes: "expiry", version: 4, kind: "expiry" },
    ]);
  });

  it("is nothing once it has ended, and before its first attempt", () => {
    expect(debtsOf(payment("p"), stateAfter([...started, succeeded()]))).toEqual([]);
    expect(debtsOf(payment("p"), stateAfter([initiated(), authenticated]))).toEqual([]);
  });
});

describe("what holds a debt", () => {
  const debt = debtOfWaiting("p");

  it("is any command, internal command, due timer or parked payment", () => {
    for (const by of ["command", "internal", "due", "parked"] as const) expect(holds(debt, { by })).toBe(true);
  });

  it("is the timer of the open round or of an earlier one, and no later one", () => {
    expect(holds(debt, { by: "timer", version: 5, kind: "round" })).toBe(true);
    expect(holds(debt, { by: "timer", version: 4, kind: "round" })).toBe(true);
    expect(holds(debt, { by: "timer", version: 6, kind: "round" })).toBe(false);
  });

  it("is no timer of another debt, which may come in a week", () => {
    const [first, second] = debtsOf(
      payment("p"),
      stateAfter([...started, succeeded(), refundRequested(1, 500), refundRequested(2, 300)]),
    );
    expect(holds(second!, { by: "timer", version: first!.version, kind: "round" })).toBe(false);
    expect(holds(second!, { by: "timer", version: 4, kind: "expiry" })).toBe(false);
    expect(holds(second!, { by: "timer", version: 4, kind: "round" })).toBe(true);
  });

  it("is any timer where the log says nothing", () => {
    expect(holds(debtOfHalted(payment("p"), "a gap"), { by: "timer", version: 900, kind: "round" })).toBe(true);
  });

  it("is named once a kind, and the forgotten come first, then what is due soonest", () => {
    const held = debtRow(debt, [{ by: "due" }, { by: "timer", version: 5, kind: "round" }, { by: "due" }]);
    expect(held.heldBy).toEqual(["timer", "due"]);
    const later = { ...held, due: "2027-01-01T00:00:00.000Z" };
    const forgotten = { ...later, heldBy: [] };
    expect(inOrder([later, held, forgotten])).toEqual([forgotten, held, later]);
  });
});

describe("a walk over the log of all payments", () => {
  const walked = (commits: ReadonlyArray<readonly [id: string, body: string]>) => {
    const owing = new OwingPayments();
    for (const [id, body] of commits) owing.see(payment(id), body);
    return { owing: [...owing.debts().keys()], unclear: [...owing.unclear().keys()] };
  };

  it("keeps what owes something, and lets go of what has come to an end", () => {
    const [first, second] = commitsOf(...waiting);
    const [, , settled] = commitsOf(...waiting, [verified(approved())]);
    const interleaved = [
      ["a", first!],
      ["b", first!],
      ["a", second!],
      ["b", second!],
      ["a", settled!],
    ] as const;
    expect(walked(interleaved.slice(0, 3))).toEqual({ owing: ["shop/b", "shop/a"], unclear: [] });
    expect(walked(interleaved)).toEqual({ owing: ["shop/b"], unclear: [] });
  });

  it("judges nothing that it cannot follow: a gap, an unreadable commit, a payment it has let go of", () => {
    const [first, second] = commitsOf(...waiting);
    expect(walked([["gap", second!]])).toEqual({ owing: [], unclear: ["shop/gap"] });
    expect(
      walked([
        ["bad", first!],
        ["bad", "{"],
        ["bad", second!],
      ]),
    ).toEqual({ owing: [], unclear: ["shop/bad"] });
    const [whole, more] = commitsOf([...started, succeeded()], [succeeded()]);
    expect(
      walked([
        ["ended", whole!],
        ["ended", more!],
      ]),
    ).toEqual({ owing: [], unclear: ["shop/ended"] });
  });
});

const patience = { looks: 3, pauseMillis: 1, looksMax: 6 };

/** One payment that owes a look-up; what is listed of it, and what one look after the other says. */
const check = async (listed: ReadonlyArray<Holding>, looks: ReadonlyArray<Look>) => {
  let looked = 0;
  const sources: DebtSources<never> = {
    walk: (see) => Effect.sync(() => commitsOf(...waiting).forEach((body) => see(payment("p"), body))),
    listHoldings: (see) => Effect.sync(() => listed.forEach((holding) => see(payment("p"), holding))),
    look: () => Effect.sync(() => looks[Math.min(looked++, looks.length - 1)]!),
  };
  const rows = await Effect.runPromise(checkDebts(sources, () => Effect.void, patience));
  return { heldBy: rows.map((row) => row.heldBy), looked };
};

describe("the checker of law 5", () => {
  const owes = (...holdings: ReadonlyArray<Holding>): Look => ({ _tag: "Owes", debts: [debtOfWaiting("p")], holdings });

  it("does not look twice at a payment that something is seen to hold", async () => {
    expect(await check([{ by: "timer", version: 5, kind: "round" }], [])).toEqual({ heldBy: [["timer"]], looked: 0 });
    expect(await check([{ by: "command" }, { by: "command" }], [])).toEqual({ heldBy: [["command"]], looked: 0 });
  });

  it("reports what several looks in a row find held by nothing", async () => {
    expect(await check([], [owes()])).toEqual({ heldBy: [[]], looked: 3 });
    expect(
      await check([{ by: "timer", version: 9, kind: "round" }], [owes({ by: "timer", version: 9, kind: "round" })]),
    ).toEqual({
      heldBy: [[]],
      looked: 3,
    });
  });

  it("drops a suspicion as soon as one look finds it settled or held", async () => {
    expect(await check([], [owes(), { _tag: "Settled" }])).toEqual({ heldBy: [], looked: 2 });
    expect(await check([], [owes(), owes(), owes({ by: "due" })])).toEqual({ heldBy: [["due"]], looked: 3 });
  });

  it("reports one debt of several that nothing holds, beside those that something does", async () => {
    const history = [...started, succeeded(), refundRequested(1, 500), refundRequested(2, 300)];
    const debts = debtsOf(payment("p"), stateAfter(history));
    const holdings: ReadonlyArray<Holding> = [{ by: "timer", version: 5, kind: "round" }];
    const sources: DebtSources<never> = {
      walk: (see) => Effect.sync(() => commitsOf(history).forEach((body) => see(payment("p"), body))),
      listHoldings: (see) => Effect.sync(() => holdings.forEach((holding) => see(payment("p"), holding))),
      look: () => Effect.succeed({ _tag: "Owes", debts, holdings }),
    };
    const rows = await Effect.runPromise(checkDebts(sources, () => Effect.void, patience));
    expect(rows.map((row) => [row.owes, row.heldBy])).toEqual([
      ["refund start 2/0", []],
      ["refund start 1/0", ["timer"]],
    ]);
  });

  it("begins to count anew when the log has moved meanwhile, and reports nobody whose log never stands still", async () => {
    expect(await check([], [owes(), owes(), { _tag: "Moved" }, owes()])).toEqual({ heldBy: [[]], looked: 6 });
    expect(await check([], [{ _tag: "Moved" }])).toEqual({ heldBy: [], looked: 6 });
  });
});

describe("a parked entry", () => {
  const letter = {
    payment: payment("p"),
    source: "command",
    verb: "create",
    code: "InvalidCommand",
    reason: "no",
    message: "1/1",
    at,
    body: "{}",
  };
  const entry = (changes: object) =>
    readDeadEntry(7, "payments.dead.shop.p.create", JSON.stringify({ ...letter, ...changes }), at);

  it("holds its payment's debt only where it was parked for what became of it, and not because it was refused", () => {
    expect(mayHoldDebt(entry({}))).toBe(false);
    expect(mayHoldDebt(entry({ source: "internal", verb: "unheard-of" }))).toBe(false);
    for (const changes of [{ code: "Parked" }, { code: "EventContinuity" }, { code: "Parked", source: "due" }]) {
      expect(mayHoldDebt(entry(changes))).toBe(true);
    }
    expect(mayHoldDebt(readDeadEntry(7, "payments.dead.shop.p.create", "not JSON", at))).toBe(true);
  });

  it("goes back unless its body or its address was not kept", () => {
    expect(whyNotRetried(entry({}))).toBeUndefined();
    expect(whyNotRetried(entry({ source: "due", verb: "round", body: undefined }))).toBeUndefined();
    expect(whyNotRetried(entry({ body: undefined }))).toContain("no body");
    expect(whyNotRetried(entry({ payment: { merchant: "_card-number", paymentId: "p" } }))).toContain("no address");
    expect(whyNotRetried(entry({ payment: { merchant: "shop", paymentId: "p*q" } }))).toContain("no address");
    expect(whyNotRetried(entry({ verb: "_invalid" }))).toContain("no address");
    expect(whyNotRetried(readDeadEntry(7, "payments.dead.shop.p.create", "{}", at))).toContain("cannot be read");
  });

  it("that cannot be read is shown as its subject says", () => {
    expect(readDeadEntry(7, "payments.dead.shop.p.create", "{}", at)).toMatchObject({
      id: 7,
      letter: { payment: payment("p"), source: "unreadable", verb: "create", at, body: "{}" },
    });
  });
});

describe("the shard of a payment", () => {
  it("is the one where the server's partition() put it", () => {
    // Read from the subjects of PAYMENTS_COMMANDS on nats-server 2.15.1, 16 shards.
    expect(shardOf({ merchant: "m", paymentId: "x0" }, 16)).toBe(0);
    expect(shardOf({ merchant: "m", paymentId: "x100003" }, 16)).toBe(0);
    expect(shardOf({ merchant: "m", paymentId: "x28205" }, 16)).toBe(7);
    expect(shardOf({ merchant: "m", paymentId: "q" }, 16)).toBe(11);
  });
});
