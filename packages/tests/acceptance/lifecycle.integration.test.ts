/** The customer's part of a payment's life, each row of the field's table over real processes: 3-D Secure, cancel, expiry. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { auditEverything } from "../support/auditor.ts";
import { startDeployment, type Deployment } from "../support/deployment.ts";
import { eventually } from "../support/eventually.ts";
import { lifecycleAt, type Lifecycle } from "../support/lifecycle.ts";

let deployment: Deployment;
let life: Lifecycle;
beforeAll(async () => {
  const settings = { timerFromMillis: 300, policy: { authorizationForMillis: 2_000 } };
  deployment = await startDeployment({ workers: 2, settings });
  life = lifecycleAt(deployment);
}, 90_000);
afterAll(() => deployment?.stop());

const inMillis = (millis: number) => new Date(Date.now() + millis).toISOString();

/** A payment that waits for its customer, and its charge's id. */
const waiting = async (payment: string, options: Parameters<Lifecycle["create"]>[1] = {}) => {
  const reply = await life.create(payment, { token: "tok_3ds", ...options });
  expect(reply).toMatchObject({ ok: true, payment: { state: "REQUIRES_ACTION", captured: 0 } });
  return reply.payment!.gatewayTransactionId!;
};

describe("a payment that needs 3-D Secure", () => {
  it("sends the customer to the gateway's page, which is there", async () => {
    await waiting("page");
    const { nextAction } = await life.view("page");
    expect((await fetch(nextAction!.url)).status).toBe(200);
  });

  it("is SUCCESS once the customer has passed and the merchant says so, which only makes us ask the gateway", async () => {
    const id = await waiting("passed");
    expect(await life.authenticate("passed", "too-early")).toMatchObject({ payment: { state: "REQUIRES_ACTION" } });
    await life.post(`/3ds/${id}`, { result: "succeeded" });
    const reply = await life.authenticate("passed", "back-1");
    expect(reply).toMatchObject({ ok: true, replayed: false, payment: { state: "SUCCESS", captured: 100 } });
    expect(await life.authenticate("passed", "back-1")).toMatchObject({ ok: true, replayed: true });
    expect(await life.events("passed")).toEqual(expect.arrayContaining(["ActionRequired", "PaymentAuthenticated"]));
    expect(await life.charges("passed")).toMatchObject([{ status: "succeeded", captured: 100, requests: 1 }]);
  });

  it("with manual capture is AUTHORIZED then, and captured later", async () => {
    const id = await waiting("passed-manual", { capture: "manual" });
    await life.post(`/3ds/${id}`, { result: "succeeded" });
    expect(await life.authenticate("passed-manual", "back-1")).toMatchObject({ payment: { state: "AUTHORIZED" } });
    expect(await life.capture("passed-manual", undefined, "capture-1")).toMatchObject({
      payment: { state: "SUCCESS" },
    });
    expect(await life.charges("passed-manual")).toMatchObject([{ captured: 100 }]);
  });

  it("is FAILURE once the customer has failed: AuthenticationFailed", async () => {
    const id = await waiting("failed");
    await life.post(`/3ds/${id}`, { result: "failed" });
    expect(await life.authenticate("failed", "back-1")).toMatchObject({
      ok: true,
      payment: { state: "FAILURE", failure: { code: "authentication_failed" } },
    });
    expect(await life.events("failed")).toContain("AuthenticationFailed");
    expect(await life.charges("failed")).toMatchObject([{ status: "declined", captured: 0 }]);
  });

  it("is FAILURE if the issuer declines after the customer has passed", async () => {
    const id = await waiting("poor", { token: "tok_3ds_insufficient_funds" });
    await life.post(`/3ds/${id}`, { result: "succeeded" });
    expect(await life.authenticate("poor", "back-1")).toMatchObject({
      payment: { state: "FAILURE", failure: { declineCode: "insufficient_funds" } },
    });
  });

  it("that is cancelled is voided at the gateway first, and VOIDED on its word", async () => {
    const id = await waiting("cancelled");
    expect(await life.cancel("cancelled", "cancel-1")).toMatchObject({ ok: true, payment: { state: "VOIDED" } });
    expect(await life.cancel("cancelled", "cancel-1")).toMatchObject({ ok: true, replayed: true });
    expect(await life.charges("cancelled")).toMatchObject([{ status: "voided", captured: 0 }]);
    const events = await life.events("cancelled");
    expect(events.indexOf("VoidRequested")).toBeLessThan(events.indexOf("PaymentCancelled"));
    expect(await life.post(`/3ds/${id}`, { result: "succeeded" })).toBe(409);
  });

  it("that is cancelled after the customer has passed is SUCCESS: the gateway's word counts", async () => {
    const id = await waiting("too-late");
    await life.post(`/3ds/${id}`, { result: "succeeded" });
    await life.cancel("too-late", "cancel-1");
    await life.until("too-late", "its end", ({ state }) => state === "SUCCESS");
    expect(await life.charges("too-late")).toMatchObject([{ status: "succeeded", captured: 100, released: 0 }]);
  });

  it("that is abandoned expires when its time has come: voided at the gateway, then EXPIRED", async () => {
    await waiting("abandoned", { expiresAt: inMillis(1_500) });
    await life.until("abandoned", "its end", ({ state }) => state === "EXPIRED");
    expect(await life.charges("abandoned")).toMatchObject([{ status: "voided", captured: 0 }]);
    expect(await life.events("abandoned")).toEqual(expect.arrayContaining(["VoidRequested", "PaymentExpired"]));
  });

  it("whose customer passed unseen is SUCCESS when its time has come, not EXPIRED", async () => {
    const id = await waiting("unseen", { expiresAt: inMillis(1_500) });
    await life.post(`/3ds/${id}`, { result: "succeeded" });
    await life.until("unseen", "its end", ({ state }) => state === "SUCCESS");
    expect(await life.charges("unseen")).toMatchObject([{ status: "succeeded", captured: 100 }]);
  });
});

describe("a manual payment", () => {
  it("is AUTHORIZED, also if the answer was lost: OutcomeVerified", async () => {
    expect(await life.create("held", { capture: "manual" })).toMatchObject({
      payment: { state: "AUTHORIZED", authorized: 100, captured: 0, expiresAt: expect.any(String) },
    });
    const lost = await life.create("held-lost", { capture: "manual", token: "tok_lost_answer" });
    expect(lost).toMatchObject({ payment: { state: "AUTHORIZED", authorized: 100 } });
    expect(await life.events("held-lost")).toContain("OutcomeVerified");
  });

  it("that nobody captures expires: released at the gateway, then AuthorizationExpired", async () => {
    await life.create("lapsed", { capture: "manual" });
    await life.until("lapsed", "its end", ({ state }) => state === "EXPIRED");
    expect(await life.events("lapsed")).toEqual(expect.arrayContaining(["VoidRequested", "AuthorizationExpired"]));
    expect(await life.charges("lapsed")).toMatchObject([{ captured: 0, released: 100 }]);
  });

  it("that has lapsed at the gateway by itself is EXPIRED too", async () => {
    const { payment } = await life.create("lapsed-there", { capture: "manual" });
    await life.post(`/admin/charges/${payment!.gatewayTransactionId}/expire`);
    await life.until("lapsed-there", "its end", ({ state }) => state === "EXPIRED");
    expect(await life.events("lapsed-there")).toContain("AuthorizationExpired");
  });

  it("captured in part releases its remainder when its time has come: SUCCESS, with less captured", async () => {
    await life.create("part", { capture: "manual" });
    await life.capture("part", 30, "capture-1");
    await life.until("part", "its end", ({ state }) => state === "SUCCESS");
    expect(await life.view("part")).toMatchObject({ authorized: 100, captured: 30 });
    expect(await life.events("part")).toContain("RemainderReleased");
    expect(await life.charges("part")).toMatchObject([{ captured: 30, released: 70 }]);
  });
});

it("in the end logs and ledger agree, and no timer is left", async () => {
  await eventually("all authorizations to have lapsed", async () => {
    return (await deployment.manager.streams.info("PAYMENTS_TIMERS")).state.messages <= 1;
  });
  const { violations } = await auditEverything(deployment.connection, deployment.simulator);
  expect(violations).toEqual([]);
});
