/** A nats-server of a test's own: a scratch folder, every write on disk before it is acknowledged; killed, frozen, started again. */
import { spawn, type ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

const startTimeoutMillis = 20_000;

export interface NatsProcess {
  readonly url: string;
  readonly pid: () => number;
  /** SIGKILL; done when the process has gone. */
  readonly kill: () => Promise<void>;
  /** Starts it again where it was: same port, same data. */
  readonly startAgain: () => Promise<void>;
}

const exited = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once("exit", () => resolve());
  });

const launch = (folder: string, port: number): Promise<{ readonly child: ChildProcess; readonly port: number }> =>
  new Promise((resolve, reject) => {
    const configFile = join(folder, "server.conf");
    const store = JSON.stringify(join(folder, "jetstream"));
    writeFileSync(
      configFile,
      `listen: "127.0.0.1:${port}"\njetstream { store_dir: ${store}, sync_interval: always }\nmax_payload: 1MB\n`,
    );
    const binary = process.env["AEGISPAY_NATS_SERVER"] ?? "nats-server";
    const child = spawn(binary, ["-c", configFile], { stdio: ["ignore", "ignore", "pipe"] });
    const said: Array<string> = [];
    const failed = (why: string) => reject(new Error(`nats-server ${why}:\n${said.slice(-20).join("\n")}`));
    const timer = setTimeout(() => failed("is not ready in time"), startTimeoutMillis);
    let listening = port;
    child.once("error", (error) => failed(error.message));
    child.once("exit", () => failed("ended before it was ready"));
    createInterface({ input: child.stderr }).on("line", (line) => {
      if (said.length < 1_000) said.push(line);
      const named = /Listening for client connections on .*:(\d+)$/.exec(line);
      if (named !== null) listening = Number(named[1]);
      if (!line.endsWith("Server is ready")) return;
      clearTimeout(timer);
      resolve({ child, port: listening });
    });
  });

/** Starts it on a free port; done when it takes connections. */
export const startNatsProcess = async (folder: string): Promise<NatsProcess> => {
  let running = await launch(folder, -1);
  const { port } = running;
  return {
    url: `nats://127.0.0.1:${port}`,
    pid: () => running.child.pid!,
    kill: async () => {
      running.child.kill("SIGKILL");
      await exited(running.child);
    },
    startAgain: async () => {
      running = await launch(folder, port);
    },
  };
};
