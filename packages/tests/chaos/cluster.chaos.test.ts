/**
 * Several primaries on one NATS: who joins gets its share, who leaves leaves nothing behind, and while NATS is away nothing
 * is taken, and everything says so. Criteria 9, 13, 16, 18, 23 and 24 of facts/seed.md.
 */
import { afterEach, describe, expect, it } from "vitest";
import { auditEverything } from "../support/auditor.ts";
import { runCli } from "../support/cli.ts";
import { shards, startCluster, type Cluster } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { orderFaults, readLedger, takenFor } from "../support/ledger.ts";
import { ask, createBody, insist, publish, query } from "../support/plainClient.ts";

const joinMillis = 10_000;

const loads = async (cluster: Cluster): Promise<ReadonlyMap<string | undefined, number>> => {
  const counts = new Map<string | undefined, number>();
  for (const owner of await cluster.owners()) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  return counts;
};

interface Report {
  readonly shard: number;
  readonly epoch: number;
  readonly node: string;
  readonly totalPayments: number;
  readonly inFlightPayments: number;
  readonly recoveredPayments: number;
  readonly failedRecoveries: number;
  readonly payments: ReadonlyArray<string>;
}

const reportsOf = async (cluster: Cluster): Promise<ReadonlyArray<Report>> =>
  JSON.parse((await runCli(["shards", "--recovery", "--json", "--nats-url", cluster.nats.url])).stdout);

describe("a cluster of several primaries", () => {
  let cluster: Cluster | undefined;
  afterEach(() => cluster?.stop());

  it(
    "gives a worker that joins its share within ten seconds, and moves no more shards than that",
    { timeout: 90_000 },
    async () => {
      cluster = await startCluster();
      const running = cluster;
      await cluster.startNodes({ nodeId: "east" });
      expect(await loads(cluster)).toEqual(new Map([["east-1", shards]]));
      const before = await cluster.owners();
      const joinedAt = Date.now();
      await cluster.startNodes({ nodeId: "west" });
      await eventually("both to have half of the shards", async () => {
        const now = await loads(running);
        return now.get("east-1") === shards / 2 && now.get("west-1") === shards / 2;
      });
      expect(Date.now() - joinedAt).toBeLessThan(joinMillis);
      const after = await cluster.owners();
      expect(after.filter((owner, shard) => owner !== before[shard])).toHaveLength(shards / 2);
      expect(await insist(cluster.connection, { payment: "after-join", body: createBody() })).toMatchObject({
        ok: true,
      });
    },
  );

  it(
    "takes over what a worker had in flight when its host died, within the lease and two seconds (criterion 18)",
    { timeout: 90_000 },
    async () => {
      cluster = await startCluster({ leaseTtlMillis: 3_000, leaseRenewMillis: 800, handOverMillis: 500 });
      const running = cluster;
      const doomed = await cluster.startNodes({ nodeId: "doomed" });
      await cluster.startNodes({ nodeId: "other" });
      await eventually("both to hold shards", async () => (await loads(running)).size === 2);
      await orderFaults(cluster.simulator, { latencyMs: 1_500, seed: 1 });
      const ids = Array.from({ length: 40 }, (_, index) => `flight-${index}`);
      await Promise.all(ids.map((payment) => publish(running.connection, { payment, body: createBody() })));
      await eventually(
        "all of them to be begun",
        async () => (await running.manager.streams.info("PAYMENTS_EVENTS")).state.messages >= ids.length,
      );
      const worker = (await cluster.members()).find(({ node }) => node === "doomed-1")!;
      // The primary first, so that nobody sees the worker die.
      process.kill(doomed.primaryPid, "SIGKILL");
      process.kill(worker.pid, "SIGKILL");
      const diedAt = Date.now();
      await eventually(
        "all of them to succeed",
        async () =>
          (await readLedger(running.simulator)).length === ids.length &&
          (await running.manager.streams.info("PAYMENTS_COMMANDS")).state.messages === 0,
        30_000,
      );
      console.log(
        `a host that died: everything it had in flight was done ${Date.now() - diedAt} ms later, with a lease of 3000 ms`,
      );
      expect((await auditEverything(cluster.connection, cluster.simulator)).violations).toEqual([]);
      // Criterion 23: the report lists what was in flight; a second recovery finds nothing to do.
      const reports = await eventually("the recovery to be reported", async () => {
        const found = (await reportsOf(running)).filter(({ totalPayments }) => totalPayments > 0);
        return found.reduce((sum, { recoveredPayments }) => sum + recoveredPayments, 0) > 0 && found;
      });
      for (const report of reports) {
        expect(report).toMatchObject({ node: "other-1", failedRecoveries: 0 });
        expect(report.recoveredPayments).toBe(report.inFlightPayments);
        expect(report.payments).toHaveLength(report.inFlightPayments);
        expect(report.payments.every((payment) => payment.startsWith("shop/flight-"))).toBe(true);
      }
    },
  );

  it("recovers twice and changes nothing the second time (criterion 23)", { timeout: 90_000 }, async () => {
    cluster = await startCluster({ leaseTtlMillis: 3_000, leaseRenewMillis: 800, handOverMillis: 500 });
    const running = cluster;
    await cluster.startNodes({ nodeId: "node", workers: 1 });
    await orderFaults(cluster.simulator, { latencyMs: 600, seed: 1 });
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        publish(running.connection, { payment: `twice-${index}`, body: createBody() }),
      ),
    );
    await eventually(
      "all of them to be begun",
      async () => (await running.manager.streams.info("PAYMENTS_EVENTS")).state.messages >= 20,
    );
    const killOwner = async () => {
      const [owner] = await running.members();
      process.kill(owner!.pid, "SIGKILL");
      await eventually("its successor to serve", async () => {
        const [now] = await running.members();
        return (
          now !== undefined && now.pid !== owner!.pid && (await running.owners()).every((node) => node !== undefined)
        );
      });
    };
    await killOwner();
    await eventually(
      "all to be settled",
      async () => (await running.manager.streams.info("PAYMENTS_COMMANDS")).state.messages === 0,
    );
    const stored = (await running.manager.streams.info("PAYMENTS_EVENTS")).state.messages;
    await killOwner();
    expect(await ask(cluster.connection, { payment: "afterwards", body: createBody() })).toMatchObject({ ok: true });
    expect((await auditEverything(cluster.connection, cluster.simulator)).violations).toEqual([]);
    const added = (await running.manager.streams.info("PAYMENTS_EVENTS")).state.messages - stored;
    expect(added, "only the payment that came afterwards is new in the log").toBe(2);
  });

  it(
    "charges 200 identical creates over two workers once, and gives 200 equal answers (criteria 9 and 16)",
    { timeout: 90_000 },
    async () => {
      cluster = await startCluster();
      const running = cluster;
      await cluster.startNodes({ nodeId: "east" });
      await cluster.startNodes({ nodeId: "west" });
      await eventually("both to hold shards", async () => (await loads(running)).size === 2);
      await orderFaults(cluster.simulator, { latencyMs: 100, seed: 1 });
      const replies = await Promise.all(
        Array.from({ length: 200 }, () => ask(running.connection, { payment: "same", body: createBody() })),
      );
      const answers = new Set(replies.map(({ ok, payment }) => JSON.stringify({ ok, payment })));
      expect(answers.size).toBe(1);
      expect(replies[0]).toMatchObject({ ok: true, payment: { state: "SUCCESS", captured: 1999 } });
      expect(replies.filter(({ replayed }) => !replayed).length).toBeLessThanOrEqual(1);
      expect(await takenFor(cluster.simulator, "shop/same")).toHaveLength(1);
      expect((await auditEverything(cluster.connection, cluster.simulator)).violations).toEqual([]);
    },
  );

  it("goes on with a payment whose client has stopped waiting (criterion 24)", { timeout: 60_000 }, async () => {
    cluster = await startCluster();
    const { connection, simulator } = cluster;
    await cluster.startNodes({ nodeId: "node" });
    await orderFaults(simulator, { latencyMs: 1_000, seed: 1 });
    await expect(ask(connection, { payment: "left", body: createBody() }, 100)).rejects.toThrow("no answer within");
    await eventually(
      "the payment to succeed all the same",
      async () => (await query(connection, "left", "get").catch(() => undefined))?.payment?.state === "SUCCESS",
    );
    expect(await takenFor(simulator, "shop/left")).toHaveLength(1);
    expect(await ask(connection, { payment: "left", body: createBody() })).toMatchObject({ ok: true, replayed: true });
  });

  it(
    "says on /readyz that NATS is away, takes nothing meanwhile, and goes on by itself",
    { timeout: 120_000 },
    async () => {
      cluster = await startCluster({ leaseTtlMillis: 3_000, leaseRenewMillis: 800, handOverMillis: 500 });
      const running = cluster;
      const nodes = await cluster.startNodes({ nodeId: "node", workers: 2 });
      const readiness = async () => (await fetch(`${nodes.http}/readyz`)).status;
      expect(await readiness()).toBe(200);
      await orderFaults(cluster.simulator, { latencyMs: 300, seed: 1 });
      const ids = Array.from({ length: 30 }, (_, index) => `away-${index}`);
      await Promise.all(ids.map((payment) => publish(running.connection, { payment, body: createBody() })));
      await cluster.nats.kill();
      await eventually("/readyz to say 503", async () => (await readiness()) === 503);
      expect((await fetch(`${nodes.http}/livez`)).status).toBe(200);
      // Longer than a lease: every lease lapses, and calls under way come back to a process that owns nothing.
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      const before = (await readLedger(cluster.simulator)).length;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect((await readLedger(cluster.simulator)).length, "no call leaves while nothing can be made durable").toBe(
        before,
      );
      await cluster.nats.startAgain();
      await eventually("/readyz to say 200", async () => (await readiness()) === 200, 60_000);
      for (const payment of ids)
        expect(await insist(running.connection, { payment, body: createBody() })).toMatchObject({
          ok: true,
          payment: { state: "SUCCESS" },
        });
      expect((await auditEverything(cluster.connection, cluster.simulator)).violations).toEqual([]);
      const alive = await running.members();
      expect(alive.map(({ node }) => node).toSorted()).toEqual(["node-1", "node-2"]);
    },
  );
});
