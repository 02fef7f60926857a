/** The command line as people and scripts use it: results on stdout, the rest on stderr, and exit codes that can be relied on. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { runCli } from "../support/cli.ts";
import { cliPath, ended, startDeployment, type Deployment } from "../support/deployment.ts";

let deployment: Deployment;
beforeAll(async () => void (deployment = await startDeployment()), 90_000);
afterAll(() => deployment?.stop());

const cli = (...args: ReadonlyArray<string>) => runCli(args, { AEGISPAY_NATS_URL: deployment.natsUrl });

const createArgs = (id: string, token = "tok_visa", amount = "19.99", currency = "USD") =>
  [
    "payment",
    "create",
    "--merchant",
    "cli",
    "--id",
    id,
    "--amount",
    amount,
    "--currency",
    currency,
    "--token",
    token,
  ] as const;

describe("aegispay payment", () => {
  it("create prints the payment and exits 0, and again the same payment, replayed", async () => {
    const first = await cli(...createArgs("c1"), "--json");
    expect(first.code).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({
      ok: true,
      replayed: false,
      payment: { state: "SUCCESS", amount: { value: 1999 } },
    });
    const again = await cli(...createArgs("c1"));
    expect(again.code).toBe(0);
    expect(again.stdout).toContain("SUCCESS");
    expect(again.stdout).toContain("replayed");
  });

  it("create exits 1 for a decline and for a refusal, and says why", async () => {
    const declined = await cli(...createArgs("c2", "tok_declined"));
    expect(declined.code).toBe(1);
    expect(declined.stdout).toContain("FAILURE");
    const conflict = await cli(...createArgs("c2", "tok_visa"));
    expect(conflict.code).toBe(1);
    expect(conflict.stderr).toContain("IdempotencyConflict");
    const card = await cli(...createArgs("c3", "4111111111111111"));
    expect(card.code).toBe(1);
    expect(card.stderr).toContain("card number");
  });

  it("create refuses an amount that the currency cannot express", async () => {
    const yen = await cli(...createArgs("c4", "tok_visa", "19.99", "JPY"));
    expect(yen.code).toBe(2);
    expect(yen.stderr).toContain("at most 0 decimals");
    const unknown = await cli(...createArgs("c4", "tok_visa", "19.99", "usd"));
    expect(unknown.stderr).toContain("ISO 4217");
  });

  it.each([
    [["payment", "capture", "cli", "c1", "--amount", "0.001", "--currency", "USD"], "at most 2 decimals"],
    [["payment", "refund", "cli", "c1", "--amount", "19.99", "--currency", "JPY"], "at most 0 decimals"],
    [["payment", "refund", "cli", "c1", "--amount", "19.9901", "--currency", "KWD"], "at most 3 decimals"],
    [["payment", "refund", "cli", "c1", "--currency", "USD"], "--amount"],
    [["payment", "void", "cli", "a.b"], "1 to 128 characters"],
    [["payment", "resolve", "cli", "c1", "--as", "SUCCEEDED", "--reason", "x"], "--operation"],
    [["payment", "resolve", "cli", "c1", "--as", "VOIDED", "--operation", "1", "--reason", "x"], "SUCCEEDED or FAILED"],
    [[...createArgs("c6"), "--expires-at", "tomorrow"], "2030-01-31T18:00:00Z"],
  ] as const)("%o exits 2 before anything is published, and says why", async (args, reason) => {
    const before = (await deployment.manager.streams.info("PAYMENTS_COMMANDS")).state.last_seq;
    const result = await cli(...args);
    expect([result.code, result.stderr]).toEqual([2, expect.stringContaining(reason)]);
    expect((await deployment.manager.streams.info("PAYMENTS_COMMANDS")).state.last_seq).toBe(before);
  });

  it("show and events print what is there, and exit 1 for what is not", async () => {
    await cli(...createArgs("c5"));
    const shown = await cli("payment", "show", "cli", "c5", "--json");
    expect(JSON.parse(shown.stdout)).toMatchObject({ merchant: "cli", paymentId: "c5", state: "SUCCESS" });
    const events = await cli("payment", "events", "cli", "c5", "--json");
    expect((JSON.parse(events.stdout) as ReadonlyArray<{ type: string }>).map(({ type }) => type)).toEqual([
      "PaymentInitiated",
      "PaymentAuthenticated",
      "AttemptStarted",
      "PaymentSucceeded",
    ]);
    const nobody = await cli("payment", "show", "cli", "nobody");
    expect(nobody.code).toBe(1);
    expect(nobody.stderr).toContain("no payment cli/nobody");
  });
});

describe("aegispay nodes and shards", () => {
  it("say who lives and who owns what", async () => {
    const nodes = JSON.parse((await cli("nodes", "--json")).stdout) as ReadonlyArray<{
      node: string;
      shards: ReadonlyArray<number>;
    }>;
    expect(nodes).toHaveLength(1);
    expect(nodes[0]).toMatchObject({ node: "node-1", shards: Array.from({ length: 16 }, (_, shard) => shard) });
    const shards = JSON.parse((await cli("shards", "--json")).stdout) as ReadonlyArray<{ shard: number; node: string }>;
    expect(shards.map(({ node }) => node)).toEqual(Array.from({ length: 16 }, () => "node-1"));
  });
});

describe("aegispay node", () => {
  it("beside a node that owns all shards takes half of them, says that it is ready, and gives them back when told to end", async () => {
    const child = spawn(process.execPath, [cliPath, "node", "--json", "--nats-url", deployment.natsUrl], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    const { ready, workers } = JSON.parse(line) as { ready: boolean; workers: ReadonlyArray<{ node: string }> };
    expect([ready, workers.length]).toEqual([true, 1]);
    const nodes = JSON.parse((await cli("nodes", "--json")).stdout) as ReadonlyArray<{
      node: string;
      shards: ReadonlyArray<number>;
    }>;
    expect(nodes.find(({ node }) => node === workers[0]!.node)?.shards).toHaveLength(8);
    expect(nodes.find(({ node }) => node === "node-1")?.shards).toHaveLength(8);
    child.kill("SIGTERM");
    expect(await ended(child)).toBe(0);
    await eventually("the first node to own all shards again", async () => {
      const left = JSON.parse((await cli("nodes", "--json")).stdout) as ReadonlyArray<{
        shards: ReadonlyArray<number>;
      }>;
      return left.length === 1 && left[0]!.shards.length === 16;
    });
  });
});

describe("aegispay setup", () => {
  it("finds everything there the second time, and refuses another shard count", async () => {
    const again = await cli("setup", "--json");
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ created: [] });
    const other = await cli("setup", "--shards", "32");
    expect(other.code).toBe(1);
    expect(other.stderr).toContain("--shards 16");
  });

  it("refuses another number of replicas than the streams have", async () => {
    const other = await cli("setup", "--replicas", "3", "--json");
    expect(other.code).toBe(1);
    expect(JSON.parse(other.stdout)).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining("replicas") },
    });
  });

  it("that makes the lease bucket anew takes the old epochs' consumers along, which no new revision would reach", async () => {
    await cli("setup", "--root", "payments-anew", "--shards", "2");
    const { manager } = deployment;
    const filter_subject = "payments-anew.shard.0.command.>";
    await manager.consumers.add("PAYMENTS_ANEW_COMMANDS", {
      durable_name: "shard-0-e99999",
      filter_subject,
      ack_policy: "explicit",
    });
    await manager.streams.delete("KV_payments_anew_leases");
    const again = await cli("setup", "--root", "payments-anew", "--shards", "2", "--json");
    expect(JSON.parse(again.stdout)).toMatchObject({ created: ["payments_anew_leases"] });
    await expect(manager.consumers.info("PAYMENTS_ANEW_COMMANDS", "shard-0-e99999")).rejects.toThrow("not found");
  });

  it("makes a deployment of its own under another root", async () => {
    const made = await cli("setup", "--root", "payments-eu", "--shards", "4", "--json");
    expect(JSON.parse(made.stdout)).toMatchObject({
      created: expect.arrayContaining(["PAYMENTS_EU_COMMANDS", "payments_eu_leases"]),
    });
    const wrong = await cli("setup", "--root", "Payments.EU");
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("subject root");
  });
});

describe("wrong usage", () => {
  it.each([
    [["payment", "create", "--merchant", "x"]],
    [["fly"]],
    [["setup", "--shards", "many"]],
    [["payment", "show", "only-one"]],
    [["payment", "refund", "cli", "c1", "--command-id", "two words"]],
    [["payment", "resolve", "cli", "c1", "--as", "LOST", "--reason", "x"]],
    [["dev", "--nats-port", "99999"]],
  ])("%o exits 2 with the usage", async (args) => {
    const result = await cli(...args);
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/usage/i);
    expect(result.stdout).toBe("");
  });

  it("every command has its --help, which exits 0", async () => {
    for (const command of [
      ["dev"],
      ["setup"],
      ["node"],
      ["nodes"],
      ["shards"],
      ["simulator"],
      ["payment", "create"],
      ["payment", "events"],
      ["payment", "capture"],
      ["payment", "void"],
      ["payment", "refund"],
      ["payment", "cancel"],
      ["payment", "authenticate"],
      ["payment", "resolve"],
    ]) {
      const help = await cli(...command, "--help");
      expect([command, help.code]).toEqual([command, 0]);
      expect(help.stdout).toMatch(/usage/i);
    }
  }, 60_000);

  it("a NATS that is not there exits 3 and names what to do", async () => {
    const result = await runCli(["nodes", "--nats-url", "nats://127.0.0.1:1"]);
    expect(result.code).toBe(3);
    expect(result.stderr).toContain("--nats-url");
  });

  it("a node without a deployment exits 1 and names `aegispay setup`", async () => {
    const result = await cli("node", "--root", "nothing-here");
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("aegispay setup");
  });

  it("settings that are misspelt or contradict each other are refused at the start", async () => {
    const misspelt = await runCli(["setup", "--nats-url", deployment.natsUrl], { AEGISPAY_SETTINGS: '{"leaseTtl":1}' });
    expect([misspelt.code, misspelt.stderr]).toEqual([1, expect.stringContaining("leaseTtl")]);
    const contrary = await runCli(["setup", "--nats-url", deployment.natsUrl], {
      AEGISPAY_SETTINGS: '{"leaseTtlMillis":1000}',
    });
    expect([contrary.code, contrary.stderr]).toEqual([1, expect.stringContaining("leaseRenewMillis")]);
  });
});

describe("aegispay dev", () => {
  let taken: Server;
  let port: number;
  beforeAll(async () => {
    taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    port = (taken.address() as { port: number }).port;
  });
  afterAll(() => void taken.close());

  it.each(["--nats-port", "--simulator-port", "--http-port"])(
    "names the flag %s when its port is taken",
    async (flag) => {
      const others = ["--nats-port", "--simulator-port", "--http-port"]
        .filter((one) => one !== flag)
        .flatMap((one) => [one, "0"]);
      const result = await runCli([
        "dev",
        "--no-demo",
        "--exit",
        "--data-dir",
        `${deployment.dataDir}/taken`,
        flag,
        String(port),
        ...others,
      ]);
      expect(result.code).toBe(1);
      expect(result.stderr).toContain(flag);
    },
  );

  it("that is interrupted before its demonstration was done does not say that all was right", async () => {
    const ports = ["--nats-port", "0", "--http-port", "0", "--simulator-port", "0"];
    const dataDir = `${deployment.dataDir}/interrupted`;
    const child = spawn(process.execPath, [cliPath, "dev", "--exit", "--json", "--data-dir", dataDir, ...ports], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    await once(createInterface({ input: child.stdout }), "line");
    child.kill("SIGINT");
    expect(await ended(child)).toBe(130);
  });

  it("refuses a data folder that another one works in", async () => {
    const result = await runCli(["dev", "--no-demo", "--exit", "--data-dir", deployment.dataDir, "--nats-port", "0"]);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("--data-dir");
  });

  it("serves /livez and /readyz", async () => {
    expect((await fetch(`${deployment.http}/livez`)).status).toBe(200);
    const ready = await fetch(`${deployment.http}/readyz`);
    expect([ready.status, await ready.json()]).toMatchObject([200, { ready: true, workers: { up: 1, expected: 1 } }]);
  });
});
