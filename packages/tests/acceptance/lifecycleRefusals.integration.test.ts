/** What bad input gets: a named error to whoever asked, nothing changed, nothing lost, and the same error to a repeat. */
import { jetstream } from "@nats-io/jetstream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startDeployment, type Deployment } from "../support/deployment.ts";
import { eventually } from "../support/eventually.ts";
import { lifecycleAt, money, type Lifecycle } from "../support/lifecycle.ts";
import { ask, createBody, query } from "../support/plainClient.ts";

let deployment: Deployment;
let life: Lifecycle;
beforeAll(async () => {
  deployment = await startDeployment();
  life = lifecycleAt(deployment);
}, 90_000);
afterAll(() => deployment?.stop());

interface Case {
  readonly title: string;
  readonly begin: (payment: string) => Promise<unknown>;
  readonly verb: string;
  readonly body: unknown;
  readonly code: string;
}

const authorized = (payment: string) => life.create(payment, { capture: "manual" });
const charged = (payment: string) => life.create(payment);
const partlyCaptured = async (payment: string) => {
  await authorized(payment);
  await life.capture(payment, 40, "capture-before");
};
const voided = async (payment: string) => {
  await authorized(payment);
  await life.release(payment, "void-before");
};
const partlyRefunded = async (payment: string) => {
  await charged(payment);
  await life.refund(payment, 60, "refund-before");
};

const cases: ReadonlyArray<Case> = [
  {
    title: "a capture of more than was authorized",
    begin: authorized,
    verb: "capture",
    body: { amount: money(101) },
    code: "AmountExceeded",
  },
  {
    title: "a capture of more than is left",
    begin: partlyCaptured,
    verb: "capture",
    body: { amount: money(61) },
    code: "AmountExceeded",
  },
  {
    title: "a refund of more than was captured",
    begin: partlyCaptured,
    verb: "refund",
    body: { amount: money(41) },
    code: "AmountExceeded",
  },
  {
    title: "a refund of more than is left",
    begin: partlyRefunded,
    verb: "refund",
    body: { amount: money(41) },
    code: "AmountExceeded",
  },
  {
    title: "a refund of a payment that is not captured",
    begin: authorized,
    verb: "refund",
    body: { amount: money(1) },
    code: "IllegalTransition",
  },
  { title: "a void after the capture", begin: charged, verb: "void", body: {}, code: "IllegalTransition" },
  { title: "a void after the void", begin: voided, verb: "void", body: {}, code: "IllegalTransition" },
  {
    title: "a capture after the void",
    begin: voided,
    verb: "capture",
    body: { amount: money(1) },
    code: "IllegalTransition",
  },
  {
    title: "a capture of what was captured automatically",
    begin: charged,
    verb: "capture",
    body: { amount: money(1) },
    code: "IllegalTransition",
  },
  { title: "a cancel after the end", begin: charged, verb: "cancel", body: {}, code: "IllegalTransition" },
  {
    title: "an authentication that nobody waits for",
    begin: charged,
    verb: "authenticate",
    body: { result: "x" },
    code: "IllegalTransition",
  },
  {
    title: "a refund of a declined payment",
    begin: (payment) => life.create(payment, { token: "tok_declined" }),
    verb: "refund",
    body: { amount: money(1) },
    code: "IllegalTransition",
  },
];

describe("a refusal by the payment's state", () => {
  it.each(cases)("is what $title gets, and a repeat gets it again", async ({ title, begin, verb, body, code }) => {
    const payment = `refused-${cases.findIndex((one) => one.title === title)}`;
    await begin(payment);
    const [before] = await life.charges(payment);
    const { version, ...rest } = await life.view(payment);
    const refused = await life.order(verb, payment, body, "bad-1");
    expect(refused).toMatchObject({ ok: false, replayed: false, error: { code, retryable: false } });
    expect(refused.error!.message.length).toBeGreaterThan(10);
    const repeat = await life.order(verb, payment, body, "bad-1");
    expect(repeat).toMatchObject({ ok: false, replayed: true, error: refused.error });
    const { version: after, ...now } = await life.view(payment);
    expect({ ...now, updatedAt: "" }).toEqual({ ...rest, updatedAt: "" });
    expect((await life.events(payment)).slice(version)).toEqual(["CommandRefused"]);
    expect(after).toBe(version + 1);
    expect(await life.charges(payment)).toEqual([before]);
  });
});

describe("a command", () => {
  it.each([
    ["capture", { amount: money(1) }],
    ["void", {}],
    ["refund", { amount: money(1) }],
    ["cancel", {}],
    ["authenticate", { result: "x" }],
  ])("%s to a payment that is not there is PaymentNotFound, and begins none", async (verb, body) => {
    const reply = await life.order(verb, "nobody", body, `${verb}-1`);
    expect(reply).toMatchObject({ ok: false, error: { code: "PaymentNotFound", retryable: false } });
    expect(await query(deployment.connection, "nobody", "get")).toMatchObject({ error: { code: "PaymentNotFound" } });
  });

  it.each([
    ["capture", { amount: money(10) }],
    ["refund", {}],
    ["refund", { amount: money(10) }],
  ])("%s %o without a command id is refused: a lost acknowledgement would do it twice", async (verb, body) => {
    await life.create(`nameless-${verb}`, { capture: verb === "capture" ? "manual" : "automatic" });
    const reply = await ask(deployment.connection, { payment: `nameless-${verb}`, verb, body });
    expect(reply).toMatchObject({ ok: false, error: { code: "InvalidCommand" } });
    expect(reply.error!.message).toContain("Aegis-Command-Id");
  });

  it("under the id of another command is IdempotencyConflict, whatever differs", async () => {
    await life.create("conflict");
    await life.refund("conflict", 10, "refund-1");
    const otherAmount = await life.refund("conflict", 11, "refund-1");
    const otherReason = await life.order("refund", "conflict", { amount: money(10), reason: "x" }, "refund-1");
    const otherVerb = await life.release("conflict", "refund-1");
    for (const reply of [otherAmount, otherReason, otherVerb]) {
      expect(reply).toMatchObject({ ok: false, error: { code: "IdempotencyConflict" } });
    }
    expect(await life.charges("conflict")).toMatchObject([{ refunded: 10, operations: [{ requests: 1 }] }]);
  });

  it("create with other parameters, nested ones too, is IdempotencyConflict", async () => {
    await life.create("mine", { capture: "manual" });
    for (const body of [
      createBody("tok_visa", 100),
      { ...createBody("tok_visa", 100), capture: "manual", expiresAt: "2030-01-01T00:00:00.000Z" },
      { ...createBody("tok_visa", 100), capture: "manual", customer: { id: "c" } },
    ]) {
      const reply = await ask(deployment.connection, { payment: "mine", body });
      expect(reply).toMatchObject({ ok: false, error: { code: "IdempotencyConflict" } });
    }
  });

  it.each([
    ["capture", { amount: money(0) }],
    ["capture", { amount: money(1.5) }],
    ["capture", { amount: money(-1) }],
    ["capture", { amount: { value: 5, currency: "XXX" } }],
    ["capture", { amuont: money(5) }],
    ["void", { amount: money(5) }],
    ["void", []],
    ["void", "all"],
    ["cancel", { reason: "x" }],
    ["refund", { amount: money(5), reason: "" }],
    ["authenticate", {}],
  ])("%s %o is InvalidCommand, and nothing of it is in the log", async (verb, body) => {
    await life.create("malformed", { capture: "manual" });
    const before = await life.events("malformed");
    const reply = await life.order(verb, "malformed", body, "malformed-1");
    expect(reply).toMatchObject({ ok: false, error: { code: "InvalidCommand", retryable: false } });
    expect(await life.events("malformed")).toEqual(before);
  });

  it("in another currency than the payment's is refused", async () => {
    await life.create("dollars");
    const reply = await life.order("refund", "dollars", { amount: money(5, "EUR") }, "refund-1");
    expect(reply).toMatchObject({ ok: false, error: { code: "CurrencyUnsupported" } });
    expect(await life.charges("dollars")).toMatchObject([{ refunded: 0 }]);
  });

  it("that holds a card number is refused, and nothing of it is kept", async () => {
    await life.create("carded");
    const before = await life.events("carded");
    const reply = await life.order("refund", "carded", { reason: "4242 4242 4242 4242" }, "refund-1");
    expect(reply).toMatchObject({ ok: false, error: { code: "CardDataRefused" } });
    expect(await life.events("carded")).toEqual(before);
  });

  it(
    "beyond the bound of a payment's log is refused as Overloaded, and what is owed still gets its place",
    { timeout: 120_000 },
    async () => {
      await life.create("endless", { value: 10_000 });
      let refused = 0;
      for (let index = 0; refused < 3 && index < 600; index++) {
        const reply = await life.refund("endless", 1, `refund-${index}`);
        if (!reply.ok) {
          expect(reply.error).toMatchObject({ code: "Overloaded" });
          refused++;
        }
      }
      expect(refused).toBe(3);
      const { version, refunded } = await life.view("endless");
      expect(version).toBeLessThanOrEqual(1_000);
      expect((await life.charge("endless")).refunded).toBe(refunded);
    },
  );
});

describe("a timer for a state long past", () => {
  const dueNow = async () => {
    const { state } = await deployment.manager.streams.info("PAYMENTS_TIMERS", { subjects_filter: "payments.duein.>" });
    return Object.keys(state.subjects ?? {}).length;
  };

  it.each(["round", "expiry"])("of kind %s changes nothing and is gone", async (kind) => {
    const payment = `past-${kind}`;
    await life.create(payment, { capture: "manual" });
    await life.release(payment, "void-1");
    const before = await life.events(payment);
    // As if it had fired late: the version is that of an event which once owed something.
    await jetstream(deployment.connection).publish(`payments.due.shop.${payment}.${kind}.3`, "");
    await eventually("the timer to be gone", async () => (await dueNow()) === 0);
    expect(await life.events(payment)).toEqual(before);
  });
});
