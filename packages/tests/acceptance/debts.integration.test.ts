/** The checker of law 5, as an operator runs it against a deployment that works. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../support/cli.ts";
import { startDeployment, type Deployment } from "../support/deployment.ts";
import { eventually } from "../support/eventually.ts";
import { orderFaults } from "../support/ledger.ts";
import { ask, createBody, publish } from "../support/plainClient.ts";

interface DebtRow {
  readonly merchant: string;
  readonly paymentId: string;
  readonly state: string;
  readonly owes: string;
  readonly due: string;
  readonly heldBy: ReadonlyArray<string>;
}

let deployment: Deployment;
beforeAll(async () => {
  deployment = await startDeployment({
    // An unknown outcome waits for half an hour to an hour, on a timer: longer than this file runs on any machine.
    settings: { timerFromMillis: 200, policy: { lookUpDelaysMillis: [3_600_000] } },
  });
}, 90_000);
afterAll(() => deployment?.stop());

const debts = async () => {
  const result = await runCli(["debts", "--json"], { AEGISPAY_NATS_URL: deployment.natsUrl });
  return { code: result.code, rows: JSON.parse(result.stdout) as ReadonlyArray<DebtRow>, stderr: result.stderr };
};

const timerSubjects = async (payment: string): Promise<ReadonlyArray<string>> => {
  const filter = `payments.timer.shop.${payment}.*.*`;
  const info = await deployment.manager.streams.info("PAYMENTS_TIMERS", { subjects_filter: filter });
  return Object.keys(info.state.subjects ?? {});
};

/** Position of its timer in the stream: another one once it has been armed again. */
const timerSequence = async (payment: string): Promise<number> => {
  const [subject] = await timerSubjects(payment);
  const stored = await deployment.manager.streams.getMessage("PAYMENTS_TIMERS", { last_by_subj: subject! });
  return stored!.seq;
};

const waitForTimer = (payment: string) =>
  eventually(`payment ${payment} waits on a timer`, async () => (await timerSubjects(payment)).length === 1);

/** Whoever owned the payments is gone with what it remembered; another process takes its place. */
const killWorker = async (): Promise<void> => {
  const [before] = await deployment.workers();
  process.kill(before!.pid, "SIGKILL");
  await eventually("another worker lives", async () => {
    const [now] = await deployment.workers();
    return now !== undefined && now.pid !== before!.pid;
  });
};

describe("aegispay debts", () => {
  it("finds nothing owed where all payments have ended, and exits 0", async () => {
    expect((await ask(deployment.connection, { payment: "ended", body: createBody() })).ok).toBe(true);
    expect(await debts()).toMatchObject({ code: 0, rows: [] });
    const people = await runCli(["debts"], { AEGISPAY_NATS_URL: deployment.natsUrl });
    expect([people.code, people.stdout]).toEqual([0, "no payment owes anything\n"]);
  });

  it("names what payments owe and the timers that hold it, and exits 0", async () => {
    await orderFaults(deployment.simulator, { partialFailureRate: 1 });
    for (const payment of ["w1", "w2", "w3"]) await publish(deployment.connection, { payment, body: createBody() });
    for (const payment of ["w1", "w2", "w3"]) await waitForTimer(payment);
    const { code, rows } = await debts();
    expect(code).toBe(0);
    expect(rows.map(({ paymentId }) => paymentId).toSorted()).toEqual(["w1", "w2", "w3"]);
    for (const row of rows) {
      expect(row).toMatchObject({ merchant: "shop", state: "OUTCOME_UNKNOWN", owes: "lookUp 1/1", heldBy: ["timer"] });
      expect(Date.parse(row.due)).toBeGreaterThan(Date.now());
    }
  });

  it("reports a payment whose timer has gone, first and as forgotten, and exits 1", async () => {
    await deployment.manager.streams.purge("PAYMENTS_TIMERS", { filter: (await timerSubjects("w2"))[0]! });
    const { code, rows, stderr } = await debts();
    expect(code).toBe(1);
    expect(rows.map(({ paymentId, heldBy }) => [paymentId, heldBy])).toEqual([
      ["w2", []],
      ...rows.slice(1).map(({ paymentId }) => [paymentId, ["timer"]]),
    ]);
    expect(rows).toHaveLength(3);
    expect(stderr).toContain("FORGOTTEN");
    const people = await runCli(["debts"], { AEGISPAY_NATS_URL: deployment.natsUrl });
    expect(people.code).toBe(1);
    expect(people.stdout).toMatch(/shop\/w2 .*FORGOTTEN/);
  });

  it("is content again when an owner was told to look at the payment", async () => {
    await killWorker();
    await deployment.connection.request("payments.internal.shop.w2.resume", "");
    await waitForTimer("w2");
    expect(await debts()).toMatchObject({ code: 0, rows: { length: 3 } });
  });

  it("takes a refused command that was parked for no holder", async () => {
    const before = await timerSequence("w3");
    await publish(deployment.connection, { payment: "w3", body: createBody("tok_visa", 5) });
    await eventually("the refused command is parked", async () => {
      const { state } = await deployment.manager.streams.info("PAYMENTS_DEAD");
      return state.messages === 1;
    });
    // The owner that met the command is another than the one that armed the timer, and arms it too.
    await eventually("its owner has armed it", async () => (await timerSequence("w3")) > before);
    await deployment.manager.streams.purge("PAYMENTS_TIMERS", { filter: "payments.timer.shop.w3.*.*" });
    const { code, rows } = await debts();
    expect([code, rows[0]]).toMatchObject([1, { paymentId: "w3", heldBy: [] }]);
  });

  it("takes a payment that was parked for held", async () => {
    const letter = {
      payment: { merchant: "shop", paymentId: "w3" },
      source: "due",
      verb: "round",
      code: "Parked",
      reason: "it ended its process",
      message: "due/5/1",
      at: new Date().toISOString(),
    };
    await deployment.connection.request("payments.dead.shop.w3.round", JSON.stringify(letter));
    const { code, rows } = await debts();
    expect(code).toBe(0);
    expect(rows.find(({ paymentId }) => paymentId === "w3")).toMatchObject({ heldBy: ["parked"] });
  });
});

describe("aegispay shards --recovery", () => {
  it("shows what the take-overs of each shard found, newest first", async () => {
    const recovery = () => runCli(["shards", "--recovery", "--json"], { AEGISPAY_NATS_URL: deployment.natsUrl });
    const reports = await eventually("every shard has been recovered", async () => {
      const read = JSON.parse((await recovery()).stdout) as ReadonlyArray<Readonly<Record<string, unknown>>>;
      return new Set(read.map(({ shard }) => shard)).size === 16 && read;
    });
    expect(reports.map(({ at }) => at)).toEqual(
      reports
        .map(({ at }) => at)
        .toSorted()
        .toReversed(),
    );
    expect(reports[0]).toMatchObject({ node: "node-1", complete: true, failedRecoveries: 0 });
    const people = await runCli(["shards", "--recovery"], { AEGISPAY_NATS_URL: deployment.natsUrl });
    expect(people.stdout).toMatch(/shard +totalPayments +inFlightPayments +recoveredPayments/);
  });
});
