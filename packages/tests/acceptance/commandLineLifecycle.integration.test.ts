/** A payment's whole life from the command line, as the README shows it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../support/cli.ts";
import { startDeployment, type Deployment } from "../support/deployment.ts";
import { readLedger } from "../support/ledger.ts";

let deployment: Deployment;
beforeAll(async () => void (deployment = await startDeployment()), 90_000);
afterAll(() => deployment?.stop());

const cli = (...args: ReadonlyArray<string>) => runCli(args, { AEGISPAY_NATS_URL: deployment.natsUrl });

const create = (id: string, ...more: ReadonlyArray<string>) => {
  const given = ["--amount", "100.00", "--currency", "USD", "--token", "tok_visa", ...more];
  // The last of equal flags would not win: what a test gives replaces the default.
  const last = new Map<string, string>();
  for (let index = 0; index < given.length; index += 2) last.set(given[index]!, given[index + 1]!);
  return cli("payment", "create", "--merchant", "cli", "--id", id, ...[...last].flat());
};

const ledgerOf = async (id: string) =>
  (await readLedger(deployment.simulator)).filter(({ reference }) => reference === `cli/${id}`);

describe("aegispay payment", () => {
  it("captures in parts, in the payment's own currency or in the one that is named", async () => {
    const created = await create("manual", "--capture", "manual");
    expect([created.code, created.stdout]).toEqual([0, expect.stringContaining("AUTHORIZED")]);
    const part = await cli("payment", "capture", "cli", "manual", "--amount", "30");
    expect([part.code, part.stdout]).toEqual([0, expect.stringContaining("captured 30.00 USD")]);
    const other = await cli("payment", "capture", "cli", "manual", "--amount", "20.50", "--currency", "USD", "--json");
    expect([other.code, JSON.parse(other.stdout)]).toMatchObject([0, { ok: true, payment: { captured: 5_050 } }]);
    const rest = await cli("payment", "capture", "cli", "manual");
    expect([rest.code, rest.stdout]).toEqual([0, expect.stringContaining("SUCCESS")]);
    expect(await ledgerOf("manual")).toMatchObject([{ captured: 10_000 }]);
  });

  it("refunds once under one command id, and exits 1 with a named error for too much", async () => {
    await create("refund");
    const refund = () => cli("payment", "refund", "cli", "refund", "--amount", "60", "--command-id", "refund-1");
    expect([(await refund()).code, (await refund()).stdout]).toEqual([0, expect.stringContaining("(replayed)")]);
    const tooMuch = await cli("payment", "refund", "cli", "refund", "--amount", "60");
    expect([tooMuch.code, tooMuch.stderr]).toEqual([1, expect.stringContaining("AmountExceeded")]);
    expect(await ledgerOf("refund")).toMatchObject([{ refunded: 6_000 }]);
  });

  it("voids what was authorized", async () => {
    await create("void", "--capture", "manual");
    const voided = await cli("payment", "void", "cli", "void");
    expect([voided.code, voided.stdout]).toEqual([0, expect.stringContaining("VOIDED")]);
    const again = await cli("payment", "void", "cli", "void", "--json");
    expect([again.code, JSON.parse(again.stdout)]).toMatchObject([
      1,
      { ok: false, error: { code: "IllegalTransition" } },
    ]);
  });

  it("shows where to send the customer, and asks the gateway when they are back", async () => {
    const created = await create("threeds", "--token", "tok_3ds");
    expect([created.code, created.stdout]).toEqual([0, expect.stringContaining("REQUIRES_ACTION")]);
    const [, url = ""] = /send the customer to (\S+)/.exec(created.stdout) ?? [];
    const early = await cli("payment", "authenticate", "cli", "threeds");
    expect(early.code).toBe(1);
    await fetch(url, { method: "POST", body: '{"result":"succeeded"}' });
    const back = await cli("payment", "authenticate", "cli", "threeds");
    expect([back.code, back.stdout]).toEqual([0, expect.stringContaining("SUCCESS")]);
  });

  it("cancels what waits for its customer, and exits 1 for what cannot be cancelled", async () => {
    await create("cancel", "--token", "tok_3ds", "--expires-at", "2090-01-01T00:00:00Z");
    const cancelled = await cli("payment", "cancel", "cli", "cancel");
    expect([cancelled.code, cancelled.stdout]).toEqual([0, expect.stringContaining("VOIDED")]);
    await create("done");
    const refused = await cli("payment", "cancel", "cli", "done");
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("IllegalTransition")]);
  });

  it("exits 1 when the gateway refuses what was asked", async () => {
    await create("refused", "--token", "tok_operations_refused");
    const refund = await cli("payment", "refund", "cli", "refused");
    expect([refund.code, refund.stdout]).toEqual([1, expect.stringContaining("operation_refused")]);
  });

  it("exits 1 when people are to look at what was asked for", async () => {
    const created = await create("other", "--token", "tok_other_amount");
    expect([created.code, created.stdout]).toEqual([1, expect.stringContaining("NEEDS_REVIEW")]);
  });

  it.each([
    ["JPY", "1999", { value: 1_999, currency: "JPY" }],
    ["KWD", "19.990", { value: 19_990, currency: "KWD" }],
  ])("in %s takes %s for what it is", async (currency, amount, expected) => {
    const created = await create(currency, "--currency", currency, "--amount", amount);
    expect([created.code, created.stdout]).toEqual([0, expect.stringContaining(`${amount} ${currency}`)]);
    const shown = await cli("payment", "show", "cli", currency, "--json");
    expect(JSON.parse(shown.stdout)).toMatchObject({ amount: expected });
    expect(await ledgerOf(currency)).toMatchObject([{ amount: expected.value, currency }]);
    const fraction = await cli("payment", "refund", "cli", currency, "--amount", "0.0001");
    expect([fraction.code, fraction.stderr]).toEqual([2, expect.stringContaining("decimals")]);
  });

  it.each(["capture", "void", "refund", "cancel", "authenticate"])(
    "%s of a payment that is not there exits 1 with PaymentNotFound",
    async (verb) => {
      const result = await cli("payment", verb, "cli", "nobody", "--json");
      expect([result.code, JSON.parse(result.stdout)]).toMatchObject([1, { error: { code: "PaymentNotFound" } }]);
    },
  );
});
