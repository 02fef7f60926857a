/**
 * SIGSTOP of the owner past its lease, with calls at the gateway and commits under way: the other worker takes over, and
 * the frozen one, woken, changes nothing. Criteria 11, 12, 17 and 18 of facts/seed.md.
 */
import { Kvm } from "@nats-io/kv";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { auditEverything, type Audit } from "../support/auditor.ts";
import { startDeployment, type Deployment } from "../support/deployment.ts";
import { eventually } from "../support/eventually.ts";
import { orderFaults } from "../support/ledger.ts";
import { startLoad, type Answered } from "../support/load.ts";

const freezes = 2;
/** The life of a lease, in the settings of this test, and what the design allows beyond it. */
const leaseTtlMillis = 3_000;
const takeOverMarginMillis = 3_000;

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis));

describe("an owner frozen past its lease", () => {
  let deployment: Deployment;
  let answered: ReadonlyArray<Answered>;
  let audit: Audit;
  const takeOversMillis: Array<number> = [];

  /** The process that holds all shards' leases; undefined while none, or several, do. */
  const owner = async (): Promise<number | undefined> => {
    const bucket = await new Kvm(deployment.connection).open("payments_leases");
    const pids = new Set<number | undefined>();
    for (let shard = 0; shard < 16; shard++) {
      const entry = await bucket.get(`shard-${shard}`);
      pids.add(entry?.operation === "PUT" ? entry.json<{ pid: number }>().pid : undefined);
    }
    return pids.size === 1 ? [...pids][0] : undefined;
  };

  beforeAll(async () => {
    const policy = { lookUpDelaysMillis: [0, 500, 1_000], maxRetries: 50 };
    const settings = { leaseTtlMillis, leaseRenewMillis: 800, policy };
    deployment = await startDeployment({ workers: 2, settings });
    // Slow enough that calls are under way at the moment of the freeze.
    await orderFaults(deployment.simulator, {
      latencyMs: 100,
      latencyJitterMs: 100,
      partialFailureRate: 0.02,
      seed: 3,
    });
    const load = startLoad(deployment);
    try {
      for (let round = 0; round < freezes; round++) {
        const frozen = await eventually("one owner of all shards", owner);
        await pause(1_000);
        process.kill(frozen, "SIGSTOP");
        const frozenAt = Date.now();
        await eventually("the other worker to hold all shards", async () => {
          const now = await owner();
          return now !== undefined && now !== frozen;
        });
        takeOversMillis.push(Date.now() - frozenAt);
        await pause(1_000);
        process.kill(frozen, "SIGCONT");
      }
      await pause(1_000);
    } finally {
      await load.stop();
    }
    answered = load.answered;
    const queueLength = async () => (await deployment.manager.streams.info("PAYMENTS_COMMANDS")).state.messages;
    await eventually("the queue to be empty", async () => (await queueLength()) === 0);
    audit = await auditEverything(deployment.connection, deployment.simulator);
    console.log(
      `${answered.length} payments, ${freezes} freezes, take-overs after ${takeOversMillis.join(" and ")} ms`,
    );
  }, 120_000);

  afterAll(() => deployment?.stop());

  it("loses its shards to the other worker within the lease and a margin (criterion 18)", () => {
    expect(Math.max(...takeOversMillis)).toBeLessThan(leaseTtlMillis + takeOverMarginMillis);
  });

  it("changes nothing when it is woken: logs and ledger agree, nobody is charged twice (criteria 11, 12 and 17)", () => {
    expect(audit.violations).toEqual([]);
  });

  it("leaves no payment without its answer", () => {
    const wrong = answered.filter(({ token, reply }) => {
      const expected = token === "tok_declined" ? "FAILURE" : "SUCCESS";
      return reply.payment?.state !== expected;
    });
    expect(wrong).toEqual([]);
    expect(answered.length).toBeGreaterThan(100);
  });
});
