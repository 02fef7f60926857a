/**
 * SIGKILL of the owner at each point of a capture's, a void's and a refund's life: the next life asks the gateway first, and
 * each is done once. Criteria 3, 7, 15 and 21 of facts/seed.md, for what comes after the charge.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { auditEverything } from "../support/auditor.ts";
import { startCluster, type Cluster } from "../support/cluster.ts";
import type { CrashOrder } from "../support/crashingWorker.ts";
import { eventually } from "../support/eventually.ts";
import { lifecycleAt } from "../support/lifecycle.ts";

const settings = {
  leaseTtlMillis: 3_000,
  leaseRenewMillis: 800,
  handOverMillis: 500,
  timerFromMillis: 200,
  policy: { lookUpDelaysMillis: [1_000, 1_000, 1_000, 1_000], retryDelaysMillis: [100], maxRetries: 10 },
};

interface Kind {
  readonly verb: "capture" | "void" | "refund";
  readonly state: string;
  readonly end: { readonly captured: number; readonly refunded: number; readonly released: number };
}

const kinds: ReadonlyArray<Kind> = [
  { verb: "capture", state: "SUCCESS", end: { captured: 100, refunded: 0, released: 0 } },
  { verb: "void", state: "VOIDED", end: { captured: 0, refunded: 0, released: 100 } },
  { verb: "refund", state: "SUCCESS", end: { captured: 100, refunded: 100, released: 0 } },
];

interface Case {
  readonly story: string;
  readonly order: Pick<CrashOrder, "point" | "detail" | "how">;
  /** Whether the gateway loses its first answer, so that the operation has to wait on a timer. */
  readonly answerLost?: boolean;
  /** Where the point's detail names one kind; else all of them. */
  readonly of?: Kind["verb"];
}

const cases: ReadonlyArray<Case> = [
  { story: "after the request is committed", order: { point: "afterCommit", how: "kill" } },
  { story: "before the call", order: { point: "beforeCall", how: "kill" } },
  { story: "after the call", order: { point: "afterCall", how: "kill" } },
  {
    story: "after the capture's outcome is committed",
    order: { point: "afterCommit", detail: "SUCCESS", how: "kill" },
    of: "capture",
  },
  {
    story: "after the void's outcome is committed",
    order: { point: "afterCommit", detail: "VOIDED", how: "kill" },
    of: "void",
  },
  {
    story: "before the timer of its look-up is armed",
    order: { point: "beforeArming", how: "kill" },
    answerLost: true,
  },
  {
    story: "after its command is acked, while it waits on its timer",
    order: { point: "afterAck", how: "kill when the connection is flushed" },
    answerLost: true,
  },
  {
    story: "after the look-up has found it, before that is committed",
    order: { point: "afterCall", detail: "refund lookUp", how: "kill" },
    answerLost: true,
    of: "refund",
  },
];

describe("an owner killed with SIGKILL", () => {
  let cluster: Cluster | undefined;
  afterEach(() => cluster?.stop());

  it.each(cases)("$story leaves the operation done once", { timeout: 90_000 }, async (given) => {
    cluster = await startCluster(settings);
    const { connection, manager, simulator, folder } = cluster;
    const life = lifecycleAt(cluster);
    const record = join(folder, "crashes");
    const armed = join(folder, "armed");
    const crash: CrashOrder = { ...given.order, payment: "p-", armed, record };
    await cluster.startNodes({
      nodeId: "fragile",
      entry: "crashingWorker.ts",
      env: { AEGISPAY_TEST_CRASH: JSON.stringify(crash) },
    });
    const asked = kinds.filter(({ verb }) => given.of === undefined || given.of === verb);
    for (const { verb, state, end } of asked) {
      const payment = `p-${verb}`;
      const token = given.answerLost === true ? "tok_operations_lost_answer" : "tok_visa";
      await life.create(payment, { token, capture: verb === "refund" ? "automatic" : "manual" });
      writeFileSync(armed, "");
      const reply = await life.order(verb, payment, {}, `${verb}-1`);
      expect(existsSync(armed), `${verb}: there was no crash`).toBe(false);
      expect(reply).toMatchObject({ ok: true, payment: { state } });
      expect(await life.charges(payment)).toMatchObject([{ ...end, operations: [{ kind: verb, amount: 100 }] }]);
    }
    expect(readFileSync(record, "utf8").trim().split("\n")).toHaveLength(asked.length);
    await eventually("no command to be left", async () => {
      return (await manager.streams.info("PAYMENTS_COMMANDS")).state.messages === 0;
    });
    const { violations } = await auditEverything(connection, simulator);
    expect(violations).toEqual([]);
  });
});
