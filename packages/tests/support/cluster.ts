/**
 * A cluster as it is run in earnest: a nats-server, the gateway simulator, and any number of node groups, each a primary
 * with its workers; all real processes on free ports, in a scratch folder, each ended by its own handle.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { jetstreamManager, type JetStreamManager } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { runCli } from "./cli.ts";
import { cliPath, ended } from "./deployment.ts";
import { startNatsProcess, type NatsProcess } from "./natsProcess.ts";

export interface Member {
  readonly node: string;
  readonly pid: number;
  readonly incarnation: string;
}

export interface NodeGroup {
  readonly primaryPid: number;
  /** Where /livez, /readyz and /metrics are. */
  readonly http: string;
  readonly output: () => string;
  /** Ends it by SIGTERM; answers its exit code. */
  readonly stop: () => Promise<number>;
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Its exit code, when it ends by itself. */
  readonly ended: Promise<number>;
}

export interface NodeGroupOptions {
  readonly nodeId: string;
  readonly workers?: number;
  /** Another entry of its workers, a file of this folder, under `otherPrimary.ts` instead of `aegispay node`. */
  readonly entry?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Cluster {
  readonly nats: NatsProcess;
  readonly simulator: string;
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly folder: string;
  readonly startNodes: (options: NodeGroupOptions) => Promise<NodeGroup>;
  /** Ends all that were started, in good order. */
  readonly endNodes: () => Promise<void>;
  /** Nodes that have announced themselves. */
  readonly members: () => Promise<ReadonlyArray<Member>>;
  /** Who holds which shard: the node's id by shard. */
  readonly owners: () => Promise<ReadonlyArray<string | undefined>>;
  readonly stop: () => Promise<void>;
}

export const shards = 16;

const otherPrimary = fileURLToPath(new URL("./otherPrimary.ts", import.meta.url));

const firstLine = (child: ChildProcess, output: () => string): Promise<string> =>
  new Promise((resolve, reject) => {
    createInterface({ input: child.stdout! }).once("line", resolve);
    child.once("exit", (code) => reject(new Error(`ended with ${String(code)} before it was ready:\n${output()}`)));
  });

const keepOutput = (child: ChildProcess): (() => string) => {
  let output = "";
  child.stderr?.on("data", (chunk: Buffer) => void (output += chunk.toString("utf8")));
  return () => output;
};

export interface SimulatorProcess {
  readonly url: string;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

/** A gateway simulator as a process of its own, with its ledger in the folder. */
export const startSimulatorProcess = async (folder: string, port = "0"): Promise<SimulatorProcess> => {
  const child = spawn(process.execPath, [cliPath, "simulator", "--json", "--port", port, "--data-dir", folder], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { simulator } = JSON.parse(await firstLine(child, keepOutput(child))) as { simulator: string };
  return {
    url: simulator,
    pid: child.pid!,
    stop: async () => {
      child.kill("SIGTERM");
      await ended(child);
    },
  };
};

export const startCluster = async (settings: Readonly<Record<string, unknown>> = {}): Promise<Cluster> => {
  const folder = mkdtempSync(join(tmpdir(), "aegispay-cluster-"));
  const nats = await startNatsProcess(folder);
  const environment = { ...process.env, AEGISPAY_SETTINGS: JSON.stringify(settings), AEGISPAY_NATS_URL: nats.url };
  const gateway = await startSimulatorProcess(join(folder, "simulator"));
  const simulator = gateway.url;
  const setUp = await runCli(["setup", "--shards", String(shards)], environment as Record<string, string>);
  if (setUp.code !== 0) throw new Error(setUp.stderr);
  const connection = await connect({ servers: nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  const manager = await jetstreamManager(connection, { checkAPI: false });
  const kvm = new Kvm(connection);
  const groups: Array<NodeGroup> = [];

  const startNodes = async ({ nodeId, workers = 1, entry, env = {} }: NodeGroupOptions): Promise<NodeGroup> => {
    const nodeArgs = [
      "node",
      "--json",
      "--node-id",
      nodeId,
      "--workers",
      String(workers),
      "--simulator-url",
      simulator,
    ];
    const own = {
      AEGISPAY_NODE_ID: nodeId,
      AEGISPAY_TEST_WORKERS: String(workers),
      AEGISPAY_TEST_SIMULATOR: simulator,
      AEGISPAY_TEST_ENTRY: entry ?? "",
    };
    const child = spawn(process.execPath, entry === undefined ? [cliPath, ...nodeArgs] : [otherPrimary], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...environment, ...own, ...env },
    });
    const output = keepOutput(child);
    const code = ended(child);
    const ready = JSON.parse(await firstLine(child, output)) as { http: string };
    const group: NodeGroup = {
      primaryPid: child.pid!,
      http: ready.http,
      output,
      stop: () => {
        child.kill("SIGTERM");
        return code;
      },
      signal: (signal) => void child.kill(signal),
      ended: code,
    };
    groups.push(group);
    return group;
  };

  const readAll = async <Entry>(name: string): Promise<ReadonlyMap<string, Entry>> => {
    const bucket = await kvm.open(name);
    const entries = new Map<string, Entry>();
    for await (const key of await bucket.keys()) {
      const entry = await bucket.get(key);
      if (entry?.operation === "PUT") entries.set(key, entry.json<Entry>());
    }
    return entries;
  };

  const endNodes = async (): Promise<void> => void (await Promise.all(groups.splice(0).map((group) => group.stop())));

  return {
    nats,
    simulator,
    connection,
    manager,
    folder,
    startNodes,
    endNodes,
    members: async () => [...(await readAll<Member>("payments_members")).values()],
    owners: async () => {
      const leases = await readAll<Member>("payments_leases");
      return Array.from({ length: shards }, (_, shard) => leases.get(`shard-${shard}`)?.node);
    },
    stop: async () => {
      await endNodes();
      await connection.close();
      await gateway.stop();
      await nats.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
