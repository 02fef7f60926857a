/** Webhooks about payments that are not there, and what happens while the server or a process is away. */
import { gatewayIdempotencyKey } from "@aegispay/core/identity/Identity";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../support/cli.ts";
import { eventually } from "../support/eventually.ts";
import { lifecycleAt, type Lifecycle } from "../support/lifecycle.ts";
import { createBody, publish } from "../support/plainClient.ts";
import { postEvent, signedEvent, startWebhookCluster, type WebhookCluster } from "../support/webhookCluster.ts";
import { orderWebhookFaults, pendingWebhooks, post, webhooksCounted } from "../support/webhooks.ts";

let world: WebhookCluster;
let life: Lifecycle;

beforeAll(async () => {
  world = await startWebhookCluster({
    webhookTriesAtMillis: [500, 4_000],
    policy: { lookUpDelaysMillis: [3_600_000] },
  });
  life = lifecycleAt(world.cluster);
}, 90_000);
afterAll(() => world?.cluster.stop());

interface DeadRow {
  readonly id: number;
  readonly merchant: string;
  readonly paymentId: string;
  readonly verb: string;
  readonly code: string;
  readonly reason: string;
}

const cli = (...args: ReadonlyArray<string>) => runCli(args, { AEGISPAY_NATS_URL: world.cluster.nats.url });
const parked = async (merchant: string): Promise<ReadonlyArray<DeadRow>> =>
  JSON.parse((await cli("dead", "list", "--merchant", merchant, "--json")).stdout) as ReadonlyArray<DeadRow>;
const timers = async (filter: string): Promise<ReadonlyArray<string>> => {
  const { state } = await world.cluster.manager.streams.info("PAYMENTS_TIMERS", { subjects_filter: filter });
  return Object.keys(state.subjects ?? {});
};
const charged = (payment: string) =>
  eventually(`${payment} is charged`, async () => (await life.charges(payment)).find(({ captured }) => captured > 0));

describe("a webhook about a payment that is not there", () => {
  it("waits on durable timers, is no debt, is parked with its reason, and can be put back and removed", async () => {
    expect(await postEvent(world.node, { reference: "nowhere/late-1" })).toBe(200);
    await eventually("it waits", async () => (await timers("payments.timer.nowhere.late-1.*.*")).length === 1);
    const debts = await cli("debts", "--json");
    expect(JSON.parse(debts.stdout)).toEqual([]);
    expect(debts.code).toBe(0);
    const [row] = await eventually("it is parked", async () => {
      const rows = await parked("nowhere");
      return rows.length > 0 && rows;
    });
    expect(row).toMatchObject({
      paymentId: "late-1",
      verb: "notify",
      code: "PaymentNotFound",
      reason: "a webhook of simulator is about a payment that is not there",
    });
    expect((await cli("dead", "retry", String(row!.id))).code).toBe(0);
    const [again] = await eventually("it is parked again, since nothing has changed", async () => {
      const rows = await parked("nowhere");
      return rows.length > 0 && rows[0]!.id !== row!.id && rows;
    });
    expect((await cli("dead", "discard", String(again!.id), "--yes")).code).toBe(0);
    expect(await parked("nowhere")).toEqual([]);
  });

  it("is told to it when it comes after all", async () => {
    const { config } = await world.cluster.manager.streams.info("PAYMENTS_EVENTS");
    const deployment = config.metadata!["aegispay.deployment"]!;
    const paymentId = "comes-later";
    const idempotencyKey = gatewayIdempotencyKey(deployment, { merchant: "shop", paymentId }, 1, "charge", 1);
    const charge = { id: "ch_of-later", reference: `shop/${paymentId}`, idempotencyKey };
    expect(await postEvent(world.node, charge)).toBe(200);
    await eventually("it waits", async () => (await timers(`payments.timer.shop.${paymentId}.*.*`)).length === 1);
    await publish(world.cluster.connection, { payment: paymentId, body: createBody("tok_lost_answer", 100) });
    await life.until(paymentId, "it has been looked up", ({ state }) => state === "SUCCESS");
  });

  it("waits at an address of its gateway's where it names only a key that nobody here has used", async () => {
    const idempotencyKey = `ap_${"k".repeat(43)}`;
    expect(await postEvent(world.node, { reference: "", idempotencyKey })).toBe(200);
    const [row] = await eventually("it is parked", async () => {
      const rows = await parked("_webhooks");
      return rows.length > 0 && rows;
    });
    expect(row).toMatchObject({ paymentId: "simulator", code: "PaymentNotFound" });
  });

  it("that is about nothing of ours is kept and goes no further", async () => {
    expect(await postEvent(world.node, { reference: "" })).toBe(200);
    expect(await webhooksCounted(world.node.http, "simulator", "ignored")).toBe(1);
  });
});

describe("aegispay webhooks", () => {
  it("lists and shows what came, and takes once more what was refused for a wrong secret", async () => {
    const env = { AEGISPAY_NATS_URL: world.cluster.nats.url, AEGISPAY_GATEWAYS: world.gatewaysFile };
    const run = async (...args: ReadonlyArray<string>) => {
      const result = await runCli(["webhooks", ...args, "--json"], { ...env, ...world.secrets });
      return { code: result.code, document: JSON.parse(result.stdout) as never };
    };
    await publish(world.cluster.connection, { payment: "refused", body: createBody("tok_lost_answer", 100) });
    const { id } = await charged("refused");
    await life.until("refused", "it is unknown", ({ state }) => state === "OUTCOME_UNKNOWN");
    const [charge] = await life.charges("refused");
    const idempotencyKey = charge!.idempotencyKeys[0]!;
    const event = signedEvent({ id, reference: "shop/refused", idempotencyKey }, undefined, "whsec_b3RoZXI=");
    expect(await post(world.node.http, "simulator", event)).toBe(401);
    const [refused] = await eventually("it is noted", async () => {
      const { document } = await run("list", "--refused");
      return (
        (document as ReadonlyArray<{ id: number; reason: string }>).length > 0 && (document as Array<{ id: number }>)
      );
    });
    expect(refused).toMatchObject({ gateway: "simulator", verdict: "refused", reason: "signed by no secret of ours" });
    const shown = await run("show", String(refused!.id), "--refused");
    expect(shown.document).toMatchObject({ body: Buffer.from(event.rawBody).toString("utf8") });
    expect((await run("again", String(refused!.id), "--refused")).code).toBe(1);
    expect((await life.view("refused")).state).toBe("OUTCOME_UNKNOWN");
    // The secret is put right.
    const right = { ...env, TEST_WEBHOOK_SECRET: "whsec_b3RoZXI=" };
    const again = await runCli(["webhooks", "again", String(refused!.id), "--refused", "--json"], right);
    expect(JSON.parse(again.stdout)).toMatchObject({ result: "accepted" });
    await life.until("refused", "it has been looked up", ({ state }) => state === "SUCCESS");
    const { document } = await run("list", "--gateway", "simulator");
    expect((document as ReadonlyArray<object>).at(-1)).toMatchObject({ gateway: "simulator", verdict: "genuine" });
  });
});

describe("while NATS is away", () => {
  it("a webhook is answered 503 within a second, and the gateway's next try gets through", async () => {
    await world.wire(world.node);
    // Late enough for the server to have gone.
    await orderWebhookFaults(world.cluster.simulator, { delayMs: 3_000 });
    await publish(world.cluster.connection, { payment: "outage", body: createBody("tok_lost_answer", 100) });
    await charged("outage");
    await life.until("outage", "it is unknown", ({ state }) => state === "OUTCOME_UNKNOWN");
    await world.cluster.nats.kill();
    const before = Date.now();
    expect(await postEvent(world.node, { reference: "shop/outage" })).toBe(503);
    expect(Date.now() - before).toBeLessThan(1_000);
    const unavailable = () => webhooksCounted(world.node.http, "simulator", "unavailable");
    await eventually("the simulator's own was turned away too", async () => (await unavailable()) >= 2);
    expect(await pendingWebhooks(world.cluster.simulator)).toBe(1);
    await world.cluster.nats.startAgain();
    await eventually("it has been looked up", async () => {
      // The connection may come back a little later than the server.
      const found = await life.view("outage").catch(() => undefined);
      return found?.state === "SUCCESS";
    });
    await eventually("all is delivered", async () => (await pendingWebhooks(world.cluster.simulator)) === 0);
    await orderWebhookFaults(world.cluster.simulator, {});
  });
});

describe("when the group that receives webhooks is killed", () => {
  it("the gateway's next try reaches another, and the payment is looked up once it has an owner", async () => {
    await orderWebhookFaults(world.cluster.simulator, { delayMs: 1_000 });
    await publish(world.cluster.connection, { payment: "killed", body: createBody("tok_lost_answer", 100) });
    await charged("killed");
    world.node.signal("SIGKILL");
    await world.node.ended;
    await eventually("nobody took it", async () => (await pendingWebhooks(world.cluster.simulator)) === 1);
    const other = await world.startNode("another");
    await world.wire(other);
    await life.until("killed", "it has been looked up", ({ state }) => state === "SUCCESS");
    expect(await life.charges("killed")).toHaveLength(1);
    expect(await post(other.http, "silent", { rawBody: Buffer.from("{}"), headers: {} })).toBe(404);
  });
});
