/** The merchant's part of a payment's life, each row of the field's table over real processes: captures, voids, refunds. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { auditEverything } from "../support/auditor.ts";
import { startDeployment, type Deployment } from "../support/deployment.ts";
import { lifecycleAt, moneyOf, type Lifecycle } from "../support/lifecycle.ts";
import { insist, publish } from "../support/plainClient.ts";

let deployment: Deployment;
let life: Lifecycle;
beforeAll(async () => {
  const policy = { retryDelaysMillis: [100], lookUpDelaysMillis: [0, 300, 300, 300, 300, 300] };
  deployment = await startDeployment({ workers: 2, settings: { timerFromMillis: 200, policy } });
  life = lifecycleAt(deployment);
}, 90_000);
afterAll(() => deployment?.stop());

const authorized = (payment: string, token = "tok_visa") => life.create(payment, { capture: "manual", token });

describe("a capture", () => {
  it("of parts makes PARTIALLY_CAPTURED, and of the rest SUCCESS", async () => {
    await authorized("parts");
    expect(await life.capture("parts", 30, "capture-1")).toMatchObject({
      ok: true,
      replayed: false,
      payment: { state: "PARTIALLY_CAPTURED", authorized: 100, captured: 30 },
    });
    expect(await life.capture("parts", 30, "capture-2")).toMatchObject({ payment: { captured: 60 } });
    const last = await life.capture("parts", undefined, "capture-3");
    expect(last).toMatchObject({ payment: { state: "SUCCESS", captured: 100 } });
    expect(last.payment!.captures.map(({ commandId, amount, status }) => [commandId, amount?.value, status])).toEqual([
      ["capture-1", 30, "SUCCEEDED"],
      ["capture-2", 30, "SUCCEEDED"],
      ["capture-3", 40, "SUCCEEDED"],
    ]);
    expect(await life.charges("parts")).toMatchObject([{ status: "succeeded", captured: 100 }]);
  });

  it("whose answer is lost is looked up by its key and done once: CaptureOutcomeUnknown", async () => {
    await authorized("capture-lost", "tok_operations_lost_answer");
    expect(await life.capture("capture-lost", 100, "capture-1")).toMatchObject({ payment: { state: "SUCCESS" } });
    expect(await life.events("capture-lost")).toEqual(
      expect.arrayContaining(["CaptureRequested", "CaptureOutcomeUnknown", "CaptureSucceeded"]),
    );
    expect(await life.charges("capture-lost")).toMatchObject([{ captured: 100, operations: [{ requests: 1 }] }]);
  });

  it("that is reset is looked up, not found, and sent again under the same key", async () => {
    await authorized("capture-reset", "tok_operations_reset");
    expect(await life.capture("capture-reset", 100, "capture-1")).toMatchObject({ payment: { state: "SUCCESS" } });
    expect(await life.charges("capture-reset")).toMatchObject([{ captured: 100, operations: [{ requests: 2 }] }]);
  });

  it("that the gateway refuses is FAILED, and the payment is as before: CaptureFailed", async () => {
    await authorized("capture-refused", "tok_operations_refused");
    const reply = await life.capture("capture-refused", 60, "capture-1");
    expect(reply).toMatchObject({
      ok: true,
      payment: {
        state: "AUTHORIZED",
        captured: 0,
        captures: [{ status: "FAILED", failure: { code: "operation_refused" } }],
      },
    });
    expect(await life.events("capture-refused")).toContain("CaptureFailed");
    expect(await life.charges("capture-refused")).toMatchObject([{ status: "authorized", captured: 0 }]);
  });
});

describe("a void", () => {
  it("of an authorization makes VOIDED: PaymentVoided", async () => {
    await authorized("voided");
    expect(await life.release("voided", "void-1")).toMatchObject({ ok: true, payment: { state: "VOIDED" } });
    expect(await life.release("voided", "void-1")).toMatchObject({ ok: true, replayed: true });
    expect(await life.charges("voided")).toMatchObject([{ status: "voided", released: 100 }]);
  });

  it("of the rest after a partial capture makes SUCCESS: RemainderReleased", async () => {
    await authorized("rest");
    await life.capture("rest", 40, "capture-1");
    expect(await life.release("rest", "void-1")).toMatchObject({
      payment: { state: "SUCCESS", authorized: 100, captured: 40 },
    });
    expect(await life.events("rest")).toContain("RemainderReleased");
    expect(await life.charges("rest")).toMatchObject([{ captured: 40, released: 60 }]);
    expect(await life.refund("rest", 41, "refund-1")).toMatchObject({ error: { code: "AmountExceeded" } });
  });

  it("whose answer is lost, or which is reset, is done once: VoidOutcomeUnknown", async () => {
    for (const [how, requests] of [
      ["lost_answer", 1],
      ["reset", 2],
    ] as const) {
      await authorized(`void-${how}`, `tok_operations_${how}`);
      expect(await life.release(`void-${how}`, "void-1")).toMatchObject({ payment: { state: "VOIDED" } });
      expect(await life.events(`void-${how}`)).toContain("VoidOutcomeUnknown");
      expect(await life.charges(`void-${how}`)).toMatchObject([{ status: "voided", operations: [{ requests }] }]);
    }
  });

  it("that the gateway refuses leaves the authorization: VoidFailed", async () => {
    await authorized("void-refused", "tok_operations_refused");
    expect(await life.release("void-refused", "void-1")).toMatchObject({
      payment: { state: "AUTHORIZED", voids: [{ status: "FAILED" }] },
    });
    expect(await life.events("void-refused")).toContain("VoidFailed");
  });
});

describe("a refund", () => {
  it("of parts, and of the rest, never replaces SUCCESS", async () => {
    await life.create("refunds");
    for (const [value, commandId, refunded, refundProgress] of [
      [30, "refund-1", 30, "partial"],
      [30, "refund-2", 60, "partial"],
      [undefined, "refund-3", 100, "full"],
    ] as const) {
      expect(await life.refund("refunds", value, commandId)).toMatchObject({
        ok: true,
        payment: { state: "SUCCESS", captured: 100, refunded, refundProgress },
      });
    }
    expect(await life.charges("refunds")).toMatchObject([{ captured: 100, refunded: 100 }]);
    expect(await life.refund("refunds", 1, "refund-4")).toMatchObject({ error: { code: "AmountExceeded" } });
  });

  it("of a payment that is captured in part leaves the rest to be captured", async () => {
    await authorized("refund-part");
    await life.capture("refund-part", 40, "capture-1");
    expect(await life.refund("refund-part", 15, "refund-1")).toMatchObject({
      payment: { state: "PARTIALLY_CAPTURED", captured: 40, refunded: 15 },
    });
    expect(await life.capture("refund-part", 60, "capture-2")).toMatchObject({ payment: { captured: 100 } });
    expect(await life.charges("refund-part")).toMatchObject([{ captured: 100, refunded: 15 }]);
  });

  it("whose answer is lost, or which is reset, gives back once: RefundOutcomeUnknown", async () => {
    for (const [how, requests] of [
      ["lost_answer", 1],
      ["reset", 2],
    ] as const) {
      const payment = `refund-${how}`;
      await life.create(payment, { token: `tok_operations_${how}` });
      expect(await life.refund(payment, 60, "refund-1")).toMatchObject({ payment: { refunded: 60 } });
      expect(await life.events(payment)).toContain("RefundOutcomeUnknown");
      expect(await life.charges(payment)).toMatchObject([{ refunded: 60, operations: [{ requests }] }]);
    }
  });

  it("that the gateway refuses frees what it had reserved: RefundFailed", async () => {
    await life.create("refund-refused", { token: "tok_operations_refused" });
    for (const commandId of ["refund-1", "refund-2"]) {
      const reply = await life.refund("refund-refused", 100, commandId);
      expect(reply).toMatchObject({ ok: true, payment: { state: "SUCCESS", refunded: 0 } });
      expect(reply.payment!.refunds.at(-1)).toMatchObject({ status: "FAILED", commandId });
    }
  });

  it("that is still under way at the gateway keeps its money reserved until it is known", async () => {
    await life.create("refund-late", { token: "tok_operations_late" });
    const command = {
      payment: "refund-late",
      verb: "refund",
      body: { amount: { value: 60, currency: "USD" } },
      headers: { "Aegis-Command-Id": "refund-1" },
    };
    await publish(deployment.connection, command);
    const unknown = await life.until(
      "refund-late",
      "an unknown refund",
      ({ refunds }) => refunds[0]?.status === "UNKNOWN",
    );
    expect(unknown).toMatchObject({ state: "SUCCESS", refunded: 0 });
    expect(await life.refund("refund-late", 60, "refund-2")).toMatchObject({ error: { code: "AmountExceeded" } });
    const log = await fetch(`${deployment.simulator}/admin/ledger`);
    const [key] = ((await log.json()) as { readonly delayed: ReadonlyArray<string> }).delayed;
    expect(await life.post("/admin/delayed", { key })).toBe(200);
    await life.until("refund-late", "the refund", ({ refunds }) => refunds[0]?.status === "SUCCEEDED");
    expect(await insist(deployment.connection, command)).toMatchObject({ ok: true, replayed: true });
    expect(await life.charges("refund-late")).toMatchObject([{ refunded: 60 }]);
  });
});

it("in the end logs and ledger agree, and no refund or capture was made twice", async () => {
  const { violations, payments } = await auditEverything(deployment.connection, deployment.simulator);
  expect(violations).toEqual([]);
  for (const reference of payments.keys()) {
    const { ours, gateways } = await moneyOf(life, reference.split("/")[1]!);
    expect([reference, ours]).toEqual([reference, gateways]);
  }
});
