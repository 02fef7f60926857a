/** Payments through real processes, judged by the simulator's ledger and plain NATS clients. */
import { jetstream } from "@nats-io/jetstream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { auditEverything } from "../support/auditor.ts";
import { startDeployment, type Deployment } from "../support/deployment.ts";
import { eventually } from "../support/eventually.ts";
import { readLedger, takenFor } from "../support/ledger.ts";
import { ask, createBody, publish, query } from "../support/plainClient.ts";

let deployment: Deployment;
beforeAll(async () => void (deployment = await startDeployment()), 90_000);
afterAll(() => deployment?.stop());

const create = (payment: string, token?: string, headers?: Record<string, string>) =>
  ask(deployment.connection, { payment, body: createBody(token), ...(headers === undefined ? {} : { headers }) });

describe("a payment", () => {
  it("that succeeds is charged once and answered with SUCCESS", async () => {
    const reply = await create("good");
    expect(reply).toMatchObject({
      ok: true,
      replayed: false,
      payment: { state: "SUCCESS", version: 4, captured: 1999 },
    });
    const taken = await takenFor(deployment.simulator, "shop/good");
    expect(taken).toHaveLength(1);
    expect(taken[0]).toMatchObject({
      amount: 1999,
      currency: "USD",
      requests: 1,
      id: reply.payment?.gatewayTransactionId,
    });
  });

  it.each([
    ["tok_declined", "a decline"],
    ["tok_insufficient_funds", "insufficient funds"],
    ["tok_try_again", "a retryable decline with no other gateway left"],
  ])("with %s ends in FAILURE after one call and takes no money: %s", async (token) => {
    const reply = await create(`no-${token}`, token);
    expect(reply).toMatchObject({ ok: true, payment: { state: "FAILURE", captured: 0 } });
    expect(reply.payment?.failure?.code).toBeTruthy();
    const charges = (await readLedger(deployment.simulator)).filter(
      ({ reference }) => reference === `shop/no-${token}`,
    );
    expect(charges.map(({ captured, requests }) => ({ captured, requests }))).toEqual([{ captured: 0, requests: 1 }]);
  });

  it("whose answer is lost after the charge is looked up and ends in SUCCESS with one charge (criteria 5 and 7)", async () => {
    const reply = await create("lost", "tok_lost_answer");
    expect(reply).toMatchObject({ ok: true, payment: { state: "SUCCESS" } });
    expect(await takenFor(deployment.simulator, "shop/lost")).toHaveLength(1);
    const log = await query(deployment.connection, "lost", "events");
    const types = log.events?.map(({ type }) => type);
    expect(types).toContain("AttemptOutcomeUnknown");
    // Looked up, and not sent a second time (criterion 21).
    expect((await takenFor(deployment.simulator, "shop/lost"))[0]?.requests).toBe(1);
  });

  it("whose connection is reset before the charge is looked up, sent again with the same key, and charged once", async () => {
    const reply = await create("reset", "tok_reset");
    expect(reply).toMatchObject({ ok: true, payment: { state: "SUCCESS" } });
    const taken = await takenFor(deployment.simulator, "shop/reset");
    expect(taken).toHaveLength(1);
    expect(taken[0]?.idempotencyKeys).toHaveLength(1);
  });

  it("that needs the customer rests in REQUIRES_ACTION and says what to do", async () => {
    const reply = await create("threeds", "tok_3ds");
    expect(reply).toMatchObject({ ok: true, payment: { state: "REQUIRES_ACTION", nextAction: { type: "redirect" } } });
    expect(await takenFor(deployment.simulator, "shop/threeds")).toHaveLength(0);
  });

  it("published plainly, with no header at all, is done as well", async () => {
    await publish(deployment.connection, { payment: "plain", body: createBody() });
    await eventually(
      "the payment",
      async () => (await query(deployment.connection, "plain", "get")).payment?.state === "SUCCESS",
    );
    expect(await takenFor(deployment.simulator, "shop/plain")).toHaveLength(1);
  });

  it("answers as soon as it is accepted where that is asked for", async () => {
    const reply = await create("early", "tok_slow", { "Aegis-Reply-When": "accepted" });
    expect(reply).toMatchObject({ ok: true, payment: { state: "PROCESSING" } });
    await eventually(
      "its end",
      async () => (await query(deployment.connection, "early", "get")).payment?.state === "SUCCESS",
    );
  });
});

describe("the same payment again", () => {
  it("200 times at once gives one payment, 200 equal answers but for `replayed`, and one charge (criteria 8, 9 and 16)", async () => {
    const replies = await Promise.all(Array.from({ length: 200 }, () => create("crowd")));
    expect(replies.filter(({ replayed }) => !replayed)).toHaveLength(1);
    const payments = new Set(replies.map(({ ok, payment, error }) => JSON.stringify({ ok, payment, error })));
    expect([...payments]).toHaveLength(1);
    const taken = await takenFor(deployment.simulator, "shop/crowd");
    expect(taken.map(({ requests }) => requests)).toEqual([1]);
  });

  it("with other parameters is refused, and nothing changes", async () => {
    await create("mine");
    const other = await ask(deployment.connection, { payment: "mine", body: createBody("tok_visa", 2000) });
    expect(other).toMatchObject({ ok: false, error: { code: "IdempotencyConflict", retryable: false } });
    const nested = await ask(deployment.connection, {
      payment: "mine",
      body: { ...createBody(), metadata: { order: "2" } },
    });
    expect(nested).toMatchObject({ ok: false, error: { code: "IdempotencyConflict" } });
    expect((await query(deployment.connection, "mine", "get")).payment).toMatchObject({
      version: 4,
      amount: { value: 1999 },
    });
    expect(await takenFor(deployment.simulator, "shop/mine")).toHaveLength(1);
  });

  it("with the same parameters in another order, or with defaults spelled out, is the same", async () => {
    await create("order");
    const { amount, method } = createBody();
    const body = { metadata: {}, capture: "automatic", method: { token: method.token, type: method.type }, amount };
    expect(await ask(deployment.connection, { payment: "order", body })).toMatchObject({ ok: true, replayed: true });
  });

  it("of another merchant is another payment", async () => {
    await create("shared");
    const other = await ask(deployment.connection, {
      merchant: "other",
      payment: "shared",
      body: createBody("tok_visa", 500),
    });
    expect(other).toMatchObject({ ok: true, replayed: false, payment: { merchant: "other", state: "SUCCESS" } });
    expect(await takenFor(deployment.simulator, "shop/shared")).toHaveLength(1);
    expect(await takenFor(deployment.simulator, "other/shared")).toHaveLength(1);
  });
});

describe("a query", () => {
  it("for a payment that is not there says PaymentNotFound", async () => {
    expect(await query(deployment.connection, "nobody", "get")).toMatchObject({
      ok: false,
      error: { code: "PaymentNotFound" },
    });
  });

  it("tells whether a command id is remembered", async () => {
    await create("remember", "tok_visa", { "Aegis-Command-Id": "order-77" });
    const asked = (commandId: string) => query(deployment.connection, "remember", "get", { commandId });
    expect(await asked("order-77")).toMatchObject({ ok: true, remembered: true });
    expect(await asked("order-78")).toMatchObject({ ok: true, remembered: false });
  });

  it("for events begins where it is told to", async () => {
    await create("log");
    const log = await query(deployment.connection, "log", "events", { from: 3 });
    expect(log.events?.map(({ version, type }) => `${version} ${type}`)).toEqual([
      "3 AttemptStarted",
      "4 PaymentSucceeded",
    ]);
  });

  it("with a body it does not know is refused with what to send", async () => {
    const reply = await query(deployment.connection, "log", "get", { minVersio: 1 });
    expect(reply).toMatchObject({ ok: false, error: { code: "InvalidCommand" } });
  });
});

describe("whoever subscribes", () => {
  it("to the event subjects sees exactly what was committed, as CloudEvents, once stored", async () => {
    const seen: Array<{ readonly subject: string; readonly body: string; readonly type: string | undefined }> = [];
    const wide = deployment.connection.subscribe("payments.event.shop.*", {
      callback: (_, message) => {
        if (message.subject.includes("watched-")) {
          seen.push({ subject: message.subject, body: message.string(), type: message.headers?.get("ce-type") });
        }
      },
    });
    await deployment.connection.flush();
    await Promise.all(Array.from({ length: 20 }, (_, index) => create(`watched-${index}`)));
    // Repeats are refused appends (expected sequence 0): a subscriber must not see them.
    await Promise.all(Array.from({ length: 20 }, (_, index) => create(`watched-${index}`)));
    const subjects = Array.from({ length: 20 }, (_, index) => `payments.event.shop.watched-${index}`);
    await eventually("all commits", () => seen.length >= 40);
    wide.unsubscribe();
    expect(seen).toHaveLength(40);
    for (const subject of subjects) {
      const stored: Array<string> = [];
      const messages = await deployment.manager.direct.getBatch("PAYMENTS_EVENTS", {
        seq: 1,
        next_by_subj: subject,
        batch: 10,
      });
      for await (const message of messages) stored.push(message.string());
      expect(seen.filter((one) => one.subject === subject).map(({ body }) => body)).toEqual(stored);
    }
    expect(new Set(seen.map(({ type }) => type))).toEqual(
      new Set(["aegispay.payment.PROCESSING.v1", "aegispay.payment.SUCCESS.v1"]),
    );
  });

  it("durably goes on where it stopped", async () => {
    const first = await jetstream(deployment.connection).consumers.get("PAYMENTS_EVENTS", {
      filter_subjects: ["payments.event.shop.resume"],
    });
    await create("resume");
    const one = await first.next({ expires: 5_000 });
    expect(one?.json<{ state: string }>().state).toBe("PROCESSING");
    const second = await jetstream(deployment.connection).consumers.get("PAYMENTS_EVENTS", {
      filter_subjects: ["payments.event.shop.resume"],
      opt_start_seq: one!.seq + 1,
    });
    expect((await second.next({ expires: 5_000 }))?.json<{ state: string }>().state).toBe("SUCCESS");
  });
});

it("in the end logs and ledger agree, and every call was announced (criteria 11, 12, 14 and 15)", async () => {
  const audit = await auditEverything(deployment.connection, deployment.simulator);
  expect(audit.violations).toEqual([]);
});
