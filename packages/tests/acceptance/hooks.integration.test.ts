/** Hooks of a module that the configuration names, in real workers; judged by the log and by the gateway's ledger. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../support/cli.ts";
import { startCluster, type Cluster, type NodeGroup } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { readMetrics, sumOf } from "../support/health.ts";
import { readLedger } from "../support/ledger.ts";
import { ask, createBody, insist, publish, query } from "../support/plainClient.ts";

let cluster: Cluster;
let nodes: NodeGroup;
let record: string;
let approved: string;
let file: string;

/** What each hook does follows from the payment's id. */
const moduleText = `
import { appendFileSync, existsSync } from "node:fs";
import type { Hooks } from "@aegispay/runtime/hooks/Hooks";

const note = (line: string): void => appendFileSync(process.env["HOOKS_RECORD"]!, line + "\\n");
const never = () => new Promise<never>(() => undefined);

const hooks: Hooks = {
  validate: ({ paymentId, order }) => {
    note(\`validate \${paymentId} \${JSON.stringify(order.method)}\`);
    return paymentId.startsWith("invalid")
      ? { verdict: "refuse", code: "no_gifts", message: "gift cards are not sold" }
      : { verdict: "accept" };
  },
  enrich: async ({ order }) => ({ tier: order.amount.value > 1000 ? "gold" : "plain" }),
  fraudCheck: async ({ paymentId, labels, signal }) => {
    note(\`fraudCheck \${paymentId} \${labels["tier"]}\`);
    if (paymentId.startsWith("stolen")) return { verdict: "refuse", reason: "velocity", score: 97 };
    if (paymentId.startsWith("odd") && !existsSync(process.env["HOOKS_APPROVED"]!))
      return { verdict: "review", reason: "new device", score: 61 };
    if (paymentId.startsWith("exit")) process.exit(7);
    if (paymentId.startsWith("throw")) throw new Error("the fraud service is down");
    if (paymentId.startsWith("hang")) return never();
    if (paymentId.startsWith("late"))
      return new Promise((resolve) => setTimeout(() => resolve({ verdict: "allow" }), 600).unref());
    if (paymentId.startsWith("nonsense")) return "sure" as never;
    return { verdict: "allow", score: signal.aborted ? -1 : 3 };
  },
  route: ({ paymentId }) => (paymentId.startsWith("south") ? ["nowhere", "south"] : undefined),
  onEvent: ({ paymentId, state, event }) => {
    note(\`event \${paymentId} \${event.version} \${event.type} \${state}\`);
    return paymentId.startsWith("deaf") ? never() : undefined;
  },
  onError: ({ kind, paymentId, message }) => note(\`error \${kind} \${paymentId} \${message}\`),
};
export default hooks;
`;

const configuration = (onFailure: "park" | "refuse") => `
gateways:
  - { name: north, type: simulator, url: "${cluster.simulator}" }
  - { name: south, type: simulator, url: "${cluster.simulator}" }
hooks:
  module: ./hooks.ts
  fraudCheck:
    timeLimitMillis: 300
    onFailure: ${onFailure}
  onEvent: { timeLimitMillis: 200 }
`;

const noted = (start: string): ReadonlyArray<string> =>
  (existsSync(record) ? readFileSync(record, "utf8") : "").split("\n").filter((line) => line.startsWith(start));

const charges = async (payment: string) =>
  (await readLedger(cluster.simulator)).filter(({ reference }) => reference === `shop/${payment}`);

const pay = (payment: string, value = 1999) =>
  insist(cluster.connection, { payment, body: createBody("tok_visa", value) });

const eventsOf = async (payment: string) => (await query(cluster.connection, payment, "events")).events ?? [];

interface DeadSummary {
  readonly id: number;
  readonly paymentId: string;
  readonly code: string;
  readonly reason: string;
}

const dead = async (...args: ReadonlyArray<string>) =>
  JSON.parse((await runCli(["dead", ...args, "--json"], { AEGISPAY_NATS_URL: cluster.nats.url })).stdout) as unknown;

const parked = async (payment: string): Promise<DeadSummary> =>
  eventually(`${payment} is parked`, async () =>
    ((await dead("list")) as ReadonlyArray<DeadSummary>).find(({ paymentId }) => paymentId === payment),
  );

beforeAll(async () => {
  cluster = await startCluster();
  record = join(cluster.folder, "record");
  approved = join(cluster.folder, "approved");
  file = join(cluster.folder, "gateways.yaml");
  writeFileSync(join(cluster.folder, "hooks.ts"), moduleText);
  writeFileSync(file, configuration("park"));
  const env = { AEGISPAY_GATEWAYS: file, HOOKS_RECORD: record, HOOKS_APPROVED: approved };
  nodes = await cluster.startNodes({ nodeId: "hooked", workers: 2, env });
}, 90_000);
afterAll(() => cluster?.stop());

describe("a payment that hooks are asked about", () => {
  it("is charged if they let it, and its log says what they said; none ever sees the token", async () => {
    expect(await pay("fine")).toMatchObject({ ok: true, payment: { state: "SUCCESS", gateway: "north" } });
    const [initiated, ...rest] = await eventsOf("fine");
    expect(initiated?.type).toBe("PaymentInitiated");
    expect(rest.slice(0, 4)).toMatchObject([
      { type: "HookJudged", data: { hook: "validate", verdict: "accepted" } },
      { type: "PaymentEnriched", data: { labels: { tier: "gold" } } },
      { type: "HookJudged", data: { hook: "fraudCheck", verdict: "allowed", score: 3 } },
      { type: "HookJudged", data: { hook: "route", verdict: "passed" } },
    ]);
    expect(noted("validate fine")).toEqual(['validate fine {"type":"card"}']);
    expect(noted("fraudCheck fine")).toEqual(["fraudCheck fine gold"]);
    expect(await charges("fine")).toMatchObject([{ captured: 1999 }]);
  });

  it("goes where the route hook sends it", async () => {
    expect(await pay("south-1")).toMatchObject({ payment: { gateway: "south" } });
    const started = (await eventsOf("south-1")).find(({ type }) => type === "AttemptStarted");
    expect(started).toMatchObject({ data: { gateway: "south", why: "route hook" } });
  });

  it("fails if one refuses it, is never charged, and gets the same answer again without asking anybody", async () => {
    for (const [payment, code] of [
      ["invalid-1", "validation_refused"],
      ["stolen-1", "fraud_refused"],
    ] as const) {
      const failed = { ok: true, payment: { state: "FAILURE", failure: { code }, attempts: [] } };
      expect(await pay(payment)).toMatchObject({ ...failed, replayed: false });
      expect(await pay(payment)).toMatchObject({ ...failed, replayed: true });
      expect(noted(`validate ${payment}`)).toHaveLength(1);
      expect(await charges(payment)).toEqual([]);
    }
    expect((await eventsOf("stolen-1")).map(({ type }) => type)).toEqual([
      "PaymentInitiated",
      "HookJudged",
      "PaymentEnriched",
      "HookJudged",
      "PaymentFailed",
    ]);
  });

  it("that succeeded is not asked about again when it is repeated, or refunded", async () => {
    expect(await pay("fine")).toMatchObject({ replayed: true, payment: { state: "SUCCESS" } });
    const refund = { payment: "fine", verb: "refund", body: {}, headers: { "Aegis-Command-Id": "refund-1" } };
    expect(await insist(cluster.connection, refund)).toMatchObject({ ok: true, payment: { refunded: 1999 } });
    expect(noted("validate fine")).toHaveLength(1);
  });

  it("waits for people if the fraud check wants them; `dead retry` asks again", async () => {
    const answer = await pay("odd-1");
    expect(answer).toMatchObject({ ok: false, error: { code: "Parked", retryable: false } });
    expect(answer.error?.message).toContain("new device");
    const entry = await parked("odd-1");
    expect(entry).toMatchObject({ code: "Parked", reason: expect.stringContaining("score 61") as string });
    expect(await query(cluster.connection, "odd-1", "get")).toMatchObject({ ok: false });
    await dead("retry", String(entry.id));
    const again = await eventually("it is parked again", async () => {
      const next = await parked("odd-1");
      return next.id !== entry.id && next;
    });
    writeFileSync(approved, "");
    await dead("retry", String(again.id));
    await eventually(
      "it is paid",
      async () => (await query(cluster.connection, "odd-1", "get")).payment?.state === "SUCCESS",
    );
    expect(noted("fraudCheck odd-1")).toHaveLength(3);
    expect(await charges("odd-1")).toMatchObject([{ captured: 1999 }]);
  });

  const failing = ["throw", "hang", "late", "nonsense"];

  it("is parked while the fraud check is down, however it is down; others go on", async () => {
    for (const how of failing) {
      const answer = await ask(cluster.connection, { payment: `${how}-1`, body: createBody() });
      expect(answer).toMatchObject({ ok: false, error: { code: "Parked" } });
      expect(answer.error?.message).toContain("the fraud check failed: it");
    }
    expect(await pay("fine-2")).toMatchObject({ payment: { state: "SUCCESS" } });
    const entry = await parked("throw-1");
    expect(await dead("discard", String(entry.id), "--yes")).toEqual({ discarded: [entry.id], refused: [] });
    await eventually("onError has heard of all of them", () =>
      failing.every(
        (how) => noted(`error hookFailed ${how}-1`).length === 1 && noted(`error parked ${how}-1`).length === 1,
      ),
    );
  });

  it("is refused instead once the file says so, without a restart; nobody is charged meanwhile", async () => {
    const reloads = async () =>
      sumOf(await readMetrics(nodes.http), "aegispay_config_reloads_total", { result: "applied" });
    writeFileSync(file, configuration("refuse"));
    await eventually("both workers have the new rules", async () => (await reloads()) >= 2);
    for (const how of failing) {
      const failure = { code: "fraud_refused", message: "the fraud check failed" };
      expect(await pay(`${how}-2`)).toMatchObject({ ok: true, payment: { state: "FAILURE", failure } });
    }
    const ledger = await readLedger(cluster.simulator);
    expect(ledger.filter(({ reference }) => failing.some((how) => reference.startsWith(`shop/${how}-`)))).toEqual([]);
    for (const [result, least] of [
      ["late", 4],
      ["threw", 2],
      ["nonsense", 2],
      ["review", 2],
      ["allow", 3],
    ] as const) {
      await eventually(`${least} answers are counted as ${result}`, async () => {
        const metrics = await readMetrics(nodes.http);
        return sumOf(metrics, "aegispay_hook_calls_total", { hook: "fraudCheck", result }) >= least;
      });
    }
  });

  it("is told of, event by event, in order, to onEvent", async () => {
    await pay("told-1", 500);
    const events = (await eventsOf("told-1")).map(({ version, type }) => `event told-1 ${version} ${type}`);
    const heard = await eventually("all events are told", () => {
      const lines = noted("event told-1 ");
      return lines.length >= events.length && lines;
    });
    expect(heard.map((line) => line.split(" ").slice(0, 4).join(" "))).toEqual(events);
    expect(heard.at(-1)).toContain("PaymentSucceeded SUCCESS");
  });

  it("is not held up by an onEvent that never answers", async () => {
    await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        publish(cluster.connection, { payment: `deaf-${index}`, body: createBody() }),
      ),
    );
    const begun = Date.now();
    for (let index = 0; index < 10; index++)
      expect(await pay(`after-deaf-${index}`)).toMatchObject({ payment: { state: "SUCCESS" } });
    // Ten payments of five or more events, each 200 ms late, would be ten seconds.
    expect(Date.now() - begun).toBeLessThan(10_000);
  });
});

describe("a hook that ends the process it runs in", () => {
  it("does so three times, then its payment is parked; the others are charged", async () => {
    await publish(cluster.connection, { payment: "exit-1", body: createBody() });
    expect(await parked("exit-1")).toMatchObject({
      code: "Parked",
      reason: expect.stringContaining("3 times") as string,
    });
    expect(noted("fraudCheck exit-1")).toHaveLength(3);
    expect(await pay("after-exit")).toMatchObject({ payment: { state: "SUCCESS" } });
    expect(await charges("exit-1")).toEqual([]);
  }, 60_000);
});

describe("hooks of a node that is embedded", () => {
  it("are asked again if the process ends between the verdict and the commit; the customer is charged once", async () => {
    await cluster.endNodes();
    const env = { AEGISPAY_TEST_RECORD: `${record}.embedded` };
    await cluster.startNodes({ nodeId: "embedded", workers: 1, entry: "hookedWorker.ts", env });
    expect(await pay("killed-1")).toMatchObject({ ok: true, payment: { state: "SUCCESS" } });
    const asked = readFileSync(env.AEGISPAY_TEST_RECORD, "utf8").trim().split("\n");
    expect(asked).toHaveLength(2);
    expect(new Set(asked.map((line) => line.split(" ")[1])).size).toBe(2);
    expect((await eventsOf("killed-1")).filter(({ type }) => type === "HookJudged")).toHaveLength(1);
    expect(await charges("killed-1")).toMatchObject([{ captured: 1999 }]);
  });
});

describe("a configuration whose hooks cannot be used", () => {
  it("is an error at start that names line and field, and what is wrong with the module", async () => {
    const start = async (section: string, module = "") => {
      const wrong = join(cluster.folder, "wrong.yaml");
      writeFileSync(join(cluster.folder, "wrong.mjs"), module);
      writeFileSync(wrong, `gateways: [{ name: a, type: simulator, url: "http://127.0.0.1:1" }]\n${section}`);
      const { code, stderr } = await runCli(["node", "--gateways", wrong], { AEGISPAY_NATS_URL: cluster.nats.url });
      expect(code).toBe(2);
      return stderr.replaceAll(cluster.folder, "");
    };
    const named = "hooks:\n  module: ./wrong.mjs\n";
    expect(await start("hooks:\n  module: ./missing.ts\n")).toContain(
      "/wrong.yaml:3:3: hooks.module: the hooks in /missing.ts cannot be used: Cannot find module",
    );
    expect(await start(named, "export default { fraud: () => 1 }")).toContain(
      '3:3: hooks.module: the hooks in /wrong.mjs cannot be used: its default export has "fraud"; hooks are validate, enrich',
    );
    expect(await start(named, "export default { validate: 1 }")).toContain("its validate is no function");
    expect(await start(named, "export const validate = () => 1")).toContain("its default export is no object of hooks");
    expect(await start(named, "throw new Error('no licence')")).toContain("loading it fails: no licence");
    expect(await start(`${named}  fraudCheck: {}\n`, "export default { validate: () => 1 }")).toContain(
      "/wrong.yaml:4:3: hooks.fraudCheck: /wrong.mjs has no hook of this name",
    );
  }, 60_000);
});
