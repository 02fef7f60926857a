/** One gateway that never answers, and one merchant with thousands of payments, stop nobody else: real processes, two simulators. */
import { join } from "node:path";
import { jetstream } from "@nats-io/jetstream";
import { afterEach, expect, it } from "vitest";
import { startCluster, startSimulatorProcess, type Cluster, type SimulatorProcess } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { gatewayFile } from "../support/gatewayFile.ts";
import { orderFaults, readLedger } from "../support/ledger.ts";
import { ask, createBody, query } from "../support/plainClient.ts";

/** More than the windows of all shards hold: 16 of 128. */
const flood = 4_000;
const publishesInFlight = 500;
/** No call to the silent gateway ends sooner: the runtime gives it up after 25 s. */
const silenceMillis = 25_000;

let cluster: Cluster | undefined;
let other: SimulatorProcess | undefined;
afterEach(async () => {
  await cluster?.stop();
  await other?.stop();
}, 60_000);

const start = async (resilience: { readonly silent?: unknown; readonly quick?: unknown }) => {
  cluster = await startCluster();
  other = await startSimulatorProcess(join(cluster.folder, "silent"));
  const gateways = [
    // No breaker: what is tried here has to do without it.
    { name: "silent", type: "simulator", url: other.url, timeoutMillis: 60_000, resilience: resilience.silent },
    { name: "quick", type: "simulator", url: cluster.simulator, resilience: resilience.quick },
  ];
  await cluster.startNodes({ nodeId: "east", env: gatewayFile(cluster.folder, { gateways }) });
  return { cluster, silent: other.url };
};

/** Publishes thousands of creates of one merchant, and waits for none of them. */
const publishFlood = async ({ connection }: Cluster, gateway: string): Promise<void> => {
  const publisher = jetstream(connection, { timeout: 30_000 });
  const body = JSON.stringify({ ...createBody(), gateway });
  let next = 0;
  const lane = async () => {
    while (next < flood) await publisher.publish(`payments.command.flood.p${next++}.create`, body);
  };
  await Promise.all(Array.from({ length: publishesInFlight }, lane));
};

const answered = async ({ connection }: Cluster, gateway: string, count: number, withinMillis: number) => {
  const payments = Array.from({ length: count }, (_, index) => `shop-${index}`);
  const replies = await Promise.all(
    payments.map((payment) => ask(connection, { payment, body: { ...createBody(), gateway } }, withinMillis)),
  );
  for (const reply of replies) expect(reply).toMatchObject({ ok: true, payment: { state: "SUCCESS" } });
};

it(
  "a gateway that never answers stops no payment at another gateway, though all payments share their shards",
  { timeout: 120_000 },
  async () => {
    const { cluster: nodes, silent } = await start({ silent: { failureThreshold: 1_000 } });
    await orderFaults(silent, { latencyMs: 3_600_000 });
    const startedAt = Date.now();
    await publishFlood(nodes, "silent");
    await answered(nodes, "quick", 40, silenceMillis - (Date.now() - startedAt));
    expect(Date.now() - startedAt).toBeLessThan(silenceMillis);
    expect((await readLedger(silent)).length).toBe(0);
    const { events = [] } = await eventually("a payment of the flood to be held back", async () => {
      const found = await query(nodes.connection, `p${flood - 1}`, "events", {}, "flood");
      return found.events?.some(({ type }) => type === "AttemptNotSent") === true && found;
    });
    expect(events.find(({ type }) => type === "AttemptNotSent")).toMatchObject({
      data: { heldBack: true, last: false },
    });
  },
);

it(
  "one merchant's thousands of payments do not keep another's few waiting at the same gateway",
  { timeout: 120_000 },
  async () => {
    // Twenty calls a second: the flood alone takes minutes.
    const { cluster: nodes } = await start({ quick: { concurrentCalls: 4 } });
    await orderFaults(nodes.simulator, { latencyMs: 200 });
    await publishFlood(nodes, "quick");
    await answered(nodes, "quick", 10, 30_000);
    const charges = await readLedger(nodes.simulator);
    expect(charges.filter(({ reference }) => reference.startsWith("flood/")).length).toBeLessThan(flood / 2);
  },
);
