/**
 * 60 s of load while a random worker is killed with SIGKILL every 2 s, nats-server twice, and the gateway loses answers and
 * resets connections. Afterwards the gateway's ledger and the payments' logs must agree, and nothing may be forgotten.
 * Criteria 1, 2, 3, 7, 8, 11, 12, 14, 15 and 16 of facts/seed.md.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { auditEverything, type Audit } from "../support/auditor.ts";
import { runCli } from "../support/cli.ts";
import { median, readCommits, waitsFrom } from "../support/commits.ts";
import { startDeployment, type Deployment } from "../support/deployment.ts";
import { eventually } from "../support/eventually.ts";
import { clearFaults, orderFaults } from "../support/ledger.ts";
import { endOf, startLoad, type Answered } from "../support/load.ts";
import { createBody, publish, query } from "../support/plainClient.ts";

const loadMillis = 60_000;
const betweenKillsMillis = 2_000;
/** After which kills of a worker nats-server is killed too. */
const natsKills: ReadonlySet<number> = new Set([8, 18]);
const seed = 20_261_123;

/** Two workers with the same shards' fate: enough tries for thirty kills, look-ups within seconds, short timers. */
const settings = {
  timerFromMillis: 300,
  policy: { lookUpDelaysMillis: [0, 500, ...Array.from({ length: 30 }, () => 1_000)], maxRetries: 50 },
};

const queueLength = async ({ manager }: Deployment): Promise<number> => {
  const queues = ["PAYMENTS_COMMANDS", "PAYMENTS_TIMERS"].map((name) => manager.streams.info(name));
  return (await Promise.all(queues)).reduce((sum, { state }) => sum + state.messages, 0);
};

/** The same victims each time, as far as processes allow (mulberry32). */
const seededRandom = (from: number) => {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

describe("two workers killed with SIGKILL under load", () => {
  let deployment: Deployment;
  let accepted: ReadonlyArray<Answered>;
  let kills = 0;
  let audit: Audit;
  const killedAt: Array<number> = [];
  const takeOvers: Array<number> = [];

  beforeAll(async () => {
    deployment = await startDeployment({ workers: 2, settings });
    await orderFaults(deployment.simulator, {
      latencyMs: 20,
      latencyJitterMs: 30,
      partialFailureRate: 0.05,
      networkErrorRate: 0.05,
      http500Rate: 0.02,
      seed: 7,
    });
    const load = startLoad(deployment);
    const random = seededRandom(seed);
    const endAt = Date.now() + loadMillis;
    let next = Date.now() + betweenKillsMillis;
    try {
      while (next < endAt) {
        await new Promise((resolve) => setTimeout(resolve, next - Date.now()));
        next += betweenKillsMillis;
        const living = await deployment.workers();
        const victim = living[Math.floor(random() * living.length)];
        if (victim === undefined) continue;
        try {
          process.kill(victim.pid, "SIGKILL");
        } catch {
          // It has been killed a moment ago and its entry stands until it is buried.
          continue;
        }
        kills++;
        const withNats = natsKills.has(kills);
        if (withNats) process.kill(deployment.natsPid(), "SIGKILL");
        else killedAt.push(Date.now());
      }
    } finally {
      await load.stop();
    }
    accepted = load.answered;
    await clearFaults(deployment.simulator);
    await eventually("the queues to be empty", async () => (await queueLength(deployment)) === 0, 60_000);
    const commits = await readCommits(deployment.connection);
    for (const moment of killedAt) {
      const waits = waitsFrom(commits, moment, load.begun);
      if (waits.length > 0) takeOvers.push(Math.max(...waits));
    }
    audit = await auditEverything(deployment.connection, deployment.simulator);
    console.log(
      `${accepted.length} payments, ${kills} kills of a worker, ${natsKills.size} of nats-server, ${audit.charges.length} charges; ` +
        `after a kill the last payment in flight waited ${median(takeOvers)} ms (median), ${Math.max(...takeOvers)} ms (worst)`,
    );
  }, 240_000);

  afterAll(() => deployment?.stop());

  it("were killed every two seconds", () => expect(kills).toBeGreaterThanOrEqual(25));

  it("leave logs and ledger that agree: one charge for each SUCCESS, none besides (criteria 2, 3, 7, 11, 12, 14, 15)", () => {
    expect(audit.violations).toEqual([]);
  });

  it("forget nothing: no payment owes what neither command, timer nor parked entry holds, and nothing is parked", async () => {
    const debts = await runCli(["debts", "--json", "--nats-url", deployment.natsUrl]);
    expect(JSON.parse(debts.stdout)).toEqual([]);
    expect(debts.code).toBe(0);
    expect((await deployment.manager.streams.info("PAYMENTS_DEAD")).state.messages).toBe(0);
  });

  it("have lost no accepted payment (criterion 1)", () => {
    const lost = accepted.filter(({ payment }) => !audit.payments.has(`shop/${payment}`));
    expect(lost).toEqual([]);
    expect(accepted.length).toBeGreaterThan(500);
  });

  it("have answered and ended each as its token says (criteria 7 and 8)", () => {
    const wrong = accepted.filter(({ payment, token, reply }) => {
      const state = audit.payments.get(`shop/${payment}`)?.state.name;
      return state !== endOf(token) || reply.payment?.state !== state;
    });
    expect(wrong).toEqual([]);
  });

  it("answer a resubmission with the same payment and charge no more (criteria 8 and 16)", async () => {
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
