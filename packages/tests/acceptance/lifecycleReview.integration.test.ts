/** What people must look at, and truths that come late: amounts that disagree, reversals, successes after the end. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../support/cli.ts";
import { startDeployment, type Deployment } from "../support/deployment.ts";
import { clearFaults, orderFaults } from "../support/ledger.ts";
import { lifecycleAt, type Lifecycle } from "../support/lifecycle.ts";
import { createBody, publish } from "../support/plainClient.ts";

let deployment: Deployment;
let life: Lifecycle;
beforeAll(async () => {
  const policy = {
    maxRetries: 1,
    retryDelaysMillis: [100],
    lookUpDelaysMillis: [0, 200],
    reviewEveryMillis: 500,
  };
  deployment = await startDeployment({ settings: { timerFromMillis: 100, policy } });
  life = lifecycleAt(deployment);
}, 90_000);
afterAll(() => deployment?.stop());

const cli = (...args: ReadonlyArray<string>) => runCli(args, { AEGISPAY_NATS_URL: deployment.natsUrl });

const resolve = async (payment: string, ...as: ReadonlyArray<string>) => {
  const given = ["payment", "resolve", "shop", payment, ...as, "--reason", "the operator has looked", "--json"];
  const { code, stdout } = await cli(...given);
  return { code, reply: JSON.parse(stdout) as { readonly ok: boolean; readonly error?: { readonly code: string } } };
};

/** The keys of what the gateway has received and not done yet. */
const delayedKeys = async (): Promise<ReadonlyArray<string>> => {
  const response = await fetch(`${deployment.simulator}/admin/ledger`);
  return ((await response.json()) as { readonly delayed: ReadonlyArray<string> }).delayed;
};

/** As a webhook would: it says that there is news, not what. */
const notify = (payment: string) =>
  deployment.connection.request(`payments.internal.shop.${payment}.notify`, "", { timeout: 5_000 });

const inReview = (payment: string) =>
  life.until(payment, "review", ({ state, review }) => state === "NEEDS_REVIEW" && review !== undefined);

describe("a gateway that disagrees", () => {
  it.each(["tok_other_amount", "tok_other_currency"])(
    "by %s leads to NEEDS_REVIEW, never to SUCCESS",
    async (token) => {
      await publish(deployment.connection, { payment: token, body: createBody(token, 100) });
      await inReview(token);
      expect(await life.events(token)).toContain("IntegrityMismatchDetected.v2");
    },
  );

  it.each([
    ["otherAmountRate", "capture"],
    ["otherCurrencyRate", "capture"],
    ["otherAmountRate", "refund"],
    ["otherCurrencyRate", "refund"],
  ] as const)("by %s about a %s leads to NEEDS_REVIEW", async (fault, kind) => {
    const payment = `${fault}-${kind}`;
    await life.create(payment, { capture: kind === "capture" ? "manual" : "automatic" });
    await orderFaults(deployment.simulator, { [fault]: 1 });
    try {
      await publish(deployment.connection, {
        payment,
        verb: kind,
        body: { amount: { value: 60, currency: "USD" } },
        headers: { "Aegis-Command-Id": `${kind}-1` },
      });
      await inReview(payment);
    } finally {
      await clearFaults(deployment.simulator);
    }
    expect((await life.events(payment)).filter((type) => type.startsWith("IntegrityMismatchDetected"))).toHaveLength(1);
  });
});

describe("a refund that is reversed later", () => {
  it("is the merchant's money again, and may be given back anew: RefundReversed", async () => {
    const { payment } = await life.create("reversed");
    await life.refund("reversed", 60, "refund-1");
    await life.post(`/admin/charges/${payment!.gatewayTransactionId}/reverse-refund`);
    await notify("reversed");
    const after = await life.until("reversed", "the reversal", ({ refunded }) => refunded === 0);
    expect(after).toMatchObject({ state: "SUCCESS", refundProgress: "none", refunds: [{ status: "FAILED" }] });
    expect(await life.events("reversed")).toContain("RefundReversed");
    expect(await life.refund("reversed", 100, "refund-2")).toMatchObject({ payment: { refunded: 100 } });
    expect(await life.charges("reversed")).toMatchObject([{ refunded: 100, reversed: 60 }]);
  });
});

describe("a success that comes late", () => {
  it("after a decline is detected, given back once under a key of its own, and put before people", async () => {
    await life.create("declined", { token: "tok_declined" });
    const [charge] = await life.charges("declined");
    await life.post(`/admin/charges/${charge!.id}/succeed`);
    await notify("declined");
    await life.until("declined", "the compensation", ({ refunds }) => refunds[0]?.status === "SUCCEEDED");
    expect(await life.events("declined")).toEqual(
      expect.arrayContaining(["PaymentFailed", "LateSuccessDetected", "LateSuccessCompensated"]),
    );
    expect(await life.view("declined")).toMatchObject({ state: "NEEDS_REVIEW", captured: 0, refunded: 0 });
    await notify("declined");
    await resolve("declined", "--as", "FAILURE");
    expect(await life.view("declined")).toMatchObject({ state: "FAILURE", refunds: [{ purpose: "compensation" }] });
    expect(await life.charges("declined")).toMatchObject([
      { captured: 100, refunded: 100, operations: [{ kind: "refund", requests: 1 }] },
    ]);
  });

  it("of an authorization is voided", async () => {
    await life.create("declined-manual", { token: "tok_declined", capture: "manual" });
    const [charge] = await life.charges("declined-manual");
    await life.post(`/admin/charges/${charge!.id}/succeed`);
    await notify("declined-manual");
    await life.until("declined-manual", "the compensation", ({ voids }) => voids[0]?.status === "SUCCEEDED");
    expect(await life.charges("declined-manual")).toMatchObject([{ status: "voided", captured: 0, released: 100 }]);
  });

  it(
    "after an operator's FAILURE is found by the look-ups that go on, and given back",
    { timeout: 60_000 },
    async () => {
      await publish(deployment.connection, { payment: "contradicted", body: createBody("tok_late", 100) });
      await inReview("contradicted");
      const resolved = await cli(
        "payment",
        "resolve",
        "shop",
        "contradicted",
        "--as",
        "FAILURE",
        "--reason",
        "the bank knows nothing of it",
        "--command-id",
        "resolve-1",
        "--json",
      );
      expect([resolved.code, JSON.parse(resolved.stdout)]).toMatchObject([0, { payment: { state: "FAILURE" } }]);
      const { delayed } = (await (await fetch(`${deployment.simulator}/admin/ledger`)).json()) as {
        readonly delayed: ReadonlyArray<string>;
      };
      await life.post("/admin/delayed", { key: delayed[0] });
      await life.until("contradicted", "the compensation", ({ refunds }) => refunds[0]?.status === "SUCCEEDED");
      expect(await life.charges("contradicted")).toMatchObject([{ captured: 100, refunded: 100 }]);
      expect(await life.events("contradicted")).toEqual(
        expect.arrayContaining([
          "ReviewRequested.v2",
          "ReviewResolved",
          "LateSuccessDetected",
          "LateSuccessCompensated",
        ]),
      );
    },
  );

  it("while people look at it is SUCCESS by the gateway's own word", async () => {
    await publish(deployment.connection, { payment: "found-late", body: createBody("tok_late", 100) });
    await inReview("found-late");
    await life.post("/admin/delayed", { key: (await delayedKeys())[0] });
    await life.until("found-late", "its end", ({ state }) => state === "SUCCESS");
    expect(await life.charges("found-late")).toMatchObject([{ captured: 100, refunded: 0 }]);
  });
});

describe("an operator", () => {
  it("who resolves what needs no review is refused", async () => {
    await life.create("fine");
    expect(await resolve("fine", "--as", "FAILURE")).toMatchObject({
      code: 1,
      reply: { ok: false, error: { code: "IllegalTransition" } },
    });
    expect(await life.view("fine")).toMatchObject({ state: "SUCCESS" });
  });

  it("resolves a mismatch with what the gateway really took, once", async () => {
    await publish(deployment.connection, { payment: "resolved", body: createBody("tok_other_amount", 100) });
    await inReview("resolved");
    const word = ["--as", "SUCCESS", "--amount", "0.99", "--command-id", "resolve-1"];
    const expected = { code: 0, reply: { ok: true, payment: { state: "SUCCESS", captured: 99 } } };
    expect(await resolve("resolved", ...word)).toMatchObject({ ...expected, reply: { replayed: false } });
    expect(await resolve("resolved", ...word)).toMatchObject({ ...expected, reply: { replayed: true } });
    expect(await life.charges("resolved")).toMatchObject([{ captured: 99 }]);
    expect(await life.refund("resolved", undefined, "refund-1")).toMatchObject({ payment: { refunded: 99 } });
  });

  it("resolves one capture of which the gateway says something else", async () => {
    await life.create("one-capture", { capture: "manual" });
    await orderFaults(deployment.simulator, { otherCurrencyRate: 1 });
    await publish(deployment.connection, {
      payment: "one-capture",
      verb: "capture",
      body: { amount: { value: 60, currency: "USD" } },
      headers: { "Aegis-Command-Id": "capture-1" },
    });
    await inReview("one-capture");
    await clearFaults(deployment.simulator);
    expect(await resolve("one-capture", "--operation", "1", "--as", "SUCCEEDED")).toMatchObject({
      code: 0,
      reply: { payment: { state: "PARTIALLY_CAPTURED", captured: 60 } },
    });
  });
});
