/**
 * Whole lives of payments (authorized, captured in parts, released, given back in parts) while a random worker is killed
 * with SIGKILL every 2 s and the gateway loses answers, resets connections and answers 500. Every order is insisted on under
 * its command id, as a client must; afterwards the ledger has to show each of them once, to the minor unit.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { auditEverything, type Audit } from "../support/auditor.ts";
import { runCli } from "../support/cli.ts";
import { startDeployment, type Deployment } from "../support/deployment.ts";
import { eventually } from "../support/eventually.ts";
import { clearFaults, orderFaults } from "../support/ledger.ts";
import { lifecycleAt, type Lifecycle } from "../support/lifecycle.ts";
import type { PlainReply } from "../support/plainClient.ts";

const loadMillis = 40_000;
const betweenKillsMillis = 2_000;
const lanes = 16;

const settings = {
  timerFromMillis: 300,
  policy: { lookUpDelaysMillis: [0, 500, ...Array.from({ length: 30 }, () => 1_000)], maxRetries: 50 },
};

interface Plan {
  readonly capture: "automatic" | "manual";
  readonly orders: ReadonlyArray<(life: Lifecycle, payment: string) => Promise<PlainReply>>;
  /** What the ledger has to show in the end. */
  readonly end: { readonly captured: number; readonly refunded: number; readonly released: number };
}

const plans: ReadonlyArray<Plan> = [
  {
    capture: "manual",
    orders: [
      (life, payment) => life.capture(payment, 30, "capture-1"),
      (life, payment) => life.capture(payment, undefined, "capture-2"),
      (life, payment) => life.refund(payment, 60, "refund-1"),
    ],
    end: { captured: 100, refunded: 60, released: 0 },
  },
  {
    capture: "manual",
    orders: [
      (life, payment) => life.capture(payment, 40, "capture-1"),
      (life, payment) => life.release(payment, "void-1"),
    ],
    end: { captured: 40, refunded: 0, released: 60 },
  },
  {
    capture: "manual",
    orders: [(life, payment) => life.release(payment, "void-1")],
    end: { captured: 0, refunded: 0, released: 100 },
  },
  {
    capture: "automatic",
    orders: [
      (life, payment) => life.refund(payment, 60, "refund-1"),
      (life, payment) => life.refund(payment, undefined, "refund-2"),
    ],
    end: { captured: 100, refunded: 100, released: 0 },
  },
];

describe("whole lives of payments under kills", () => {
  let deployment: Deployment;
  let audit: Audit;
  let kills = 0;
  const begun: Array<{ readonly payment: string; readonly plan: Plan }> = [];
  const refused: Array<string> = [];

  beforeAll(async () => {
    deployment = await startDeployment({ workers: 2, settings });
    const life = lifecycleAt(deployment);
    await orderFaults(deployment.simulator, {
      latencyMs: 10,
      latencyJitterMs: 10,
      partialFailureRate: 0.05,
      networkErrorRate: 0.05,
      http500Rate: 0.02,
      seed: 11,
    });
    const endAt = Date.now() + loadMillis;
    let index = 0;
    const lane = async () => {
      while (Date.now() < endAt) {
        const plan = plans[index % plans.length]!;
        const payment = `life-${index++}`;
        begun.push({ payment, plan });
        await life.create(payment, { capture: plan.capture });
        for (const order of plan.orders) {
          const { ok, error } = await order(life, payment);
          if (!ok) refused.push(`${payment}: ${error?.code} ${error?.message}`);
        }
      }
    };
    const running = Promise.all(Array.from({ length: lanes }, lane));
    for (let next = Date.now() + betweenKillsMillis; next < endAt; next += betweenKillsMillis) {
      await new Promise((resolve) => setTimeout(resolve, next - Date.now()));
      const living = await deployment.workers();
      const victim = living[kills % Math.max(1, living.length)];
      try {
        if (victim !== undefined) process.kill(victim.pid, "SIGKILL");
        kills++;
      } catch {
        // It was killed a moment ago and its entry stands until it is buried.
      }
    }
    await running;
    await clearFaults(deployment.simulator);
    await eventually(
      "the commands to be done",
      async () => (await deployment.manager.streams.info("PAYMENTS_COMMANDS")).state.messages === 0,
      60_000,
    );
    audit = await auditEverything(deployment.connection, deployment.simulator);
  }, 240_000);

  afterAll(() => deployment?.stop());

  it("were many, and so were the kills", () => {
    expect(begun.length).toBeGreaterThan(50);
    expect(kills).toBeGreaterThanOrEqual(15);
  });

  it("leave logs and ledger that agree about every minor unit", () => expect(audit.violations).toEqual([]));

  it("had every order done, none refused", () => expect(refused).toEqual([]));

  it("end as ordered: each capture, void and refund once", () => {
    const ends = new Map(
      audit.charges.map(({ reference, captured, refunded, released }) => [reference, { captured, refunded, released }]),
    );
    const wrong = begun.filter(({ payment, plan }) => {
      const end = ends.get(`shop/${payment}`);
      return JSON.stringify(end) !== JSON.stringify(plan.end);
    });
    expect(wrong.map(({ payment }) => [payment, ends.get(`shop/${payment}`)])).toEqual([]);
  });

  it("leave nothing that is owed and held by nothing", async () => {
    const debts = await runCli(["debts", "--json", "--nats-url", deployment.natsUrl]);
    expect(debts.code).toBe(0);
  });
});
