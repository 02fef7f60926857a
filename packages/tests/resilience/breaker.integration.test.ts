/** Circuit breakers over two real nodes: criterion 22, and what a node does that cannot reach what they share. */
import { readCircuit, type Circuit } from "@aegispay/runtime/resilience/Breakers";
import { shardOf } from "@aegispay/runtime/shard/shardOf";
import { Kvm } from "@nats-io/kv";
import { afterEach, expect, it } from "vitest";
import { shards, startCluster, type Cluster, type NodeGroup } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { gatewayFile } from "../support/gatewayFile.ts";
import { clearFaults, orderFaults, readLedger } from "../support/ledger.ts";
import { ask, createBody, publish, query } from "../support/plainClient.ts";

const key = "simulator.default.money";
const resilience = { failureThreshold: 3, successThreshold: 2, openForMillis: 2_000 };
/** Look-ups that come quickly, and do not end while a test runs. */
const policy = {
  lookUpDelaysMillis: [0, ...Array.from({ length: 300 }, () => 300)],
  heldBackDelaysMillis: [100],
  createAgainDelaysMillis: [200],
  maxRetries: 20,
};

interface Pair {
  readonly cluster: Cluster;
  readonly east: NodeGroup;
  readonly west: NodeGroup;
  /** Ids of payments that the node owns, each another one. */
  readonly ownedBy: (node: string, count: number) => ReadonlyArray<string>;
}

let running: Cluster | undefined;
afterEach(async () => running?.stop());

const startPair = async (): Promise<Pair> => {
  const cluster = await startCluster({ timerFromMillis: 500, policy });
  running = cluster;
  const entry = { name: "simulator", type: "simulator", url: cluster.simulator, resilience };
  const env = gatewayFile(cluster.folder, { gateways: [entry] });
  const east = await cluster.startNodes({ nodeId: "east", env });
  const west = await cluster.startNodes({ nodeId: "west", env });
  const owners = await eventually("both to have half of the shards", async () => {
    const found = await cluster.owners();
    return found.filter((owner) => owner === "west-1").length === shards / 2 && !found.includes(undefined) && found;
  });
  let next = 0;
  return {
    cluster,
    east,
    west,
    ownedBy: (node, count) => {
      const ids: Array<string> = [];
      while (ids.length < count) {
        const paymentId = `p${next++}`;
        if (owners[shardOf({ merchant: "shop", paymentId }, shards)] === node) ids.push(paymentId);
      }
      return ids;
    },
  };
};

const shared = async ({ cluster }: Pair): Promise<Circuit | undefined> => {
  const bucket = await new Kvm(cluster.connection).open("payments_breakers");
  const entry = await bucket.get(key);
  return entry?.operation === "PUT" ? readCircuit(entry.string()) : undefined;
};

/** 0 closed, 1 half open, 2 open: as the node says it. */
const stateAt = async ({ http }: NodeGroup): Promise<number> => {
  const text = await (await fetch(`${http}/metrics`)).text();
  return Number(/^aegispay_breaker_state\{[^}]*circuit="money"[^}]*\} (\d)/m.exec(text)?.[1] ?? 0);
};

const create = async ({ cluster }: Pair, payments: ReadonlyArray<string>): Promise<void> => {
  for (const payment of payments) await publish(cluster.connection, { payment, body: createBody() });
};

const allSucceed = async ({ cluster }: Pair, payments: ReadonlyArray<string>): Promise<void> => {
  for (const payment of payments) {
    await eventually(`${payment} to succeed`, async () => {
      const { payment: found } = await query(cluster.connection, payment, "get");
      return found?.state === "SUCCESS";
    });
  }
  const charges = await readLedger(cluster.simulator);
  for (const payment of payments) {
    expect(charges.filter(({ reference }) => reference === `shop/${payment}`)).toHaveLength(1);
  }
};

/**
 * Creates at the node until one is turned away without a call. Answers all that were published on the way: what comes just when
 * the open time is over begins, and is the probe.
 */
const untilTurnedAway = async ({ cluster, ownedBy }: Pair, node: string): Promise<ReadonlyArray<string>> => {
  const published: Array<string> = [];
  await eventually(`a payment of ${node} to be turned away`, async () => {
    const [payment] = ownedBy(node, 1);
    published.push(payment!);
    const reply = await ask(cluster.connection, { payment: payment!, body: createBody() }, 500).catch(() => undefined);
    if (reply?.ok !== false) return false;
    expect(reply.error).toMatchObject({ code: "NoGatewayAvailable", retryable: true });
    expect(await query(cluster.connection, payment!, "get")).toMatchObject({ ok: false });
    return true;
  });
  return published;
};

it(
  "one node's failures open the breaker for the other, which rejects without a call; it closes after two successes and opens again after one failure (criterion 22)",
  { timeout: 90_000 },
  async () => {
    const pair = await startPair();
    const { cluster, east, west, ownedBy } = pair;
    await orderFaults(cluster.simulator, { networkErrorRate: 1 });
    const failing = ownedBy("east-1", resilience.failureThreshold);
    await create(pair, failing);
    const opened = await eventually("it to be open for all", async () => {
      const circuit = await shared(pair);
      return circuit?.state === "OPEN" && circuit;
    });
    expect(opened).toMatchObject({ failures: resilience.failureThreshold, by: "east-1" });
    expect(opened.untilMillis! - opened.sinceMillis).toBe(resilience.openForMillis);
    await eventually("the other node to know", async () => (await stateAt(west)) === 2);

    const rejected = await untilTurnedAway(pair, "west-1");
    const patient = ownedBy("west-1", 1);
    await create(pair, patient);

    const again = await eventually("a probe to fail, and it to be open again", async () => {
      const circuit = await shared(pair);
      return circuit?.state === "OPEN" && circuit.generation >= opened.generation + 2 && circuit;
    });
    expect(again).toMatchObject({ failures: 1 });

    await clearFaults(cluster.simulator);
    await eventually("it to be closed", async () => (await shared(pair))?.state === "CLOSED", 60_000);
    await eventually("both nodes to know", async () => (await stateAt(east)) === 0 && (await stateAt(west)) === 0);
    await create(pair, rejected);
    await allSucceed(pair, [...failing, ...rejected, ...patient]);
    expect(`${east.output()}${west.output()}`).toContain("breaker money of simulator (account default) is open for");
  },
);

it(
  "a node that cannot reach the shared breakers goes by its own, and they are everybody's when it is back",
  { timeout: 90_000 },
  async () => {
    const pair = await startPair();
    const { cluster, east, west, ownedBy } = pair;
    await cluster.manager.streams.delete("KV_payments_breakers");
    await orderFaults(cluster.simulator, { networkErrorRate: 1 });
    const failing = ownedBy("east-1", resilience.failureThreshold);
    await create(pair, failing);
    await eventually("its own breaker to be open", async () => (await stateAt(east)) === 2);
    expect(await stateAt(west)).toBe(0);
    const rejected = await untilTurnedAway(pair, "east-1");

    await new Kvm(cluster.connection).create("payments_breakers", { history: 1, allow_direct: false });
    await eventually("the other node to know", async () => (await stateAt(west)) !== 0);
    expect(await shared(pair)).toMatchObject({ by: "east-1" });
    await clearFaults(cluster.simulator);
    await create(pair, rejected);
    await allSucceed(pair, [...failing, ...rejected]);
  },
);
