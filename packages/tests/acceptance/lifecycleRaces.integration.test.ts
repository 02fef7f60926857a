/**
 * Commands that meet: two clients, each on a connection of its own, two workers, and the simulator's ledger as judge.
 * Nothing here may depend on who is first; whoever is second is told so, by name.
 */
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { auditEverything } from "../support/auditor.ts";
import { startDeployment, type Deployment } from "../support/deployment.ts";
import { lifecycleAt, moneyOf, type Lifecycle } from "../support/lifecycle.ts";
import type { PlainReply } from "../support/plainClient.ts";

let deployment: Deployment;
let second: NatsConnection;
let one: Lifecycle;
let two: Lifecycle;
beforeAll(async () => {
  deployment = await startDeployment({ workers: 2, settings: { timerFromMillis: 300 } });
  second = await connect({ servers: deployment.natsUrl });
  one = lifecycleAt(deployment);
  two = lifecycleAt({ connection: second, simulator: deployment.simulator });
}, 90_000);
afterAll(async () => {
  await second?.close();
  await deployment?.stop();
});

/** Rounds under way at once. */
const lanes = 10;

/** Does `round` for each index, `lanes` at a time. */
const times = async (count: number, round: (index: number) => Promise<void>): Promise<void> => {
  let next = 0;
  const lane = async () => {
    while (next < count) await round(next++);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
};

/** "ok", or the code of the refusal. */
const saidTo = ({ ok, error }: PlainReply): string => (ok ? "ok" : (error?.code ?? "?"));

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis));

describe("at once from two clients", () => {
  it("two refunds of 60 on 100 give back 60 and refuse 60, 200 times", { timeout: 180_000 }, async () => {
    await times(200, async (index) => {
      const payment = `refunds-${index}`;
      expect(await one.create(payment)).toMatchObject({ ok: true, payment: { state: "SUCCESS" } });
      const replies = await Promise.all([one.refund(payment, 60, "refund-a"), two.refund(payment, 60, "refund-b")]);
      expect(replies.map(saidTo).toSorted()).toEqual(["AmountExceeded", "ok"]);
      expect(await one.charges(payment)).toMatchObject([{ captured: 100, refunded: 60, operations: [{ amount: 60 }] }]);
      const { ours, gateways } = await moneyOf(one, payment);
      expect(ours).toEqual(gateways);
    });
  });

  it("two captures of 60 on an authorized 100 take 60 and refuse 60", { timeout: 60_000 }, async () => {
    await times(50, async (index) => {
      const payment = `captures-${index}`;
      await one.create(payment, { capture: "manual" });
      const replies = await Promise.all([one.capture(payment, 60, "capture-a"), two.capture(payment, 60, "capture-b")]);
      expect(replies.map(saidTo).toSorted()).toEqual(["AmountExceeded", "ok"]);
      expect(await one.charges(payment)).toMatchObject([{ captured: 60, operations: [{ kind: "capture" }] }]);
      expect(await one.view(payment)).toMatchObject({ state: "PARTIALLY_CAPTURED", captured: 60 });
    });
  });

  it("a void and a capture of all: one is done, the other is refused", { timeout: 60_000 }, async () => {
    const ends = new Set<string>();
    await times(60, async (index) => {
      const payment = `void-or-capture-${index}`;
      await one.create(payment, { capture: "manual" });
      const later = index % 3;
      const [released, captured] = await Promise.all([
        pause(later === 1 ? 2 : 0).then(() => one.release(payment, "void-a")),
        pause(later === 2 ? 2 : 0).then(() => two.capture(payment, 100, "capture-b")),
      ]);
      expect([released, captured].map(saidTo).toSorted()).toEqual(["IllegalTransition", "ok"]);
      const { state } = await one.view(payment);
      ends.add(state);
      expect(await one.charges(payment)).toMatchObject([
        state === "VOIDED"
          ? { status: "voided", captured: 0, released: 100 }
          : { status: "succeeded", captured: 100, released: 0 },
      ]);
      expect(state).toBe(released.ok ? "VOIDED" : "SUCCESS");
    });
    expect([...ends].toSorted()).toEqual(["SUCCESS", "VOIDED"]);
  });

  it("a refund whose answer is lost keeps its money reserved against the other", { timeout: 60_000 }, async () => {
    await times(30, async (index) => {
      const payment = `lost-refund-${index}`;
      await one.create(payment, { token: "tok_operations_lost_answer" });
      const replies = await Promise.all([one.refund(payment, 60, "refund-a"), two.refund(payment, 60, "refund-b")]);
      expect(replies.map(saidTo).toSorted()).toEqual(["AmountExceeded", "ok"]);
      expect(await one.charges(payment)).toMatchObject([{ refunded: 60, operations: [{ requests: 1 }] }]);
      const events = await one.events(payment);
      expect(events).toEqual(expect.arrayContaining(["RefundOutcomeUnknown", "RefundSucceeded", "CommandRefused"]));
    });
  });

  it(
    "a cancel and a customer who completes 3-D Secure: the payment ends as the gateway says",
    { timeout: 60_000 },
    async () => {
      const ends = new Set<string>();
      await times(60, async (index) => {
        const payment = `cancel-or-3ds-${index}`;
        const { payment: waiting } = await one.create(payment, { token: "tok_3ds" });
        const id = waiting!.gatewayTransactionId!;
        const later = index % 3;
        const [cancelled] = await Promise.all([
          pause(later === 1 ? 4 : 0).then(() => one.cancel(payment, "cancel-a")),
          pause(later === 2 ? 4 : 0)
            .then(() => two.post(`/3ds/${id}`, { result: "succeeded" }))
            .then(() => two.authenticate(payment, "back-b")),
        ]);
        const { state } = await one.until(
          payment,
          "its end",
          ({ state: now }) => now === "VOIDED" || now === "SUCCESS",
        );
        ends.add(state);
        expect(await one.charges(payment)).toMatchObject([
          state === "VOIDED" ? { status: "voided", captured: 0 } : { status: "succeeded", captured: 100 },
        ]);
        if (cancelled.ok) expect(cancelled.payment?.state).toBe(state);
      });
      expect([...ends].toSorted()).toEqual(["SUCCESS", "VOIDED"]);
    },
  );

  it("the same command from both is done once, and both get the same answer", { timeout: 60_000 }, async () => {
    await times(50, async (index) => {
      const payment = `same-${index}`;
      await one.create(payment);
      const replies = await Promise.all([one.refund(payment, 60, "refund-a"), two.refund(payment, 60, "refund-a")]);
      expect(replies.map(({ ok }) => ok)).toEqual([true, true]);
      expect(replies.filter(({ replayed }) => !replayed)).toHaveLength(1);
      expect(await one.charges(payment)).toMatchObject([{ refunded: 60, operations: [{ amount: 60, requests: 1 }] }]);
    });
  });

  it("thirty refunds of 7 on 100 give back 98, and no more", { timeout: 60_000 }, async () => {
    await one.create("many");
    const replies = await Promise.all(
      Array.from({ length: 30 }, (_, index) => (index % 2 === 0 ? one : two).refund("many", 7, `refund-${index}`)),
    );
    expect(replies.filter(({ ok }) => ok)).toHaveLength(14);
    expect(new Set(replies.map(saidTo))).toEqual(new Set(["ok", "AmountExceeded"]));
    expect(await one.charges("many")).toMatchObject([{ captured: 100, refunded: 98 }]);
    expect(await one.view("many")).toMatchObject({ state: "SUCCESS", refunded: 98, refundProgress: "partial" });
  });
});

it("in the end logs and ledger agree about every minor unit", async () => {
  const audit = await auditEverything(deployment.connection, deployment.simulator);
  expect(audit.violations).toEqual([]);
  expect(audit.payments.size).toBeGreaterThan(400);
});
