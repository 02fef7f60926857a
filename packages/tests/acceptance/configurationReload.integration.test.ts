/** The configuration's file is changed while payments run: a good one is in force soon, a wrong one changes nothing. */
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  startCluster,
  startSimulatorProcess,
  type Cluster,
  type NodeGroup,
  type SimulatorProcess,
} from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { readMetrics, readReadiness, sumOf } from "../support/health.ts";
import { clearFaults, orderFaults, takenFor } from "../support/ledger.ts";
import { endOf, startLoad } from "../support/load.ts";
import { createBody, insist, publish, query } from "../support/plainClient.ts";

let cluster: Cluster;
let other: SimulatorProcess;
let nodes: NodeGroup;
let file: string;
let load: ReturnType<typeof startLoad>;

/** Faults that are ordered are not to open its breaker: what is tested is what becomes of one that is not configured. */
const entry = (name: string, url: string) =>
  `  - name: ${name}\n    type: simulator\n    url: ${url}\n    resilience: { failureThreshold: 1000 }\n`;

/** As most editors and all deployment tools do it: another file in its place. */
const replaceFile = (text: string): void => {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
};

const changes = async (result: string): Promise<number> =>
  sumOf(await readMetrics(nodes.http), "aegispay_config_file_changes_total", { result });

/** Waits until every worker has it. */
const applied = async (replace: () => void): Promise<void> => {
  const reloads = async () =>
    sumOf(await readMetrics(nodes.http), "aegispay_config_reloads_total", { result: "applied" });
  const before = await reloads();
  replace();
  await eventually("both workers have the new configuration", async () => (await reloads()) >= before + 2);
};

const refused = async (replace: () => void): Promise<string> => {
  const before = await changes("refused");
  const said = nodes.output().length;
  replace();
  await eventually("the new configuration is refused", async () => (await changes("refused")) > before);
  return nodes.output().slice(said);
};

const payAt = (gateway: string, payment: string) =>
  insist(cluster.connection, { payment, body: { ...createBody("tok_visa", 100), gateway } });

const oneGateway = () => `gateways:\n${entry("first", cluster.simulator)}`;
const twoGateways = () => `${oneGateway()}${entry("second", other.url)}`;

beforeAll(async () => {
  const lookUpDelaysMillis = [0, ...Array<number>(60).fill(300)];
  cluster = await startCluster({ timerFromMillis: 200, policy: { lookUpDelaysMillis } });
  other = await startSimulatorProcess(join(cluster.folder, "other"));
  file = join(cluster.folder, "gateways.yaml");
  writeFileSync(file, oneGateway());
  nodes = await cluster.startNodes({ nodeId: "reload", workers: 2, env: { AEGISPAY_GATEWAYS: file } });
  load = startLoad(cluster, { prefix: "meanwhile", lanes: 4, tokens: ["tok_visa", "tok_declined"] });
}, 90_000);
afterAll(async () => {
  await load?.stop();
  await cluster?.stop();
  await other?.stop();
});

describe("the configuration of running nodes", () => {
  it("takes a second gateway in, and the next payment can be charged there", async () => {
    expect(await payAt("second", "before")).toMatchObject({ payment: { state: "SUCCESS", gateway: "first" } });
    await applied(() => replaceFile(twoGateways()));
    expect(await payAt("second", "after")).toMatchObject({ payment: { state: "SUCCESS", gateway: "second" } });
    expect(await takenFor(other.url, "shop/after")).toHaveLength(1);
  });

  it("stays as it was while the file is wrong, and the error names line and field", async () => {
    const said = await refused(() => replaceFile(twoGateways().replace("type: simulator", "type: simulater")));
    expect(said).toContain(`${file}:3:5: gateways[0].type: expected an entry whose "type" is one of`);
    expect(await payAt("second", "wrong-type")).toMatchObject({ payment: { gateway: "second" } });
    expect(await refused(() => writeFileSync(file, ""))).toContain(`${file}:1:1: it is empty`);
    expect(await payAt("second", "empty")).toMatchObject({ payment: { gateway: "second" } });
    const touched = await changes("unchanged");
    replaceFile(twoGateways());
    await eventually("the good file is seen", async () => (await changes("unchanged")) > touched);
  });

  it("may lose a gateway while a payment's outcome there is unknown; once it is back the payment is settled", async () => {
    await orderFaults(other.url, { http500Rate: 1, partialFailureRate: 1, seed: 3 });
    await publish(cluster.connection, { payment: "left", body: { ...createBody("tok_visa", 100), gateway: "second" } });
    const find = async () => (await query(cluster.connection, "left", "get")).payment;
    await eventually("its outcome is unknown", async () => (await find())?.state === "OUTCOME_UNKNOWN");
    await applied(() => replaceFile(oneGateway()));
    await clearFaults(other.url);
    expect(await payAt("second", "gone")).toMatchObject({ payment: { state: "SUCCESS", gateway: "first" } });
    const before = (await find())!.version;
    await eventually("it is looked up in vain", async () => (await find())!.version > before + 1);
    expect(await find()).toMatchObject({ state: "OUTCOME_UNKNOWN" });
    await applied(() => replaceFile(twoGateways()));
    await eventually("it is settled", async () => (await find())?.state === "SUCCESS");
    expect(await takenFor(other.url, "shop/left")).toHaveLength(1);
    expect(await takenFor(cluster.simulator, "shop/left")).toEqual([]);
  });

  it("is what workers begin with that are started later, by a crash or by SIGHUP", async () => {
    const pids = async () => (await readReadiness(nodes.http)).nodes.map(({ pid }) => pid);
    const isReady = async () => (await readReadiness(nodes.http)).ready;
    const restarted = async (restart: (before: ReadonlyArray<number>) => void, count: number) => {
      const before = await pids();
      restart(before);
      await eventually("new workers serve", async () => {
        const fresh = (await pids()).filter((pid) => !before.includes(pid));
        return fresh.length >= count && (await isReady());
      });
    };
    await restarted(([pid]) => process.kill(pid!, "SIGKILL"), 1);
    for (let index = 0; index < 8; index++) {
      expect(await payAt("second", `respawned-${index}`)).toMatchObject({ payment: { gateway: "second" } });
    }
    await restarted(() => nodes.signal("SIGHUP"), 2);
    for (let index = 0; index < 8; index++) {
      expect(await payAt("second", `rolled-${index}`)).toMatchObject({ payment: { gateway: "second" } });
    }
  }, 60_000);

  it("has cost no payment its answer meanwhile", async () => {
    await load.stop();
    expect(load.answered.length).toBeGreaterThan(20);
    for (const { token, reply } of load.answered) {
      expect(reply).toMatchObject({ ok: true, payment: { state: endOf(token) } });
    }
  });
});
