/** `/metrics` of a node group: what Prometheus reads of a primary and its two workers. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startCluster, type Cluster, type NodeGroup } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { readMetrics, readReadiness, sumOf } from "../support/health.ts";
import { ask, createBody } from "../support/plainClient.ts";

const payments = 20;

describe("the metrics of a node group", () => {
  let cluster: Cluster;
  let nodes: NodeGroup;
  beforeAll(async () => {
    cluster = await startCluster();
    nodes = await cluster.startNodes({ nodeId: "node", workers: 2 });
  });
  afterAll(() => cluster?.stop());

  const read = () => readMetrics(nodes.http);

  it("hold every family with a sample of each worker, which says whose it is", async () => {
    const samples = await eventually("both workers to have sent theirs", async () => {
      const found = await read();
      const of = (node: string) =>
        found.some(({ name, labels }) => name === "aegispay_shards_served" && labels["node"] === node);
      return of("node-1") && of("node-2") && found;
    });
    const names = new Set(samples.map(({ name }) => name).filter((name) => !name.startsWith("aegispay_worker")));
    for (const name of names) {
      const whose = samples.filter((sample) => sample.name === name).map(({ labels }) => labels["node"]);
      expect([name, [...new Set(whose)].toSorted()]).toEqual([name, ["node-1", "node-2"]]);
    }
    expect([...names]).toEqual(
      expect.arrayContaining([
        "aegispay_commands_taken_total",
        "aegispay_commits_total",
        "aegispay_nats_connected",
        "aegispay_take_over_seconds_bucket",
        "aegispay_take_over_seconds_sum",
        "aegispay_take_over_seconds_count",
      ]),
    );
    expect(sumOf(samples, "aegispay_workers_up")).toBe(2);
    expect(sumOf(samples, "aegispay_workers_expected")).toBe(2);
  });

  it("say which shards are served, and that there is a connection", async () => {
    const samples = await eventually("all shards to be served", async () => {
      const found = await read();
      return sumOf(found, "aegispay_shards_served") === 16 && found;
    });
    expect(sumOf(samples, "aegispay_shards_wanted")).toBe(16);
    expect(sumOf(samples, "aegispay_nats_connected")).toBe(2);
    expect(sumOf(samples, "aegispay_take_overs_total")).toBeGreaterThanOrEqual(16);
  });

  it("count what happens to payments: commands, commits, calls by their outcome, answers", async () => {
    const before = await read();
    const ids = Array.from({ length: payments }, (_, index) => `counted-${index}`);
    await Promise.all(ids.map((payment) => ask(cluster.connection, { payment, body: createBody() })));
    const more = (name: string, labels: Readonly<Record<string, string>> = {}) =>
      eventually(`${name} to have grown by ${payments} at least`, async () => {
        return sumOf(await read(), name, labels) - sumOf(before, name, labels) >= payments;
      });
    await more("aegispay_commands_taken_total", { source: "command" });
    await more("aegispay_commits_total");
    await more("aegispay_gateway_calls_total", { gateway: "simulator", outcome: "Approved" });
    await more("aegispay_answers_total");
  });

  it("lose a worker's samples when it dies, and count its restart", async () => {
    const { nodes: up } = await readReadiness(nodes.http);
    process.kill(up.find(({ node }) => node === "node-1")!.pid, "SIGKILL");
    const left = await eventually("the dead worker's samples to vanish", async () => {
      const found = await read();
      return (
        !found.some(({ name, labels }) => name === "aegispay_commits_total" && labels["node"] === "node-1") && found
      );
    });
    expect(left.some(({ name, labels }) => name === "aegispay_commits_total" && labels["node"] === "node-2")).toBe(
      true,
    );
    const again = await eventually("its successor's samples", async () => {
      const found = await read();
      return (
        found.some(({ name, labels }) => name === "aegispay_commits_total" && labels["node"] === "node-1") && found
      );
    });
    expect(sumOf(again, "aegispay_worker_restarts_total", { node: "node-1" })).toBe(1);
    expect(sumOf(again, "aegispay_worker_restarts_total", { node: "node-2" })).toBe(0);
    expect(sumOf(again, "aegispay_workers_up")).toBe(2);
  });
});
