/**
 * SIGKILL under load: the node ten times in 30 s, nats-server once, while the gateway loses answers and resets
 * connections. Afterwards the gateway's ledger and the payments' logs must agree.
 * Criteria 1, 2, 3, 7, 8, 11, 12, 14 and 15 of facts/seed.md.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { auditEverything, type Audit } from "../support/auditor.ts";
import { startDeployment, type Deployment } from "../support/deployment.ts";
import { eventually } from "../support/eventually.ts";
import { clearFaults, orderFaults } from "../support/ledger.ts";
import { startLoad, type Answered } from "../support/load.ts";
import { createBody, publish, query } from "../support/plainClient.ts";

const workerKills = 10;
const betweenKillsMillis = 1_500;
const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis));

const queueLength = async ({ manager }: Deployment): Promise<number> =>
  (await manager.streams.info("PAYMENTS_COMMANDS")).state.messages;

describe("a node killed with SIGKILL under load", () => {
  let deployment: Deployment;
  let accepted: ReadonlyArray<Answered>;
  let kills = 0;
  let killingSeconds = 0;
  let audit: Audit;

  beforeAll(async () => {
    // Look-ups at once and then every second or two, not after minutes as in production; and more tries than the three
    // retries of the default, since every kill uses one up whether it was sent or not.
    const policy = { lookUpDelaysMillis: [0, 500, 1_000, 2_000], maxRetries: 50 };
    deployment = await startDeployment({ settings: { policy } });
    await orderFaults(deployment.simulator, {
      latencyMs: 20,
      latencyJitterMs: 30,
      partialFailureRate: 0.05,
      networkErrorRate: 0.05,
      http500Rate: 0.02,
      seed: 7,
    });
    const load = startLoad(deployment);
    const killed = new Set<number>();
    const beganAt = Date.now();
    try {
      for (let round = 0; round < workerKills; round++) {
        const victim = await eventually("a fresh worker to kill", async () =>
          (await deployment.workers()).find(({ pid }) => !killed.has(pid)),
        );
        await pause(betweenKillsMillis);
        killed.add(victim.pid);
        process.kill(victim.pid, "SIGKILL");
        kills++;
        if (round === 4) process.kill(deployment.natsPid(), "SIGKILL");
      }
      killingSeconds = (Date.now() - beganAt) / 1000;
    } finally {
      await load.stop();
    }
    accepted = load.answered;
    await clearFaults(deployment.simulator);
    await eventually("the queue to be empty", async () => (await queueLength(deployment)) === 0, 60_000);
    audit = await auditEverything(deployment.connection, deployment.simulator);
    console.log(
      `${accepted.length} payments accepted, ${kills} kills of the node in ${killingSeconds.toFixed(0)} s, 1 of nats-server, ${audit.charges.length} charges`,
    );
  }, 180_000);

  afterAll(() => deployment?.stop());

  it("was killed as often as the test says", () => expect(kills).toBe(workerKills));

  it("leaves logs and ledger that agree: one charge for each SUCCESS, none besides (criteria 2, 3, 7, 11, 12, 14, 15)", () => {
    expect(audit.violations).toEqual([]);
  });

  it("has lost no accepted payment (criterion 1)", () => {
    const lost = accepted.filter(({ payment }) => !audit.payments.has(`shop/${payment}`));
    expect(lost).toEqual([]);
    expect(accepted.length).toBeGreaterThan(500);
  });

  it("has answered and ended each as its token says (criteria 7 and 8)", () => {
    const wrong = accepted.filter(({ payment, token, reply }) => {
      const state = audit.payments.get(`shop/${payment}`)?.state.name;
      return state !== (token === "tok_declined" ? "FAILURE" : "SUCCESS") || reply.payment?.state !== state;
    });
    expect(wrong).toEqual([]);
  });

  it("answers a resubmission with the same payment and charges no more (criterion 8)", async () => {
    const chargesBefore = audit.charges.length;
    for (const { payment, token } of accepted.slice(0, 50))
      await publish(deployment.connection, { payment, body: createBody(token) });
    await eventually("the queue to be empty", async () => (await queueLength(deployment)) === 0);
    const after = await auditEverything(deployment.connection, deployment.simulator);
    expect(after.violations).toEqual([]);
    expect(after.charges.length).toBe(chargesBefore);
    const first = await query(deployment.connection, accepted[0]!.payment, "get");
    expect(first.payment?.version).toBe(audit.payments.get(`shop/${accepted[0]!.payment}`)?.state.version);
  });
});
