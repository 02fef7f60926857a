/** A payment between two gateways, each with a ledger of its own: which one is asked when, and what comes late. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startCluster, startSimulatorProcess, type Cluster, type SimulatorProcess } from "../support/cluster.ts";
import { clearFaults, orderFaults } from "../support/ledger.ts";
import { lifecycleAt, type Lifecycle } from "../support/lifecycle.ts";
import { createBody, publish, query } from "../support/plainClient.ts";

let cluster: Cluster;
let other: SimulatorProcess;
/** The same payments, with the ledger of the first gateway and with that of the second. */
let first: Lifecycle;
let second: Lifecycle;

beforeAll(async () => {
  const policy = { retryDelaysMillis: [50], lookUpDelaysMillis: [0, 300, 300, 300], maxRetries: 2 };
  cluster = await startCluster({ timerFromMillis: 200, policy });
  other = await startSimulatorProcess(join(cluster.folder, "other"));
  const nobody = "http://127.0.0.1:1";
  const gateways = [
    { name: "first", type: "simulator", url: cluster.simulator },
    { name: "second", type: "simulator", url: other.url },
    { name: "nobody", type: "simulator", url: nobody },
  ];
  const file = join(cluster.folder, "gateways.json");
  writeFileSync(file, JSON.stringify({ gateways }));
  await cluster.startNodes({ nodeId: "two", workers: 2, env: { AEGISPAY_GATEWAYS: file } });
  first = lifecycleAt(cluster);
  second = lifecycleAt({ connection: cluster.connection, simulator: other.url });
}, 90_000);
afterEach(() => clearFaults(cluster.simulator));
afterAll(async () => {
  await cluster?.stop();
  await other?.stop();
});

/** As a webhook would: it says that there is news, not what. */
const notify = (payment: string) =>
  cluster.connection.request(`payments.internal.shop.${payment}.notify`, "", { timeout: 5_000 });

const declinedAtFirst = async (payment: string, capture: "automatic" | "manual" = "automatic") => {
  await orderFaults(cluster.simulator, { declineRate: 1, declineCode: "try_again_later" });
  const reply = await first.create(payment, { capture });
  await clearFaults(cluster.simulator);
  return reply;
};

describe("an attempt", () => {
  it("that is declined for a reason another gateway may overcome is followed by one there", async () => {
    const reply = await declinedAtFirst("moved-on");
    expect(reply).toMatchObject({
      ok: true,
      payment: { state: "SUCCESS", gateway: "second", attempts: [{ status: "FAILED" }, { status: "SUCCEEDED" }] },
    });
    expect(await first.charges("moved-on")).toMatchObject([{ status: "declined", captured: 0 }]);
    expect(await second.charges("moved-on")).toMatchObject([{ status: "succeeded", captured: 100 }]);
    expect(await first.events("moved-on")).toEqual(expect.arrayContaining(["AttemptDeclined", "PaymentSucceeded"]));
  });

  it("that surely was never sent is followed by one elsewhere", async () => {
    const body = { ...createBody("tok_visa", 100), gateway: "nobody" };
    await publish(cluster.connection, { payment: "never-sent", body });
    await first.until("never-sent", "its end", ({ state }) => state === "SUCCESS");
    expect(await first.charges("never-sent")).toMatchObject([{ captured: 100 }]);
  });

  it("whose outcome is unknown is followed by none, however long that takes", async () => {
    // Charged, and then neither the answer nor any look-up comes back.
    await orderFaults(cluster.simulator, { http500Rate: 1, partialFailureRate: 1, seed: 3 });
    await publish(cluster.connection, { payment: "unknown", body: createBody("tok_visa", 100) });
    await first.until("unknown", "review", ({ state }) => state === "NEEDS_REVIEW");
    expect(await second.charges("unknown")).toEqual([]);
    const { payment } = await query(cluster.connection, "unknown", "get");
    expect(payment?.attempts).toHaveLength(1);
  });
});

describe("a success that comes late, of an attempt that was given up", () => {
  it("is given back where it was made; the winner stands", async () => {
    await declinedAtFirst("two-charges");
    const [late] = await first.charges("two-charges");
    await first.post(`/admin/charges/${late!.id}/succeed`);
    await notify("two-charges");
    const after = await first.until("two-charges", "the refund", ({ refunds }) => refunds[0]?.status === "SUCCEEDED");
    expect(after).toMatchObject({
      state: "SUCCESS",
      captured: 100,
      refunded: 0,
      refunds: [{ purpose: "compensation" }],
    });
    expect(await first.charges("two-charges")).toMatchObject([{ captured: 100, refunded: 100 }]);
    expect(await second.charges("two-charges")).toMatchObject([{ captured: 100, refunded: 0 }]);
    expect(await second.refund("two-charges", 100, "refund-1")).toMatchObject({ payment: { refunded: 100 } });
    expect(await second.charges("two-charges")).toMatchObject([{ captured: 100, refunded: 100 }]);
  });

  it("is voided where it was only authorized", async () => {
    await declinedAtFirst("two-holds", "manual");
    const [late] = await first.charges("two-holds");
    await first.post(`/admin/charges/${late!.id}/succeed`);
    await notify("two-holds");
    await first.until("two-holds", "the void", ({ voids }) => voids[0]?.status === "SUCCEEDED");
    expect(await first.charges("two-holds")).toMatchObject([{ status: "voided", captured: 0 }]);
    expect(await second.capture("two-holds", 100, "capture-1")).toMatchObject({ payment: { state: "SUCCESS" } });
    expect(await second.charges("two-holds")).toMatchObject([{ captured: 100 }]);
  });
});
