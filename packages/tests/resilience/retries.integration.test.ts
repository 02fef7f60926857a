/** The knobs of one gateway, with real processes: retries (criterion 20), Retry-After, calls a second. */
import { createServer, type AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startCluster, type Cluster } from "../support/cluster.ts";
import { gatewayFile } from "../support/gatewayFile.ts";
import { clearFaults, orderFaults, readLedger } from "../support/ledger.ts";
import { ask, createBody, query } from "../support/plainClient.ts";

const retries = { maxRetries: 2, initialDelayMillis: 200, maxDelayMillis: 300, backoffMultiplier: 2 };
const waitsMillis = [200, 300];

let cluster: Cluster;

/** A port that nobody listens on: each try is refused, and certainly was not sent. */
const closedPort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

beforeAll(async () => {
  cluster = await startCluster();
  const gateways = [
    {
      name: "away",
      type: "simulator",
      url: `http://127.0.0.1:${await closedPort()}`,
      resilience: { ...retries, failureThreshold: 1_000 },
    },
    {
      name: "busy",
      type: "simulator",
      url: cluster.simulator,
      resilience: { initialDelayMillis: 10, maxRetries: 20, failureThreshold: 1 },
    },
    { name: "slow", type: "simulator", url: cluster.simulator, resilience: { callsPerSecond: 5, burst: 1 } },
  ];
  await cluster.startNodes({ nodeId: "east", env: gatewayFile(cluster.folder, { gateways }) });
}, 60_000);
afterAll(() => cluster?.stop(), 60_000);

const create = (payment: string, gateway: string) =>
  ask(cluster.connection, { payment, body: { ...createBody(), gateway } }, 60_000);

interface Round {
  readonly due: string;
  readonly action: string;
}

const eventsOf = async (payment: string) => (await query(cluster.connection, payment, "events")).events ?? [];

/** Between a try that was not sent and the next one, in milliseconds. */
const waitsOf = async (payment: string): Promise<ReadonlyArray<number>> =>
  (await eventsOf(payment))
    .filter(({ type }) => type === "RoundStarted")
    .map(({ at, data }) => Date.parse((data as Round).due) - Date.parse(at));

it("a gateway that refuses is tried once and maxRetries times more, after waits that are capped and jittered (criterion 20)", async () => {
  await create("refused", "away");
  const events = await eventsOf("refused");
  const tries = events.filter(({ type }) => type === "AttemptNotSent");
  expect(tries.map(({ data }) => (data as { last: boolean }).last)).toEqual([false, false, true]);
  const waits = await waitsOf("refused");
  for (const [index, most] of waitsMillis.entries()) {
    expect(waits[index]).toBeGreaterThanOrEqual(most / 2);
    expect(waits[index]).toBeLessThanOrEqual(most);
  }
  // All of it was certain, so another gateway had the payment next.
  expect(events.filter(({ type }) => type === "AttemptStarted")).toHaveLength(2);
});

it("a gateway that has too much to do is left alone for as long as it asks, and its breaker stays closed", async () => {
  await orderFaults(cluster.simulator, { rateLimitPerSecond: 1 });
  const payments = Array.from({ length: 4 }, (_, index) => `busy-${index}`);
  const replies = await Promise.all(payments.map((payment) => create(payment, "busy")));
  await clearFaults(cluster.simulator);
  for (const reply of replies) expect(reply).toMatchObject({ ok: true, payment: { state: "SUCCESS" } });
  const waits = (await Promise.all(payments.map(waitsOf))).flat();
  expect(waits.length).toBeGreaterThan(0);
  // The simulator says "Retry-After: 1".
  for (const wait of waits) expect(wait).toBeGreaterThanOrEqual(1_000);
  const charges = await readLedger(cluster.simulator);
  for (const payment of payments) {
    expect(charges.filter(({ reference }) => reference === `shop/${payment}`)).toHaveLength(1);
  }
});

it("no more calls leave in a second than a gateway is to have", async () => {
  const payments = Array.from({ length: 11 }, (_, index) => `slow-${index}`);
  const startedAt = Date.now();
  const replies = await Promise.all(payments.map((payment) => create(payment, "slow")));
  // Ten more than the first, five a second.
  expect(Date.now() - startedAt).toBeGreaterThanOrEqual(1_900);
  for (const reply of replies) expect(reply).toMatchObject({ ok: true, payment: { state: "SUCCESS" } });
});
