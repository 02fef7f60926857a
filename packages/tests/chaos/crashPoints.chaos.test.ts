/**
 * SIGKILL of the owner at each point of a payment's life at which it matters, reached through the runtime's seam; the
 * primary respawns it and the payment goes on from its log. Criteria 1, 2, 3, 7, 12, 15 and 21 of facts/seed.md.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { nuid } from "@nats-io/transport-node";
import { afterEach, describe, expect, it } from "vitest";
import { auditEverything } from "../support/auditor.ts";
import { startCluster, type Cluster } from "../support/cluster.ts";
import type { CrashOrder } from "../support/crashingWorker.ts";
import { eventually } from "../support/eventually.ts";
import { orderFaults } from "../support/ledger.ts";
import { createBody, publish, query, type PlainReply } from "../support/plainClient.ts";

const entry = "crashingWorker.ts";
const settings = {
  leaseTtlMillis: 3_000,
  leaseRenewMillis: 800,
  handOverMillis: 500,
  timerFromMillis: 200,
  policy: { lookUpDelaysMillis: [1_000, 1_000, 1_000, 1_000], maxRetries: 10 },
};

interface Case {
  readonly story: string;
  readonly order: Pick<CrashOrder, "point" | "detail" | "how">;
  /** Whether the gateway loses its answers after charging, so that the payment has to wait on a timer. */
  readonly answersLost?: boolean;
  /** What the log must hold, in this order, at least. */
  readonly events: ReadonlyArray<string>;
}

const cases: ReadonlyArray<Case> = [
  {
    story: "(a) before the first append: the command comes again and begins the payment (criterion 1)",
    order: { point: "beforeFirstAppend", how: "kill" },
    events: ["PaymentInitiated", "AttemptStarted", "PaymentSucceeded"],
  },
  {
    story:
      "(b) after the intent is committed and before the call: the gateway is asked before anything is sent (criterion 2)",
    order: { point: "beforeCall", detail: "start", how: "kill" },
    events: ["AttemptStarted", "AttemptOutcomeUnknown", "RoundStarted", "OutcomeVerified"],
  },
  {
    story: "(c) after the charge and before its outcome is committed: it is looked up and found (criteria 3 and 7)",
    order: { point: "afterCall", detail: "start", how: "kill" },
    events: ["AttemptStarted", "AttemptOutcomeUnknown", "RoundStarted", "OutcomeVerified"],
  },
  {
    story: "(d) after the outcome and before the ack: the command comes again and finds the payment at rest",
    order: { point: "afterCommit", detail: "SUCCESS", how: "kill" },
    events: ["AttemptStarted", "PaymentSucceeded"],
  },
  {
    story: "(d) after an unknown outcome and before its timer is armed: the debt is found in the log",
    order: { point: "afterCommit", detail: "OUTCOME_UNKNOWN", how: "kill" },
    answersLost: true,
    events: ["AttemptOutcomeUnknown", "RoundStarted", "OutcomeVerified"],
  },
  {
    story: "(e) after the ack and before the answer: the timer goes on, and whoever waits is answered by the next life",
    order: { point: "afterAck", detail: "OUTCOME_UNKNOWN", how: "kill when the connection is flushed" },
    answersLost: true,
    events: ["AttemptOutcomeUnknown", "RoundStarted", "OutcomeVerified"],
  },
  {
    story: "(f) between a commit and the arming of its timer: the next owner arms it",
    order: { point: "beforeArming", how: "kill" },
    answersLost: true,
    events: ["AttemptOutcomeUnknown", "RoundStarted", "OutcomeVerified"],
  },
];

/** Publishes a create and hears whatever answers come, however late. */
const createAndListen = async ({ connection }: Cluster, payment: string) => {
  const token = nuid.next();
  const answers: Array<PlainReply> = [];
  connection.subscribe(`payments.reply.shop.${token}`, {
    callback: (_error, message) => void answers.push(message.json<PlainReply>()),
  });
  await publish(connection, { payment, body: createBody(), headers: { "Aegis-Reply-To": token } });
  return answers;
};

/** Whether all of `wanted` stand in `found` in their order. */
const inOrder = (wanted: ReadonlyArray<string>, found: ReadonlyArray<string>): boolean => {
  let next = 0;
  for (const one of found) if (one === wanted[next]) next++;
  return next === wanted.length;
};

describe("an owner killed with SIGKILL", () => {
  let cluster: Cluster | undefined;
  afterEach(() => cluster?.stop());

  it.each(cases)("$story", { timeout: 60_000 }, async ({ order, answersLost = false, events }) => {
    cluster = await startCluster(settings);
    const { connection, manager, simulator, folder } = cluster;
    const record = join(folder, "crashes");
    const crash: CrashOrder = { ...order, payment: "p-", latch: join(folder, "latch"), record };
    await cluster.startNodes({ nodeId: "fragile", entry, env: { AEGISPAY_TEST_CRASH: JSON.stringify(crash) } });
    if (answersLost) await orderFaults(simulator, { partialFailureRate: 1, seed: 1 });
    const answers = await createAndListen(cluster, "p-1");
    await eventually("the crash", () => existsSync(record));
    if (order.point === "afterAck") {
      await eventually("the command to be acked before the process dies", async () => {
        return (await manager.streams.info("PAYMENTS_COMMANDS")).state.messages === 0;
      });
      expect(answers).toEqual([]);
    }
    const ended = await eventually("the payment to come to rest", async () => {
      const found = await query(connection, "p-1", "get").catch(() => undefined);
      return found?.payment?.state === "SUCCESS" && found.payment;
    });
    expect(ended.captured).toBe(1999);
    await eventually("whoever waited to be answered", () => answers.length > 0);
    expect(answers[0]).toMatchObject({ ok: true, replayed: false, payment: { state: "SUCCESS" } });
    await eventually("nothing to be left in the queues", async () => {
      const queues = ["PAYMENTS_COMMANDS", "PAYMENTS_TIMERS"].map((name) => manager.streams.info(name));
      return (await Promise.all(queues)).every(({ state }) => state.messages === 0);
    });
    const log = await query(connection, "p-1", "events");
    const types = log.events!.map(({ type }) => type);
    expect(inOrder(events, types) ? [] : types).toEqual([]);
    const { charges, violations } = await auditEverything(connection, simulator);
    expect(violations).toEqual([]);
    expect(charges.filter(({ captured }) => captured > 0)).toHaveLength(1);
    expect(readFileSync(record, "utf8").trim().split("\n")).toHaveLength(1);
  });
});
