/** The simulator's signed webhooks, through the real endpoint of a whole deployment: late, doubled, out of order, forged, never. */
import { Kvm } from "@nats-io/kv";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startDeployment, type Deployment } from "../support/deployment.ts";
import { eventually } from "../support/eventually.ts";
import { lifecycleAt, type Lifecycle } from "../support/lifecycle.ts";
import { orderFaults, clearFaults } from "../support/ledger.ts";
import { orderWebhookFaults, pendingWebhooks, webhooksCounted } from "../support/webhooks.ts";

let deployment: Deployment;
let life: Lifecycle;

beforeAll(async () => {
  // Without a webhook nothing is found out for an hour.
  const settings = { policy: { lookUpDelaysMillis: [3_600_000] } };
  deployment = await startDeployment({ settings, webhooks: true });
  life = lifecycleAt(deployment);
}, 90_000);
afterAll(() => deployment?.stop());
beforeEach(async () => {
  await clearFaults(deployment.simulator);
  await orderWebhookFaults(deployment.simulator, {});
});

const counted = (result: string) => webhooksCounted(deployment.http, "simulator", result);
const lookUps = async (payment: string) =>
  (await life.events(payment)).filter((type) => type === "RoundStarted").length;

/** A charge whose answer is lost, so that only a webhook tells of it soon. */
const unknownCharge = (payment: string) => {
  void life.create(payment, { token: "tok_lost_answer" }).catch(() => undefined);
  return life.until(payment, "it is unknown", ({ state }) => state !== "PROCESSING");
};

const settled = () =>
  eventually("all webhooks are delivered", async () => (await pendingWebhooks(deployment.simulator)) === 0);

describe("a webhook", () => {
  it("of an unknown charge makes its node look, long before the schedule would", async () => {
    await orderWebhookFaults(deployment.simulator, { delayMs: 500 });
    await unknownCharge("quick");
    await life.until("quick", "it has succeeded", ({ state }) => state === "SUCCESS");
    expect(await life.charges("quick")).toMatchObject([{ captured: 100 }]);
  });

  it("that is doubled begins one look-up", async () => {
    await orderWebhookFaults(deployment.simulator, { delayMs: 300, copies: 3 });
    const [before, same] = [await counted("accepted"), await counted("duplicate")];
    await unknownCharge("doubled");
    await life.until("doubled", "it has succeeded", ({ state }) => state === "SUCCESS");
    await settled();
    expect(await counted("accepted")).toBe(before + 1);
    expect(await counted("duplicate")).toBe(same + 2);
    expect(await lookUps("doubled")).toBe(2);
  });

  it("that is out of order, of a charge and what was done with it, brings both to their end", async () => {
    await orderFaults(deployment.simulator, { firstRequests: { charge: "lose-answer", capture: "lose-answer" } });
    await orderWebhookFaults(deployment.simulator, { outOfOrder: true, delayMs: 200 });
    void life.create("crossed", { capture: "manual" }).catch(() => undefined);
    await life.until("crossed", "it is authorized", ({ state }) => state === "AUTHORIZED");
    const captured = await life.capture("crossed", 60, "crossed-1");
    expect(captured.payment).toMatchObject({ state: "PARTIALLY_CAPTURED", captured: 60 });
    expect(await life.charges("crossed")).toMatchObject([{ captured: 60 }]);
  });

  it("that is forged is counted, answered 401, and makes nobody look", async () => {
    await orderWebhookFaults(deployment.simulator, { forged: true });
    const before = await counted("forged");
    await unknownCharge("forged");
    await eventually("the forged one is counted", async () => (await counted("forged")) === before + 1);
    await settled();
    expect((await life.view("forged")).state).toBe("OUTCOME_UNKNOWN");
    const refused = await (await new Kvm(deployment.connection).open("payments_webhooks_refused")).get("simulator");
    expect(refused?.json()).toMatchObject({ reason: "signed by no secret of ours" });
  });

  it("that is rightly signed and says it is about another merchant's payment cannot touch it", async () => {
    await orderWebhookFaults(deployment.simulator, { never: true });
    await life.create("theirs");
    const events = await life.events("theirs");
    await orderWebhookFaults(deployment.simulator, { reference: "shop/theirs" });
    const before = await counted("unmatched");
    await life.create("mine", { value: 101 });
    await eventually("it is counted", async () => (await counted("unmatched")) === before + 1);
    expect(await life.events("theirs")).toEqual(events);
  });

  it("is kept byte for byte for some days, with the headers that sign it and without passwords", async () => {
    await life.create("kept");
    await settled();
    const { subject, data, header } = (await deployment.manager.streams.getMessage("PAYMENTS_WEBHOOKS", {
      last_by_subj: "payments.webhook.simulator.genuine",
    }))!;
    expect(subject).toBe("payments.webhook.simulator.genuine");
    expect(JSON.parse(Buffer.from(data).toString("utf8"))).toMatchObject({
      type: "charge.succeeded",
      data: { charge: { reference: "shop/kept" } },
    });
    expect(JSON.parse(header.get("Aegis-Webhook-Headers"))).toHaveProperty("webhook-signature");
    const { config } = await deployment.manager.streams.info("PAYMENTS_WEBHOOKS");
    expect(config).toMatchObject({ max_age: 7 * 86_400e9, discard: "old" });
  });
});

describe("a webhook that never comes", () => {
  it("is not missed: the schedule of look-ups finds what it would have told", async () => {
    const other = await startDeployment({ webhooks: true });
    try {
      const there = lifecycleAt(other);
      await orderWebhookFaults(other.simulator, { never: true });
      expect((await there.create("unheard", { token: "tok_lost_answer" })).payment).toMatchObject({ state: "SUCCESS" });
      expect(await webhooksCounted(other.http, "simulator", "accepted")).toBe(0);
    } finally {
      await other.stop();
    }
  }, 60_000);
});
