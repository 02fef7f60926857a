/**
 * All workers restarted one after the other under load (SIGHUP to their primary): each hands its shards over before it
 * ends. No command fails, none waits over two seconds.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { auditEverything } from "../support/auditor.ts";
import { startCluster, type Cluster, type NodeGroup } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { orderFaults } from "../support/ledger.ts";
import { endOf, startLoad, type Answered } from "../support/load.ts";

const restarts = 2;
const longestWaitMillis = 2_000;

const pidsOf = async (cluster: Cluster) => new Set((await cluster.members()).map(({ pid }) => pid));

describe("a rolling restart under load", () => {
  let cluster: Cluster;
  let nodes: NodeGroup;
  let answered: ReadonlyArray<Answered>;

  beforeAll(async () => {
    cluster = await startCluster();
    nodes = await cluster.startNodes({ nodeId: "node", workers: 2 });
    await orderFaults(cluster.simulator, { latencyMs: 50, latencyJitterMs: 50, seed: 5 });
    const load = startLoad(cluster, { tokens: ["tok_visa", "tok_declined", "tok_visa"] });
    try {
      for (let round = 0; round < restarts; round++) {
        const before = await pidsOf(cluster);
        nodes.signal("SIGHUP");
        await eventually(
          "two other workers to serve all shards",
          async () => {
            const now = await pidsOf(cluster);
            const renewed = now.size === 2 && [...now].every((pid) => !before.has(pid));
            return renewed && (await fetch(`${nodes.http}/readyz`)).status === 200;
          },
          60_000,
        );
      }
    } finally {
      await load.stop();
    }
    answered = load.answered;
  }, 180_000);
  afterAll(() => cluster?.stop());

  it("fails no command", () => {
    expect(answered.filter(({ token, reply }) => reply.payment?.state !== endOf(token))).toEqual([]);
    expect(answered.length).toBeGreaterThan(500);
  });

  it("holds no command up for over two seconds, from its publish to its answer", () => {
    const waits = answered.map(({ millis }) => millis);
    console.log(
      `${answered.length} payments through ${restarts} rolling restarts of 2 workers: the longest took ${Math.max(...waits)} ms`,
    );
    expect(Math.max(...waits)).toBeLessThan(longestWaitMillis);
  });

  it("leaves logs and ledger that agree", async () => {
    expect((await auditEverything(cluster.connection, cluster.simulator)).violations).toEqual([]);
  });

  it("drains within 15 seconds when the whole group is told to end", async () => {
    const beganAt = Date.now();
    expect(await nodes.stop()).toBe(0);
    expect(Date.now() - beganAt).toBeLessThan(15_000);
  });
});
