/**
 * Durable timers under fire: a storm of them due at once, with the worker that armed them killed; a zombie that wakes and
 * cancels what it once armed; nats-server killed between arming and firing. Criteria 5, 6, 7 and 21 of facts/seed.md.
 */
import { afterEach, describe, expect, it } from "vitest";
import { auditEverything } from "../support/auditor.ts";
import { runCli } from "../support/cli.ts";
import { startCluster, type Cluster } from "../support/cluster.ts";
import { readCommits } from "../support/commits.ts";
import { eventually } from "../support/eventually.ts";
import { withoutBreaker } from "../support/gatewayFile.ts";
import { clearFaults, orderFaults, takenFor } from "../support/ledger.ts";
import { createBody, publish, query } from "../support/plainClient.ts";

const settings = (lookUpDelaysMillis: ReadonlyArray<number>, more: Readonly<Record<string, unknown>> = {}) => ({
  leaseTtlMillis: 3_000,
  leaseRenewMillis: 800,
  handOverMillis: 500,
  timerFromMillis: 200,
  policy: { lookUpDelaysMillis, maxRetries: 50 },
  ...more,
});

const messagesIn = async ({ manager }: Cluster, stream: string): Promise<number> =>
  (await manager.streams.info(stream)).state.messages;

const debtsOf = async (cluster: Cluster) => {
  const { code, stdout } = await runCli(["debts", "--json", "--nats-url", cluster.nats.url]);
  return {
    code,
    owed: JSON.parse(stdout) as ReadonlyArray<{ readonly paymentId: string; readonly heldBy: ReadonlyArray<string> }>,
  };
};

describe("payments that wait on durable timers", () => {
  let cluster: Cluster | undefined;
  afterEach(() => cluster?.stop());

  const create = async ({ connection }: Cluster, ids: ReadonlyArray<string>) => {
    for (let from = 0; from < ids.length; from += 200) {
      await Promise.all(
        ids.slice(from, from + 200).map((payment) => publish(connection, { payment, body: createBody() })),
      );
    }
  };

  it(
    "all go on when thousands are due at once and the workers that armed them have been killed",
    { timeout: 180_000 },
    async () => {
      const storm = 3_000;
      cluster = await startCluster(settings([15_000, 1_000, 1_000, 1_000]));
      const running = cluster;
      await cluster.startNodes({ nodeId: "node", workers: 2, env: withoutBreaker(cluster) });
      await orderFaults(cluster.simulator, { partialFailureRate: 1, seed: 1 });
      await create(
        cluster,
        Array.from({ length: storm }, (_, index) => `storm-${index}`),
      );
      await eventually(
        "every payment to wait on its timer, and none in the queue",
        async () => {
          return (
            (await messagesIn(running, "PAYMENTS_TIMERS")) >= storm &&
            (await messagesIn(running, "PAYMENTS_COMMANDS")) === 0
          );
        },
        60_000,
      );
      const waiting = await debtsOf(cluster);
      expect(waiting.code).toBe(0);
      expect(waiting.owed.every(({ heldBy }) => heldBy.includes("timer") || heldBy.includes("due"))).toBe(true);
      for (const { pid } of await cluster.members()) process.kill(pid, "SIGKILL");
      await clearFaults(cluster.simulator);
      await eventually(
        "all timers to have fired and to be acked",
        async () => (await messagesIn(running, "PAYMENTS_TIMERS")) === 0,
        90_000,
      );
      const audit = await auditEverything(cluster.connection, cluster.simulator);
      expect(audit.violations).toEqual([]);
      expect([...audit.payments.values()].filter(({ state }) => state.name === "SUCCESS")).toHaveLength(storm);
    },
  );

  it("are looked up on time although a zombie wakes and cancels what it once armed", { timeout: 120_000 }, async () => {
    cluster = await startCluster(settings([6_000, 8_000, 8_000, 8_000]));
    const running = cluster;
    const env = withoutBreaker(cluster);
    await cluster.startNodes({ nodeId: "zombie", workers: 1, env });
    await orderFaults(cluster.simulator, { partialFailureRate: 1, seed: 1 });
    const ids = Array.from({ length: 100 }, (_, index) => `wait-${index}`);
    await create(cluster, ids);
    await eventually("every payment to wait on its timer", async () => {
      return (
        (await messagesIn(running, "PAYMENTS_TIMERS")) === ids.length &&
        (await messagesIn(running, "PAYMENTS_COMMANDS")) === 0
      );
    });
    const armed = async () => {
      const filter = { subjects_filter: "payments.timer.>" };
      const { state } = await running.manager.streams.info("PAYMENTS_TIMERS", filter);
      return Object.keys(state.subjects ?? {});
    };
    // The look-ups will get no answer, so that the successor arms later timers than the zombie knows of.
    await orderFaults(cluster.simulator, { networkErrorRate: 1, seed: 1 });
    const [zombie] = await cluster.members();
    process.kill(zombie!.pid, "SIGSTOP");
    const known = new Set(await armed());
    await cluster.startNodes({ nodeId: "successor", workers: 1, env });
    await eventually("the successor to have armed a later timer for each", async () => {
      const now = await armed();
      return now.length === ids.length && now.every((subject) => !known.has(subject));
    });
    process.kill(zombie!.pid, "SIGCONT");
    // What the zombie armed is moot by now; this is how a node cancels it.
    for (const filter of known) await running.manager.streams.purge("PAYMENTS_TIMERS", { filter });
    await clearFaults(cluster.simulator);
    await eventually(
      "all of them to succeed",
      async () => (await messagesIn(running, "PAYMENTS_TIMERS")) === 0,
      60_000,
    );
    const audit = await auditEverything(cluster.connection, cluster.simulator);
    expect(audit.violations).toEqual([]);
    for (const id of ids) expect(audit.payments.get(`shop/${id}`)?.state.name).toBe("SUCCESS");
  });

  it("are looked up although nats-server was killed while they waited", { timeout: 120_000 }, async () => {
    cluster = await startCluster(settings([4_000, 1_000, 1_000, 1_000]));
    const running = cluster;
    await cluster.startNodes({ nodeId: "node", workers: 2 });
    await orderFaults(cluster.simulator, { partialFailureRate: 1, seed: 1 });
    const ids = Array.from({ length: 100 }, (_, index) => `outage-${index}`);
    await create(cluster, ids);
    await eventually(
      "every payment to wait on its timer",
      async () => (await messagesIn(running, "PAYMENTS_TIMERS")) === ids.length,
    );
    await cluster.nats.kill();
    await cluster.nats.startAgain();
    await clearFaults(cluster.simulator);
    await eventually(
      "all of them to succeed",
      async () => {
        const left = await messagesIn(running, "PAYMENTS_TIMERS").catch(() => 1);
        return (
          left === 0 &&
          [...(await readCommits(running.connection)).values()].every((seen) => seen.at(-1)?.state === "SUCCESS")
        );
      },
      60_000,
    );
    expect((await auditEverything(cluster.connection, cluster.simulator)).violations).toEqual([]);
  });

  it(
    "become SUCCESS, or FAILURE, by what the gateway answers, within its time-out and ten seconds (criteria 5 and 6)",
    { timeout: 120_000 },
    async () => {
      cluster = await startCluster(settings([5_000, 1_000, 1_000, 1_000], { timerFromMillis: 1_000 }));
      await cluster.startNodes({ nodeId: "node", workers: 1 });
      const { connection, simulator } = cluster;
      // The gateway does what it was told and then says nothing for longer than anyone waits.
      await orderFaults(simulator, { timeoutRate: 1, timeoutDelayMs: 60_000, seed: 1 });
      await publish(connection, { payment: "charged", body: createBody() });
      await publish(connection, { payment: "declined", body: createBody("tok_declined") });
      const unknown = async (payment: string) =>
        (await query(connection, payment, "get").catch(() => undefined))?.payment?.state === "OUTCOME_UNKNOWN";
      await eventually(
        "both outcomes to be unknown, neither guessed (criterion 21)",
        async () => (await unknown("charged")) && unknown("declined"),
        30_000,
      );
      await clearFaults(simulator);
      const answersAgain = Date.now();
      const ends = async (payment: string, state: string) =>
        (await query(connection, payment, "get")).payment?.state === state;
      await eventually(
        "the gateway's answer to be recorded",
        async () => (await ends("charged", "SUCCESS")) && ends("declined", "FAILURE"),
        20_000,
      );
      expect(Date.now() - answersAgain).toBeLessThan(20_000);
      expect(await takenFor(simulator, "shop/charged")).toHaveLength(1);
      expect(await takenFor(simulator, "shop/declined")).toEqual([]);
    },
  );
});
