/** Routing with real processes: shares, what the cluster learns, and what the command line says about both. */
import { seedOf } from "@aegispay/core/routing/chance";
import { route } from "@aegispay/core/routing/route";
import { Result } from "effect";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../support/cli.ts";
import { eventually } from "../support/eventually.ts";
import { startGatewayPair, type GatewayPair } from "../support/gatewayPair.ts";
import { orderFaults, readLedger } from "../support/ledger.ts";
import { ask, createBody, insist } from "../support/plainClient.ts";

const weights = { north: 70, south: 30 };
const table = {
  strategy: "successRate",
  rules: [
    { name: "kiosk-by-weight", when: { merchant: ["kiosk"] }, strategy: "weights", weights },
    { name: "south-only-francs", when: { currency: ["CHF"] }, only: ["south"] },
  ],
  gateways: { south: { supports: { amount: { CHF: { min: 1_000 } } } } },
} as const;

let pair: GatewayPair;
let http: string;
beforeAll(async () => {
  pair = await startGatewayPair({ workers: 2, routing: table });
  http = pair.http;
}, 90_000);
afterEach(() => pair.clearFaults());
afterAll(() => pair?.stop());

/** So many payments, eight at a time. */
const payAll = async (merchant: string, prefix: string, count: number): Promise<ReadonlyArray<string>> => {
  const ids = Array.from({ length: count }, (_, number) => `${prefix}-${number}`);
  const waiting = [...ids];
  const payer = async () => {
    for (let payment = waiting.shift(); payment !== undefined; payment = waiting.shift()) {
      const reply = await insist(pair.cluster.connection, { merchant, payment, body: createBody("tok_visa", 100) });
      expect(reply).toMatchObject({ ok: true, payment: { state: "SUCCESS" } });
    }
  };
  await Promise.all(Array.from({ length: 8 }, payer));
  return ids;
};

/** Payments whose first attempt went there. */
const firstsAt = async (gateway: string, payments: ReadonlyArray<string>): Promise<number> => {
  const starts = await Promise.all(payments.map((payment) => pair.starts(payment)));
  return starts.filter(([first]) => first?.gateway === gateway).length;
};

const cli = (...args: ReadonlyArray<string>) =>
  runCli([...args, "--gateways", pair.file], { AEGISPAY_NATS_URL: pair.cluster.nats.url });

describe("shares by weight", () => {
  it("are kept over real payments: each goes where the router says for its id", async () => {
    const payments = await payAll("kiosk", "weighted", 200);
    const candidates = ["north", "south"].map((gateway) => ({ gateway, account: "default", keyRetentionMillis: 1 }));
    const facts = { merchant: "kiosk", amount: { value: 100, currency: "USD" }, labels: {} };
    const expected = payments.filter((paymentId) => {
      const question = { candidates, facts, seed: seedOf({ merchant: "kiosk", paymentId }, 1), tried: [] };
      return Result.getOrThrow(route({ table, live: new Map() }, question)).order[0].gateway === "north";
    });
    const taken = (await readLedger(pair.north().url)).filter(({ reference }) =>
      reference.startsWith("kiosk/weighted-"),
    );
    expect(taken.map(({ reference }) => reference).toSorted()).toEqual(expected.map((id) => `kiosk/${id}`).toSorted());
    expect(taken.length).toBeGreaterThan(110);
    expect(taken.length).toBeLessThan(170);
  });
});

describe("the success rate over two workers", () => {
  it("moves the traffic away from a gateway that fails, while no payment is lost", async () => {
    await payAll("shop", "well", 100);
    await orderFaults(pair.north().url, { declineRate: 1, declineCode: "try_again_later" });
    await payAll("shop", "turning", 200);
    const after = await payAll("shop", "left", 50);
    expect(await firstsAt("south", after)).toBeGreaterThanOrEqual(40);
    const [start] = (await pair.starts("left-0")).filter(({ route: shown }) => shown !== undefined);
    expect(start?.route).toMatchObject({
      strategy: "successRate",
      order: [{ why: [expect.stringContaining("went well")] }, {}],
    });
  });

  it("is what the command line shows, as the cluster has seen it", async () => {
    const shown = await eventually("both workers' figures", async () => {
      const { stdout, code } = await cli("gateways", "--json");
      expect(code).toBe(0);
      const document = JSON.parse(stdout) as {
        readonly cluster: { readonly nodes: ReadonlyArray<string> };
        readonly gateways: ReadonlyArray<{
          readonly name: string;
          readonly health: { readonly attempts: number } | null;
        }>;
      };
      return (
        document.cluster.nodes.length === 2 && document.gateways.every(({ health }) => health !== null) && document
      );
    });
    expect(shown).toMatchObject({
      routing: { strategy: "successRate", rules: ["kiosk-by-weight", "south-only-francs"] },
      cluster: { connected: true, nodes: ["pair-1", "pair-2"] },
      gateways: [
        {
          name: "north",
          type: "simulator",
          breakers: { money: "CLOSED" },
          health: { score: 100 },
          limits: { timeoutMillis: 400 },
        },
        { name: "south", type: "simulator", health: { score: 100, successRate: 1 } },
      ],
    });
    const listed = await cli("gateways");
    expect(listed.stdout).toMatch(/north +simulator +default +CLOSED \/ CLOSED +100/);
  });

  it("is in the metrics of each node", async () => {
    await eventually("the gauges", async () => {
      const text = await (await fetch(`${http}/metrics`)).text();
      return (
        /aegispay_gateway_health_score\{[^}]*gateway="south\/default"[^}]*\} 100/.test(text) &&
        /aegispay_gateway_success_rate\{[^}]*gateway="south\/default"[^}]*\} 1/.test(text) &&
        /aegispay_gateway_latency_seconds\{[^}]*gateway="north\/default"/.test(text)
      );
    });
  });
});

describe("aegispay route", () => {
  const dollars = ["route", "--merchant", "shop", "--amount", "19.99", "--currency", "USD"];

  it("says what a payment would do and why, by the live figures of the cluster", async () => {
    const { stdout, stderr, code } = await cli(...dollars, "--explain");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("no rule matches; strategy successRate");
    expect(stdout).toMatch(/of \d+ went well/);
    expect(stdout).toMatch(/of 1000 such payments .*(?:1000|9\d\d) go to south first/);
  });

  it("says so where the client prefers what there is not", async () => {
    const { stdout, code } = await cli(...dollars, "--explain", "--gateway", "nroth");
    expect(code).toBe(0);
    expect(stdout).toContain("not nroth: no gateway has this name, so the wish is passed over");
  });

  it("says for a payment that is there what its log says", async () => {
    await ask(pair.cluster.connection, { merchant: "kiosk", payment: "explained", body: createBody("tok_visa", 100) });
    const { stdout } = await cli(
      "route",
      "--merchant",
      "kiosk",
      "--id",
      "explained",
      "--amount",
      "1",
      "--currency",
      "USD",
      "--json",
    );
    const shown = await runCli(["payment", "show", "kiosk", "explained"], { AEGISPAY_NATS_URL: pair.cluster.nats.url });
    const [{ gateway }] = (JSON.parse(stdout) as { order: [{ gateway: string }] }).order;
    expect(shown.stdout).toContain(`attempt 1 at ${gateway}: SUCCEEDED`);
    expect(shown.stdout).toContain("(rule kiosk-by-weight, strategy weights)");
    expect(shown.stdout).toContain("1. " + gateway);
  });

  it("refuses, as a node would, what no gateway may take, and says why of each", async () => {
    const francs = ["route", "--merchant", "shop", "--amount", "9.99", "--currency", "CHF"];
    const { stderr, code } = await cli(...francs);
    const why = "north: the rule south-only-francs names only others; south: it does not take such an amount";
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining(why) });
    const { stdout, code: again } = await cli(...francs, "--json");
    expect({ again, document: JSON.parse(stdout) as unknown }).toMatchObject({
      again: 1,
      document: { ok: false, error: { code: "NoGatewayAvailable", retryable: false } },
    });
    const body = { ...createBody("tok_visa", 999), amount: { value: 999, currency: "CHF" } };
    const reply = await ask(pair.cluster.connection, { payment: "too-small", body });
    expect(reply).toMatchObject({
      ok: false,
      error: { code: "NoGatewayAvailable", message: expect.stringContaining(why) },
    });
  });

  it("goes by the configuration alone where there is no NATS, and says so", async () => {
    const away = [...dollars, "--explain", "--gateways", pair.file, "--nats-url", "nats://127.0.0.1:1"];
    const { stdout, stderr, code } = await runCli(away);
    expect(code).toBe(0);
    expect(stdout).toContain("strategy successRate");
    expect(stderr).toContain("without live figures: no NATS at nats://127.0.0.1:1");
    const shown = await runCli(["gateways", "--gateways", pair.file, "--nats-url", "nats://127.0.0.1:1"]);
    expect(shown).toMatchObject({ code: 0, stderr: expect.stringContaining("how they are doing is not known") });
  });
});
