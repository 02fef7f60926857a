/** One node against a gateway that takes connections and never answers, on a nats-server of its own. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { runCli } from "./cli.ts";
import { cliPath, ended } from "./deployment.ts";
import { eventually } from "./eventually.ts";

export interface FloodedNode {
  readonly connection: NatsConnection;
  readonly workerPid: number;
  /** Requests the silent gateway has been sent and not answered. */
  readonly gatewayConnections: () => number;
  readonly stop: () => Promise<void>;
}

const listen = (server: Server): Promise<number> =>
  new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)));

const freePort = async (): Promise<number> => {
  const probe = createServer();
  const port = await listen(probe);
  await new Promise((resolve) => probe.close(resolve));
  return port;
};

const firstLine = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    createInterface({ input: child.stdout! }).once("line", resolve);
    child.once("exit", (code) => reject(new Error(`the node ended with ${String(code)} before it was ready`)));
  });

export const startFloodedNode = async (): Promise<FloodedNode> => {
  const folder = mkdtempSync(join(tmpdir(), "aegispay-flood-"));
  const port = await freePort();
  const binary = process.env["AEGISPAY_NATS_SERVER"] ?? "nats-server";
  // Default fsync: here the flood is what is tested, and it should be over soon.
  const server = spawn(binary, ["-a", "127.0.0.1", "-p", String(port), "-js", "-sd", folder], { stdio: "ignore" });
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  const gatewayPort = await listen(silent);
  const url = `nats://127.0.0.1:${port}`;
  const connection = await eventually("nats-server", () => connect({ servers: url }).catch(() => undefined));
  const setUp = await runCli(["setup", "--nats-url", url]);
  if (setUp.code !== 0) throw new Error(setUp.stderr);
  const node = spawn(
    process.execPath,
    [
      cliPath,
      "node",
      "--json",
      "--nats-url",
      url,
      "--node-id",
      "flooded",
      "--simulator-url",
      `http://127.0.0.1:${gatewayPort}`,
    ],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  const ready = JSON.parse(await firstLine(node)) as { readonly workers: ReadonlyArray<{ readonly pid: number }> };
  return {
    connection,
    workerPid: ready.workers[0]!.pid,
    gatewayConnections: () => sockets.size,
    stop: async () => {
      node.kill("SIGTERM");
      for (const socket of sockets) socket.destroy();
      silent.close();
      await ended(node);
      await connection.close();
      server.kill("SIGTERM");
      await ended(server);
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

/** The most memory a process has ever had resident, in MiB. */
export const peakMemoryMebibytes = (pid: number): number => {
  const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(line?.[1]) / 1024;
};
