/** Whatever clients send: a clear error to whoever waits, a parked copy for whoever does not, and the shard goes on. */
import { jetstream } from "@nats-io/jetstream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startDeployment, type Deployment } from "../support/deployment.ts";
import { filesHolding } from "../support/disk.ts";
import { eventually } from "../support/eventually.ts";
import { readLedger } from "../support/ledger.ts";
import { ask, createBody, publish, query, type Command } from "../support/plainClient.ts";

let deployment: Deployment;
beforeAll(async () => void (deployment = await startDeployment()), 90_000);
afterAll(() => deployment?.stop());

const cardNumber = "4242424242424242";
const amount = (value: unknown, currency: unknown = "USD") => ({ ...createBody(), amount: { value, currency } });
const raw = (text: string) => text;

const invalid: ReadonlyArray<readonly [string, Omit<Command, "payment">]> = [
  ["a body that is no JSON", { body: raw("{amount") }],
  ["an empty body", { body: raw("") }],
  ["a body that is no text", { body: new Uint8Array([0xff, 0xfe, 0x00, 0x9f]) }],
  ["a body over 64 KiB", { body: { ...createBody(), description: "x".repeat(70_000) } }],
  ["a body nested 20,000 deep", { body: raw(`${"[".repeat(20_000)}${"]".repeat(20_000)}`) }],
  ["wrong types", { body: { ...createBody(), method: "card" } }],
  ["an array", { body: [] }],
  ["null", { body: null }],
  ["an unknown field", { body: { ...createBody(), amuont: 1 } }],
  ["an unknown nested field", { body: { ...createBody(), customer: { nick: "x" } } }],
  [
    "__proto__ at the top",
    { body: raw(`{"__proto__":{"x":1},"amount":{"value":1,"currency":"USD"},"method":{"type":"card","token":"t"}}`) },
  ],
  [
    "__proto__ in metadata",
    {
      body: raw(
        `{"metadata":{"__proto__":"x"},"amount":{"value":1,"currency":"USD"},"method":{"type":"card","token":"t"}}`,
      ),
    },
  ],
  ["an unknown currency", { body: amount(100, "XYZ") }],
  ["a lower-case currency", { body: amount(100, "usd") }],
  ["an amount of zero", { body: amount(0) }],
  ["a negative amount", { body: amount(-5) }],
  ["a fractional amount", { body: amount(19.99) }],
  ["an amount beyond 2^53 - 1", { body: amount(9_007_199_254_740_992) }],
  ["an amount as text", { body: amount("100") }],
  ["an unknown verb", { verb: "explode", body: createBody() }],
  [
    "a capture with an amount and without a command id",
    { verb: "capture", body: { amount: { value: 1, currency: "USD" } } },
  ],
  ["a refund without a command id", { verb: "refund", body: {} }],
  ["a verb of operators", { verb: "resolve", body: { as: "SUCCESS", reason: "because" } }],
  ["a moment that is none", { body: { ...createBody(), expiresAt: "tomorrow" } }],
  ["an expiry that is past", { body: { ...createBody(), expiresAt: "2020-01-01T00:00:00.000Z" } }],
  ["a void of a part", { verb: "void", body: { amount: { value: 1, currency: "USD" } } }],
  ["a command id with blanks", { body: createBody(), headers: { "Aegis-Command-Id": "a b" } }],
  ["an unknown Aegis-Reply-When", { body: createBody(), headers: { "Aegis-Reply-When": "never" } }],
];

const cards: ReadonlyArray<readonly [string, unknown]> = [
  ["in the token", createBody(cardNumber)],
  ["in metadata, with blanks", { ...createBody(), metadata: { note: "4242 4242 4242 4242" } }],
  ["in a description, with dashes", { ...createBody(), description: "card 5555-5555-5555-4444 please" }],
  ["as a number", { ...createBody(), description: 378282246310005 }],
  ["as a key", { ...createBody(), metadata: { [cardNumber]: "x" } }],
  ["hidden by escapes", raw(JSON.stringify(createBody()).replace("tok_visa", "\\u0034242424242424242"))],
  ["in something that is no JSON", raw(`card=${cardNumber}`)],
];

interface Letter {
  readonly code: string;
  readonly reason: string;
  readonly body?: string;
}

const parked = async (): Promise<ReadonlyArray<Letter>> => {
  const { state } = await deployment.manager.streams.info("PAYMENTS_DEAD");
  const letters: Array<Letter> = [];
  if (state.messages === 0) return letters;
  const stored = await deployment.manager.direct.getBatch("PAYMENTS_DEAD", { seq: 1, batch: 1_000 });
  for await (const message of stored) letters.push(message.json<Letter>());
  return letters;
};

const queueIsEmpty = async () => (await deployment.manager.streams.info("PAYMENTS_COMMANDS")).state.messages === 0;

describe("whoever waits gets a clear error for", () => {
  it.each(invalid)("%s", async (what, command) => {
    const payment = `bad-${invalid.findIndex(([name]) => name === what)}`;
    const reply = await ask(deployment.connection, { payment, ...command });
    expect(reply).toMatchObject({ ok: false, replayed: false, error: { code: "InvalidCommand", retryable: false } });
    expect(reply.error!.message.length).toBeGreaterThan(10);
  });

  it.each(cards)("a card number %s, and nothing of it is kept", async (_, body) => {
    const reply = await ask(deployment.connection, { payment: "card", body });
    expect(reply).toMatchObject({ ok: false, error: { code: "CardDataRefused" } });
    expect(JSON.stringify(reply)).not.toContain("4242");
  });
});

describe("where nobody waits", () => {
  it("what is refused is parked with its reason, and never with card data", async () => {
    const before = (await parked()).length;
    await publish(deployment.connection, { payment: "silent", body: amount(-5) });
    await publish(deployment.connection, { payment: "silent-card", body: createBody(cardNumber) });
    await publish(deployment.connection, {
      payment: "hostile",
      body: createBody(),
      headers: { "Aegis-Reply-To": "payments.event.shop.x" },
    });
    const letters = await eventually("three parked copies", async () => {
      const all = await parked();
      return all.length >= before + 3 ? all.slice(before) : undefined;
    });
    expect(letters.map(({ code }) => code).toSorted()).toEqual(["CardDataRefused", "InvalidCommand", "InvalidCommand"]);
    const refused = letters.find(({ reason }) => reason.includes("whole number"));
    expect(refused?.body).toContain("-5");
    expect(letters.find(({ code }) => code === "CardDataRefused")).not.toHaveProperty("body");
    await eventually("the queue to be empty", queueIsEmpty);
  });

  it("a card number is on no disk of the deployment afterwards", async () => {
    await eventually("the queue to be empty", queueIsEmpty);
    expect(filesHolding(deployment.dataDir, cardNumber)).toEqual([]);
    expect(filesHolding(deployment.dataDir, "4242 4242 4242 4242")).toEqual([]);
  });
});

describe("an address or a header that is hostile", () => {
  it.each([["with*wildcard"], ["with>greater"]])("a payment id %s is parked and disturbs nobody", async (paymentId) => {
    const before = (await parked()).length;
    // The client library refuses such a subject; the protocol does not.
    await jetstream(deployment.connection)
      .publish(`payments.command.shop.${paymentId}.create`, JSON.stringify(createBody()))
      .then(
        () => eventually("a parked copy", async () => (await parked()).length > before),
        (cause: unknown) => expect(String(cause)).toMatch(/subject|invalid|responders/i),
      );
  });

  it("a payment id with a dot reaches no stream, and the publisher is told", async () => {
    await expect(
      jetstream(deployment.connection).publish("payments.command.shop.a.b.create", JSON.stringify(createBody())),
    ).rejects.toThrow();
  });

  it.each([
    [{ "Nats-Rollup": "all" }],
    [{ "Nats-Expected-Last-Sequence": "999999" }],
    [{ "Nats-TTL": "1s" }],
    [{ "Nats-Schedule": "@at 2030-01-01T00:00:00Z", "Nats-Schedule-Target": "payments.command.shop.x.create" }],
    [{ "Nats-Batch-Id": "b", "Nats-Batch-Sequence": "1" }],
  ])("the header %o is refused to its publisher or ignored, and the queue keeps what it has", async (headers) => {
    await publish(deployment.connection, {
      payment: "headers",
      body: createBody(),
      headers: headers as Record<string, string>,
    }).catch(() => undefined);
    expect(await ask(deployment.connection, { payment: "after-headers", body: createBody() })).toMatchObject({
      ok: true,
    });
  });
});

describe("a log that is not continuous", () => {
  it("halts its payment with EventContinuity, parks it, and disturbs no other (criterion 10)", async () => {
    const before = (await parked()).length;
    // Past every node, straight into the log: a commit that follows nothing.
    await jetstream(deployment.connection).publish(
      "payments.append.shop.broken",
      JSON.stringify({ events: [], prev: "?" }),
    );
    const reply = await ask(deployment.connection, { payment: "broken", body: createBody() });
    expect(reply).toMatchObject({ ok: false, error: { code: "EventContinuity", retryable: false } });
    expect(await query(deployment.connection, "broken", "get")).toMatchObject({ error: { code: "EventContinuity" } });
    const letters = (await parked()).slice(before);
    expect(letters.map(({ code }) => code)).toContain("EventContinuity");
    expect(await ask(deployment.connection, { payment: "unbroken", body: createBody() })).toMatchObject({ ok: true });
    await eventually("the queue to be empty", queueIsEmpty);
  });
});

it("after all of it every shard still takes payments, and nothing refused was charged", async () => {
  const replies = await Promise.all(
    Array.from({ length: 64 }, (_, index) =>
      ask(deployment.connection, { payment: `fine-${index}`, body: createBody() }),
    ),
  );
  expect(replies.every(({ ok, payment }) => ok && payment?.state === "SUCCESS")).toBe(true);
  const references = (await readLedger(deployment.simulator)).map(({ reference }) => reference);
  expect(references.filter((reference) => /bad-|card|silent|hostile|\/broken$/.test(reference))).toEqual([]);
});
