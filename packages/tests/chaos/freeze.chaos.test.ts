/**
 * SIGSTOP of an owner past its lease: with calls at the gateway, with appends in its queue, with nothing but open pulls.
 * Another worker takes over, the frozen one is woken when that has finished, and changes nothing. Criteria 11, 12, 16, 17
 * and 18 of facts/seed.md.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { auditEverything, type Audit } from "../support/auditor.ts";
import { startCluster, type Cluster } from "../support/cluster.ts";
import { median, readCommits, waitsFrom } from "../support/commits.ts";
import { eventually } from "../support/eventually.ts";
import { clearFaults, orderFaults, readLedger } from "../support/ledger.ts";
import { endOf, startLoad, type Answered } from "../support/load.ts";
import { createBody, publish } from "../support/plainClient.ts";

/** The life of a lease, in the settings of this test, and how much longer than that anything may wait. */
const leaseTtlMillis = 3_000;
const marginMillis = 2_000;
const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis));

interface Variant {
  readonly story: string;
  readonly faults: Readonly<Record<string, number>>;
  readonly lanes: number;
  readonly freezes: number;
}

const variants: ReadonlyArray<Variant> = [
  { story: "with calls at the gateway", faults: { latencyMs: 800, latencyJitterMs: 400 }, lanes: 32, freezes: 2 },
  { story: "with appends in its queue", faults: {}, lanes: 128, freezes: 3 },
];

const settings = {
  leaseTtlMillis,
  leaseRenewMillis: 800,
  handOverMillis: 500,
  policy: { lookUpDelaysMillis: [0, 250, 500, 1_000, 1_000, 1_000, 1_000, 1_000], maxRetries: 50 },
};

/** A worker that holds shards now. */
const anOwner = (cluster: Cluster) =>
  eventually("both workers to hold shards", async () => {
    const members = await cluster.members();
    const owners = await cluster.owners();
    const settled = owners.every((owner) => owner !== undefined) && new Set(owners).size === 2;
    return settled && members.length === 2 && members[0];
  });

describe("an owner frozen past its lease", () => {
  let cluster: Cluster;
  const waits: Array<number> = [];
  const takeOvers: Array<number> = [];

  beforeAll(async () => {
    cluster = await startCluster(settings);
    await cluster.startNodes({ nodeId: "node", workers: 2 });
  });
  afterAll(() => cluster?.stop());

  describe.each(variants)("$story", ({ story, faults, lanes, freezes }) => {
    let answered: ReadonlyArray<Answered>;
    let audit: Audit;

    beforeAll(async () => {
      await orderFaults(cluster.simulator, { ...faults, partialFailureRate: 0.02, seed: 3 });
      const load = startLoad(cluster, { prefix: story.replaceAll(" ", "-"), lanes });
      try {
        for (let round = 0; round < freezes; round++) {
          const frozen = await anOwner(cluster);
          await pause(1_000 + 70 * round);
          process.kill(frozen.pid, "SIGSTOP");
          const frozenAt = Date.now();
          try {
            await pause(leaseTtlMillis + marginMillis);
            const waited = waitsFrom(await readCommits(cluster.connection), frozenAt, load.begun);
            waits.push(...waited);
            takeOvers.push(Math.max(...waited));
          } finally {
            process.kill(frozen.pid, "SIGCONT");
          }
        }
        await pause(1_000);
      } finally {
        await load.stop();
      }
      answered = load.answered;
      await clearFaults(cluster.simulator);
      await eventually("the queue to be empty", async () => {
        return (await cluster.manager.streams.info("PAYMENTS_COMMANDS")).state.messages === 0;
      });
      audit = await auditEverything(cluster.connection, cluster.simulator);
    }, 120_000);

    it("changes nothing when it is woken: logs and ledger agree, nobody is charged twice (criteria 11, 12 and 17)", () => {
      expect(audit.violations).toEqual([]);
    });

    it("leaves no payment without its answer", () => {
      expect(answered.filter(({ token, reply }) => reply.payment?.state !== endOf(token))).toEqual([]);
      expect(answered.length).toBeGreaterThan(50);
    });
  });

  it("with pulls open: what is published afterwards reaches its successor, and nothing reaches it when it is woken", async () => {
    const frozen = await anOwner(cluster);
    process.kill(frozen.pid, "SIGSTOP");
    const frozenAt = Date.now();
    const begun = new Map<string, number>();
    try {
      for (let index = 0; index < 100; index++) {
        begun.set(`shop/idle-${index}`, frozenAt);
        await publish(cluster.connection, { payment: `idle-${index}`, body: createBody() });
      }
      await pause(leaseTtlMillis + marginMillis - (Date.now() - frozenAt));
      const waited = waitsFrom(await readCommits(cluster.connection), frozenAt, begun);
      expect(waited).toHaveLength(100);
      waits.push(...waited);
      takeOvers.push(Math.max(...waited));
      await eventually("all of them to be charged", async () => {
        const charges = await readLedger(cluster.simulator);
        return charges.filter(({ reference }) => reference.startsWith("shop/idle-")).length === 100;
      });
    } finally {
      process.kill(frozen.pid, "SIGCONT");
    }
    await anOwner(cluster);
    expect((await auditEverything(cluster.connection, cluster.simulator)).violations).toEqual([]);
  }, 60_000);

  it("holds up nothing for longer than its lease and two seconds, from the freeze to the next commit (criterion 18)", () => {
    const worst = Math.max(...takeOvers);
    console.log(
      `${takeOvers.length} freezes with a lease of ${leaseTtlMillis} ms, ${waits.length} payments in flight: ` +
        `the last of each waited ${median(takeOvers)} ms (median), ${worst} ms (worst)`,
    );
    expect(worst).toBeLessThan(leaseTtlMillis + marginMillis);
  });
});
