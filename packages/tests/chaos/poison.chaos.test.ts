/**
 * Payments that are poison: one whose actor crashes always, one that ends its process always. They harm no other, and end
 * parked, where an operator sees them, tries them again, or discards them.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { auditEverything } from "../support/auditor.ts";
import { runCli } from "../support/cli.ts";
import { startCluster, type Cluster } from "../support/cluster.ts";
import type { CrashOrder } from "../support/crashingWorker.ts";
import { eventually } from "../support/eventually.ts";
import { takenFor } from "../support/ledger.ts";
import { endOf, startLoad } from "../support/load.ts";
import { ask, createBody, publish, query } from "../support/plainClient.ts";

const entry = "crashingWorker.ts";
const settings = {
  leaseTtlMillis: 3_000,
  leaseRenewMillis: 800,
  handOverMillis: 500,
  actorRestartMillis: 50,
  policy: { maxRetries: 50, lookUpDelaysMillis: [0, 500, ...Array.from({ length: 20 }, () => 1_000)] },
};

interface Parked {
  readonly id: number;
  readonly paymentId: string;
  readonly verb: string;
  readonly code: string;
  readonly reason: string;
}

describe("a poisonous payment", () => {
  let cluster: Cluster | undefined;
  afterEach(() => cluster?.stop());

  const startPoisoned = async (order: Pick<CrashOrder, "point" | "how" | "detail">) => {
    cluster = await startCluster(settings);
    const record = join(cluster.folder, "crashes");
    const crash: CrashOrder = { ...order, payment: "poison", record };
    const env = { AEGISPAY_TEST_CRASH: JSON.stringify(crash) };
    await cluster.startNodes({ nodeId: "fragile", workers: 2, entry, env });
    const natsUrl = cluster.nats.url;
    const dead = async () => {
      const { stdout } = await runCli(["dead", "list", "--json", "--nats-url", natsUrl]);
      return JSON.parse(stdout) as ReadonlyArray<Parked>;
    };
    const crashes = () => readFileSync(record, "utf8").trim().split("\n").length;
    return { cluster, dead, crashes, natsUrl };
  };

  it.each(["beforeCall", "afterCall", "afterCommit"] as const)(
    "whose actor crashes always, %s, is parked after five crashes with reason and stack, and touches no other",
    { timeout: 90_000 },
    async (point) => {
      const { cluster: running, dead, crashes, natsUrl } = await startPoisoned({ point, how: "throw" });
      const load = startLoad(running, { lanes: 8, tokens: ["tok_visa", "tok_declined"] });
      const reply = await ask(running.connection, { payment: "poison-1", body: createBody() }, 60_000);
      await load.stop();
      expect(reply).toMatchObject({ ok: false, error: { code: "Parked" } });
      expect(crashes()).toBe(5);
      const [parked, ...more] = await dead();
      expect(more).toEqual([]);
      expect(parked).toMatchObject({ paymentId: "poison-1", verb: "create", code: "Parked" });
      const shown = await runCli(["dead", "show", String(parked!.id), "--json", "--nats-url", natsUrl]);
      expect(JSON.parse(shown.stdout)).toMatchObject({
        reason: expect.stringContaining("ordered to crash"),
        stack: expect.stringContaining("at "),
      });
      expect(load.answered.length).toBeGreaterThan(10);
      expect(load.answered.filter(({ token, reply: other }) => other.payment?.state !== endOf(token))).toEqual([]);
      expect((await runCli(["debts", "--nats-url", natsUrl])).code).toBe(0);
    },
  );

  it(
    "that ends its process always ends it three times, then it is parked, and others go on",
    { timeout: 120_000 },
    async () => {
      const { cluster: running, dead, crashes, natsUrl } = await startPoisoned({ point: "beforeCall", how: "kill" });
      const load = startLoad(running, { lanes: 8, tokens: ["tok_visa", "tok_declined"] });
      await publish(running.connection, { payment: "poison-1", body: createBody() });
      const parked = await eventually(
        "the payment to be parked",
        async () => (await dead()).length > 0 && dead(),
        60_000,
      );
      expect(parked).toEqual([expect.objectContaining({ paymentId: "poison-1", verb: "create", code: "Parked" })]);
      // A repeat is parked too, or refused to whoever waits, and does not end the process a fourth time.
      const repeated = await ask(running.connection, { payment: "poison-1", body: createBody() }, 30_000);
      expect(repeated).toMatchObject({ ok: false, error: { code: "Parked" } });
      await load.stop();
      expect(crashes()).toBe(3);
      expect(load.answered.filter(({ token, reply }) => reply.payment?.state !== endOf(token))).toEqual([]);
      expect((await query(running.connection, "poison-1", "get")).payment?.state).not.toBe("SUCCESS");
      expect(await takenFor(running.simulator, "shop/poison-1")).toEqual([]);
      expect((await runCli(["debts", "--nats-url", natsUrl])).code).toBe(0);
      const others = (await auditEverything(running.connection, running.simulator)).violations;
      expect(others.filter((violation) => !violation.startsWith("shop/poison-1"))).toEqual([]);
    },
  );

  it("that was parked goes on when an operator retries it where its fault is gone", { timeout: 120_000 }, async () => {
    const { cluster: running, dead, natsUrl } = await startPoisoned({ point: "beforeCall", how: "kill" });
    await publish(running.connection, { payment: "poison-1", body: createBody() });
    const [parked] = await eventually(
      "the payment to be parked",
      async () => (await dead()).length > 0 && dead(),
      60_000,
    );
    await running.endNodes();
    await running.startNodes({ nodeId: "mended", workers: 1 });
    const retried = await runCli(["dead", "retry", String(parked!.id), "--nats-url", natsUrl]);
    expect(retried).toMatchObject({ code: 0 });
    await eventually("the payment to succeed", async () => {
      return (await query(running.connection, "poison-1", "get").catch(() => undefined))?.payment?.state === "SUCCESS";
    });
    expect(await takenFor(running.simulator, "shop/poison-1")).toHaveLength(1);
    expect(await dead()).toEqual([]);
  });
});
