/** A whole deployment as a user would start it: `aegispay dev`, real processes, free ports, a scratch folder. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { jetstreamManager, type JetStreamManager } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { connect, type NatsConnection } from "@nats-io/transport-node";

export const cliPath = fileURLToPath(new URL("../../runtime/src/cli/main.ts", import.meta.url));

export interface Deployment {
  readonly natsUrl: string;
  readonly http: string;
  readonly simulator: string;
  readonly dataDir: string;
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly primaryPid: number;
  readonly natsPid: () => number;
  /** What it has printed to stderr. */
  readonly output: () => string;
  readonly workers: () => Promise<ReadonlyArray<{ readonly node: string; readonly pid: number }>>;
  readonly stop: () => Promise<void>;
}

export interface DeploymentOptions {
  readonly workers?: number;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Whether the simulator tells by webhook what happens; without it what is unknown stays so until the schedule comes. */
  readonly webhooks?: boolean;
}

interface ReadyLine {
  readonly nats: string;
  readonly http: string;
  readonly simulator: string;
}

const startTimeoutMillis = 60_000;

const firstLine = (child: ChildProcess, output: () => string): Promise<string> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready in time:\n${output()}`)), startTimeoutMillis);
    createInterface({ input: child.stdout! }).once("line", (line) => {
      clearTimeout(timer);
      resolve(line);
    });
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(`ended with ${String(code)} before it was ready:\n${output()}`));
    });
  });

export const ended = (child: ChildProcess): Promise<number> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve(child.exitCode ?? -1);
    child.once("exit", (code) => resolve(code ?? -1));
  });

/** Lets the tests read what the deployment's own folder says about its nats-server. */
const pidFrom = async (dataDir: string): Promise<number> => {
  const { readFile } = await import("node:fs/promises");
  return Number(await readFile(join(dataDir, "nats", "server.pid"), "utf8"));
};

export const startDeployment = async (options: DeploymentOptions = {}): Promise<Deployment> => {
  const dataDir = mkdtempSync(join(tmpdir(), "aegispay-test-"));
  const ports = ["--nats-port", "0", "--http-port", "0", "--simulator-port", "0"];
  const args = [
    "dev",
    "--no-demo",
    "--json",
    "--data-dir",
    dataDir,
    "--workers",
    String(options.workers ?? 1),
    ...ports,
  ];
  const child = spawn(process.execPath, [cliPath, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, AEGISPAY_SETTINGS: JSON.stringify(options.settings ?? {}) },
  });
  let output = "";
  child.stderr.on("data", (chunk: Buffer) => void (output += chunk.toString("utf8")));
  const ready = JSON.parse(await firstLine(child, () => output)) as ReadyLine;
  if (options.webhooks !== true) await (await fetch(`${ready.simulator}/admin/webhooks`, { method: "DELETE" })).text();
  const connection = await connect({ servers: ready.nats, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  const manager = await jetstreamManager(connection, { checkAPI: false });
  const members = new Kvm(connection).open("payments_members");
  let natsPid = await pidFrom(dataDir);
  const followPid = setInterval(() => {
    pidFrom(dataDir).then(
      (pid) => void (natsPid = pid),
      () => undefined,
    );
  }, 100);
  return {
    natsUrl: ready.nats,
    http: ready.http,
    simulator: ready.simulator,
    dataDir,
    connection,
    manager,
    primaryPid: child.pid!,
    natsPid: () => natsPid,
    output: () => output,
    workers: async () => {
      const bucket = await members;
      const found: Array<{ node: string; pid: number }> = [];
      for (let index = 1; index <= (options.workers ?? 1); index++) {
        // While nats-server is away nobody can be seen: the caller looks again.
        const entry = await bucket.get(`node-${index}`).catch(() => null);
        if (entry?.operation === "PUT") found.push(entry.json<{ node: string; pid: number }>());
      }
      return found;
    },
    stop: async () => {
      clearInterval(followPid);
      await connection.close();
      child.kill("SIGTERM");
      await ended(child);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
};
