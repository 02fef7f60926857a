/** A primary and its workers, as real processes: who is started again, when that is given up, what `/readyz` says meanwhile. */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { Kvm } from "@nats-io/kv";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../support/cli.ts";
import { startCluster, type Cluster, type NodeGroup } from "../support/cluster.ts";
import { cliPath, ended } from "../support/deployment.ts";
import { eventually } from "../support/eventually.ts";
import { readReadiness, type Readiness } from "../support/health.ts";

/** Workers that end when they are told to, under a primary that gives up after three such ends. */
const entry = "fragileWorker.ts";
const giveUpAfterThree = { AEGISPAY_TEST_RESPAWN_LIMIT: "3" };

let cluster: Cluster;
beforeAll(async () => void (cluster = await startCluster({ leaseTtlMillis: 3_000, leaseRenewMillis: 800 })));
afterAll(() => cluster?.stop());

describe("a node group", () => {
  let nodes: NodeGroup;
  beforeAll(async () => void (nodes = await cluster.startNodes({ nodeId: "node", workers: 2 })));
  afterAll(() => nodes?.stop());

  const becomes = (what: string, holds: (now: Readiness) => boolean) =>
    eventually(what, async () => {
      const now = await readReadiness(nodes.http);
      return holds(now) && now;
    });
  const ready = () => becomes("/readyz to answer 200", ({ status }) => status === 200);
  const pidOf = (now: Readiness, node: string) => now.nodes.find((one) => one.node === node)!.pid;

  it("is ready when both workers serve all shards, and says what each does", async () => {
    const now = await becomes("each to have its half", ({ nodes: all }) => all.every(({ served }) => served === 8));
    expect(now).toMatchObject({
      status: 200,
      ready: true,
      nats: true,
      workers: { up: 2, expected: 2 },
      nodes: [
        { node: "node-1", pid: expect.any(Number), serving: true, connected: true, wanted: 8, served: 8 },
        { node: "node-2", pid: expect.any(Number), serving: true, connected: true, wanted: 8, served: 8 },
      ],
    });
  });

  it("is not ready while a killed worker is away, and ready again when it has come back", async () => {
    const before = await ready();
    process.kill(pidOf(before, "node-1"), "SIGKILL");
    const meanwhile = await becomes("/readyz to answer 503", ({ status }) => status === 503);
    expect(meanwhile).toMatchObject({ ready: false, nats: true, workers: { up: 1, expected: 2 } });
    const after = await ready();
    expect(pidOf(after, "node-1")).not.toBe(pidOf(before, "node-1"));
    expect(pidOf(after, "node-2")).toBe(pidOf(before, "node-2"));
    expect(nodes.output()).toMatch(/worker node-1 \(pid \d+\) ended with SIGKILL, it starts again in 100 ms/);
  });

  it("is not ready while a worker is frozen, though its process lives", async () => {
    const pid = pidOf(await ready(), "node-2");
    process.kill(pid, "SIGSTOP");
    try {
      const meanwhile = await becomes("/readyz to say so", ({ status, nodes: all }) => {
        return status === 503 && all.some((one) => one.pid === pid && !one.serving);
      });
      expect(meanwhile.workers).toEqual({ up: 2, expected: 2 });
    } finally {
      process.kill(pid, "SIGCONT");
    }
    expect(pidOf(await ready(), "node-2")).toBe(pid);
  });

  it("starts a worker again at once that somebody else told to end", async () => {
    const before = await ready();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    process.kill(pidOf(before, "node-2"), "SIGTERM");
    await becomes("another process to serve", (now) => {
      return now.status === 200 && pidOf(now, "node-2") !== pidOf(before, "node-2");
    });
    expect(nodes.output()).toMatch(/worker node-2 \(pid \d+\) ended with 0, it starts again\n/);
  });

  it("told by SIGHUP starts its workers afresh, one after the other, and a second SIGHUP meanwhile does nothing", async () => {
    const before = await ready();
    const seen: Array<number> = [];
    nodes.signal("SIGHUP");
    await eventually("the first one to end", () => nodes.output().includes("rolling restart of 2 worker(s)"));
    nodes.signal("SIGHUP");
    const after = await becomes("both to be other processes", (now) => {
      seen.push(now.workers.up);
      return now.status === 200 && now.nodes.every(({ node, pid }) => pid !== pidOf(before, node));
    });
    expect(Math.min(...seen)).toBe(1);
    await eventually("its end to be logged", () => nodes.output().includes("rolling restart done"));
    expect(nodes.output().match(/rolling restart of/g)).toHaveLength(1);
    expect(nodes.output()).toContain("no second rolling restart: one is under way");
    // Nothing more comes after it.
    expect((await ready()).nodes.map(({ pid }) => pid)).toEqual(after.nodes.map(({ pid }) => pid));
  });

  it("is alive but not ready while NATS is away, and ready again with the same workers afterwards", async () => {
    const before = await ready();
    await cluster.nats.kill();
    try {
      await becomes("/readyz to say so", ({ status, nats }) => status === 503 && !nats);
      expect((await fetch(`${nodes.http}/livez`)).status).toBe(200);
      await eventually("that to be logged", () => nodes.output().includes("NATS is away"));
    } finally {
      await cluster.nats.startAgain();
    }
    await eventually("its return to be logged", () => nodes.output().includes("NATS is back"));
    expect((await ready()).nodes.map(({ pid }) => pid)).toEqual(before.nodes.map(({ pid }) => pid));
  });

  it("says so when another process announces itself under the name of one of its workers", async () => {
    await ready();
    expect(nodes.output()).not.toContain("is named node-1 too");
    const members = await new Kvm(cluster.connection).open("payments_members");
    const twin = {
      node: "node-1",
      pid: 4711,
      host: "elsewhere",
      incarnation: "another",
      since: "2026-01-01T00:00:00Z",
    };
    await members.put("node-1", JSON.stringify(twin));
    const said = "another node, pid 4711 on elsewhere, is named node-1 too: give each node group its own --node-id";
    await eventually("that to be logged", () => nodes.output().includes(said));
    // It announces itself again, over the twin's entry: nothing of this is left.
    await eventually("its own entry to be back", async () =>
      (await cluster.members()).every(({ incarnation }) => incarnation !== twin.incarnation),
    );
  });

  it("ends well when it is told to, and leaves nothing behind", async () => {
    expect(await nodes.stop()).toBe(0);
    expect(await cluster.members()).toEqual([]);
    expect((await cluster.owners()).filter((owner) => owner !== undefined)).toEqual([]);
  });
});

describe("a worker that keeps ending", () => {
  const breakWorkers = (name: string, workers: ReadonlyArray<string>, code: number): string => {
    const folder = join(cluster.folder, name);
    mkdirSync(folder, { recursive: true });
    for (const worker of workers) writeFileSync(join(folder, worker), String(code));
    return folder;
  };

  it.each([
    ["with a failure", 7],
    ["without one", 0],
  ])("as soon as it starts, %s, makes the primary give up with exit code 1 and say why", async (_how, code) => {
    const broken = breakWorkers(`never-${code}`, ["never-2"], code);
    const starting = cluster.startNodes({
      nodeId: "never",
      workers: 2,
      entry,
      env: { ...giveUpAfterThree, AEGISPAY_TEST_BROKEN: broken },
    });
    const said = await starting.then(
      () => "",
      (error: Error) => error.message,
    );
    expect(said).toContain("ended with 1 before it was ready");
    expect(said).toContain(`worker never-2 has ended 3 times in a row without serving, at last with ${code}`);
    expect(said).toMatch(/it starts again in 100 ms[^]*it starts again in 200 ms/);
    // The one that could serve has drained.
    expect(await cluster.members()).toEqual([]);
    expect((await cluster.owners()).filter((owner) => owner !== undefined)).toEqual([]);
  });

  it("later on makes it give up just the same, after the worker that serves has drained", async () => {
    const broken = breakWorkers("later", [], 0);
    const nodes = await cluster.startNodes({
      nodeId: "later",
      workers: 2,
      entry,
      env: { ...giveUpAfterThree, AEGISPAY_TEST_BROKEN: broken },
    });
    const { nodes: up } = await readReadiness(nodes.http);
    breakWorkers("later", ["later-1"], 9);
    process.kill(up[0]!.pid, "SIGKILL");
    expect(await nodes.ended).toBe(1);
    expect(nodes.output()).toContain("worker later-1 has ended 3 times in a row without serving, at last with 9");
    expect(await cluster.members()).toEqual([]);
    expect((await cluster.owners()).filter((owner) => owner !== undefined)).toEqual([]);
  });
});

describe("aegispay node --http-port", () => {
  it("answers before the workers are ready: 503, then 200", async () => {
    const child = spawn(process.execPath, [cliPath, "node", "--json", "--simulator-url", cluster.simulator], {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        AEGISPAY_NATS_URL: cluster.nats.url,
        AEGISPAY_SETTINGS: '{"leaseTtlMillis":3000,"leaseRenewMillis":800}',
      },
    });
    let output = "";
    child.stderr.on("data", (chunk: Buffer) => void (output += chunk.toString("utf8")));
    let result = "";
    child.stdout.on("data", (chunk: Buffer) => void (result += chunk.toString("utf8")));
    try {
      const http = await eventually("it to say where", () => /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0]);
      expect(await readReadiness(http)).toMatchObject({ status: 503, ready: false, workers: { expected: 1 } });
      expect((await fetch(`${http}/livez`)).status).toBe(200);
      await eventually("it to be ready", async () => (await readReadiness(http)).status === 200);
      const line = await eventually("its line", () => result.includes("\n") && result);
      expect(JSON.parse(line)).toMatchObject({ ready: true, nats: cluster.nats.url, http, workers: [{}] });
    } finally {
      child.kill("SIGTERM");
      expect(await ended(child)).toBe(0);
    }
  });

  it("is named by the error when the port is taken", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as { port: number };
    try {
      const env = { AEGISPAY_NATS_URL: cluster.nats.url, AEGISPAY_HTTP_PORT: String(port) };
      const result = await runCli(["node", "--simulator-url", cluster.simulator], env);
      expect(result.code).toBe(1);
      expect(result.stderr).toContain(`port ${port} is taken: choose another with --http-port`);
    } finally {
      taken.close();
    }
  });
});
