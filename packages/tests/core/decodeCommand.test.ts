import { canonicalHash } from "@aegispay/core/identity/canonical";
import { maxBodyBytes } from "@aegispay/runtime/ingress/decodeCommand";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decode, message, refusal, wholeBody } from "./deliveries.ts";
import { givenAt, payment } from "./paymentExamples.ts";

const bodyWith = (changes: object): string => JSON.stringify({ ...wholeBody, ...changes });
const amount = (value: unknown, currency: unknown = "USD"): string => bodyWith({ amount: { value, currency } });
/** Where JSON.stringify would lose what is meant. */
const withRaw = (field: string, raw: string): string => `${JSON.stringify(wholeBody).slice(0, -1)},"${field}":${raw}}`;
const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;

describe("a create", () => {
  it("is taken with what it says, its hash, and the stream position it came by", () => {
    expect(decode({})).toEqual({
      _tag: "Decoded",
      command: {
        type: "Create",
        payment,
        body: wholeBody,
        hash: canonicalHash(wholeBody),
        commandId: message,
        message,
        given: givenAt(),
      },
    });
  });

  it("is taken with everything a client may say", () => {
    const body = {
      ...wholeBody,
      description: "two tickets – Zürich 🎟",
      metadata: { order: "A-17", constructor: "x", "a.b-c_d": "" },
      customer: { id: "c-9", name: "Ada", email: "ada@example.com", phone: "+55 11 91234 5672", country: "DE" },
      returnUrl: "https://shop.example/back",
      gateway: "north",
      capture: "manual",
      expiresAt: "2026-01-02T03:04:05+01:00",
    };
    expect(decode({ body: JSON.stringify(body) })).toMatchObject({ _tag: "Decoded", command: { body } });
  });

  it("is the same with its defaults written or left out, and with its keys in any order", () => {
    const { method, amount: money } = wholeBody;
    const same = [
      bodyWith({ capture: "automatic" }),
      bodyWith({ metadata: {}, customer: {} }),
      JSON.stringify({ method: { token: method.token, type: method.type }, amount: money }),
      ` \n${JSON.stringify(wholeBody, null, 2)}\n`,
      `\ufeff${JSON.stringify(wholeBody)}`,
    ];
    for (const body of same) {
      expect(decode({ body })).toMatchObject({ command: { hash: canonicalHash(wholeBody), body: wholeBody } });
    }
  });

  it("names who is answered, and when", () => {
    const asked = (headers: Record<string, string>) =>
      decode({ headers: { "Aegis-Reply-To": "a-token-of-16-chars", ...headers } });
    const replyTo = (when: string) => ({
      _tag: "Decoded",
      command: { replyTo: { token: "a-token-of-16-chars", when } },
    });
    expect(asked({})).toMatchObject(replyTo("completed"));
    expect(asked({ "Aegis-Reply-When": "completed" })).toMatchObject(replyTo("completed"));
    expect(asked({ "Aegis-Reply-When": "accepted" })).toMatchObject(replyTo("accepted"));
  });

  it("keeps the identity that its client gave it", () => {
    expect(decode({ headers: { "Aegis-Command-Id": "8bb92d23-8797-4344-9961-023f4cdda2f0" } })).toMatchObject({
      command: { commandId: "8bb92d23-8797-4344-9961-023f4cdda2f0", message },
    });
  });
});

describe("a body is refused, and kept for whoever looks at what was parked,", () => {
  it.each([
    ["when it is empty", ""],
    ["when it is no JSON", "amount=1999"],
    ["when it is cut off", JSON.stringify(wholeBody).slice(0, -1)],
    ["when more follows", `${JSON.stringify(wholeBody)}{}`],
    ["when it nests 10,000 deep", nested(10_000)],
    ["when it nests 20,000 deep", "[".repeat(20_000) + "]".repeat(20_000)],
    ["when its lists nest 20,000 deep and never end", withRaw("metadata", "[".repeat(20_000))],
    ["when brackets that close come first", `${"]".repeat(20_000)}${"[".repeat(20_000)}`],
    ["when it nests in what no command has", withRaw("metadata", nested(40))],
    ["when it is a list", "[]"],
    ["when it is null", "null"],
    ["when it is a number", "1e999"],
    ["when it is text", '"create"'],
    ["when it says nothing", "{}"],
    ["when the amount is missing", JSON.stringify({ method: wholeBody.method })],
    ["when the method is missing", JSON.stringify({ amount: wholeBody.amount })],
    ["when the amount is a bare number", bodyWith({ amount: 1999 })],
    ["when the value is text", amount("1999")],
    ["when the value is zero", amount(0)],
    ["when the value is negative", amount(-1)],
    ["when the value is a fraction", amount(19.99)],
    ["when the value is beyond 2^53 - 1", amount(2 ** 53)],
    ["when the value overflows", bodyWith({}).replace("1999", "1e999")],
    ["when the value is null", amount(null)],
    ["when the currency is unknown", amount(1, "XXX")],
    ["when the currency is in lower case", amount(1, "usd")],
    ["when the currency is missing", bodyWith({ amount: { value: 1 } })],
    ["when the currency is a property of every object", amount(1, "toString")],
    ["when the method is of another type", bodyWith({ method: { type: "sepa", token: "t" } })],
    ["when the token has blanks", bodyWith({ method: { type: "card", token: "a b" } })],
    ["when the token is empty", bodyWith({ method: { type: "card", token: "" } })],
    ["when a field is unknown", bodyWith({ amout: 1 })],
    ["when a nested field is unknown", bodyWith({ amount: { value: 1, currency: "USD", cents: true } })],
    ["when it holds __proto__", withRaw("__proto__", '{"amount":1}')],
    ["when its metadata holds __proto__ as text", withRaw("metadata", '{"__proto__":"x"}')],
    ["when its metadata holds __proto__ as an object", withRaw("metadata", '{"__proto__":{"a":"b"}}')],
    ["when its customer holds __proto__", withRaw("customer", '{"__proto__":{"a":1}}')],
    ["when its amount holds __proto__", bodyWith({}).replace('"value"', '"__proto__":1,"value"')],
    ["when metadata is no text", bodyWith({ metadata: { a: 1 } })],
    ["when metadata is a list", bodyWith({ metadata: ["a"] })],
    ["when metadata has a key with blanks", bodyWith({ metadata: { "a b": "x" } })],
    [
      "when metadata has too many entries",
      bodyWith({ metadata: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, ""])) }),
    ],
    ["when metadata is too long", bodyWith({ metadata: { a: "x".repeat(1001) } })],
    ["when the description is too long", bodyWith({ description: "x".repeat(1001) })],
    ["when the description is empty", bodyWith({ description: "" })],
    ["when the capture is unknown", bodyWith({ capture: "later" })],
    ["when expiresAt is no moment", bodyWith({ expiresAt: "tomorrow" })],
    ["when expiresAt is a day", bodyWith({ expiresAt: "2026-01-02" })],
    ["when expiresAt is somewhere's time", bodyWith({ expiresAt: "2026-01-02T03:04:05" })],
    ["when expiresAt is in a month that there is not", bodyWith({ expiresAt: "2026-13-02T03:04:05Z" })],
  ])("%s", (_, body) => {
    expect(refusal({ body }, "InvalidCommand").body).toBe(body);
  });
});

describe("a body is refused, and not kept,", () => {
  it("when it has more bytes than are taken", () => {
    const body = bodyWith({ description: "x".repeat(maxBodyBytes) });
    const { rejection, body: kept } = refusal({ body }, "InvalidCommand");
    expect(rejection.message).toContain(String(maxBodyBytes));
    expect(kept).toBeUndefined();
  });

  it("when it has more bytes than are taken and nests 20,000 deep", () => {
    expect(refusal({ body: nested(20_000) }, "InvalidCommand").body).toBeUndefined();
  });

  it("only when it has more: the largest is looked at", () => {
    const padded = JSON.stringify(wholeBody).padEnd(maxBodyBytes, " ");
    expect(decode({ body: padded })._tag).toBe("Decoded");
    expect(refusal({ body: `${padded} ` }, "InvalidCommand").body).toBeUndefined();
  });

  it("when it is no UTF-8", () => {
    expect(refusal({ body: Buffer.from([0x7b, 0xff, 0xfe, 0x7d]) }, "InvalidCommand").body).toBeUndefined();
  });
});

describe("a command is refused", () => {
  it.each(["Create", "creat", "delete", "", "__proto__", "constructor"])(
    "when its verb %j is unknown, and names those there are",
    (verb) => {
      expect(refusal({ verb }, "InvalidCommand").rejection.message).toContain(
        "create, authenticate, capture, void, refund, cancel",
      );
    },
  );

  it.each(["a.b", "a b", "*", ">", "", "ä", "x".repeat(129)])("when its payment is called %j", (paymentId) => {
    refusal({ payment: { merchant: "shop", paymentId } }, "InvalidCommand");
    refusal({ payment: { merchant: paymentId, paymentId: "order-1" } }, "InvalidCommand");
  });

  it("when its headers cannot be read", () => {
    expect(refusal({ garbledHeaders: true }, "InvalidCommand").rejection.message).toContain("headers");
  });

  it("without an answer when its merchant has no name to answer under", () => {
    const headers = { "Aegis-Reply-To": "a-token-of-16-chars" };
    const { replyTo } = refusal({ payment: { merchant: "a.b", paymentId: "p" }, headers }, "InvalidCommand");
    expect(replyTo).toBeUndefined();
  });

  it.each([
    "_INBOX.abcdefghijklmnop",
    "payments.event.shop.order-1",
    "$JS.API.STREAM.DELETE.PAYMENTS_EVENTS",
    "short",
    "*",
    "x".repeat(65),
    "a-token-of-16-chars ",
  ])("without an answer when it wants that at %j: a subject is no token", (token) => {
    expect(refusal({ headers: { "Aegis-Reply-To": token } }, "InvalidCommand").replyTo).toBeUndefined();
  });

  it.each(["", "Accepted", "later", "completed "])("when it wants its answer %j, and is told so", (when) => {
    const headers = { "Aegis-Reply-To": "a-token-of-16-chars", "Aegis-Reply-When": when };
    const { replyTo, rejection } = refusal({ headers }, "InvalidCommand");
    expect(replyTo).toEqual({ token: "a-token-of-16-chars", when: "completed" });
    expect(rejection.message).toContain("Aegis-Reply-When");
  });

  it.each(["", "a b", "*", "x".repeat(129), "ä", "a\n"])(
    "when its id is %j, and is known by its position then",
    (commandId) => {
      expect(refusal({ headers: { "Aegis-Command-Id": commandId } }, "InvalidCommand").commandId).toBe(message);
    },
  );

  it("to whoever waits for the answer, under the id that was given", () => {
    const headers = {
      "Aegis-Reply-To": "a-token-of-16-chars",
      "Aegis-Reply-When": "accepted",
      "Aegis-Command-Id": "c-1",
    };
    expect(refusal({ body: "{}", headers }, "InvalidCommand")).toMatchObject({
      replyTo: { token: "a-token-of-16-chars", when: "accepted" },
      commandId: "c-1",
    });
  });
});

describe("nothing a client sends", () => {
  const anything = fc.record(
    {
      body: fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc.string({ unit: "binary", maxLength: 300 }),
        fc.json({ maxDepth: 20 }),
        fc
          .dictionary(
            fc.constantFrom(...Object.keys(wholeBody), "metadata", "customer", "__proto__", "x"),
            fc.jsonValue(),
          )
          .map((fields) => JSON.stringify({ ...wholeBody, ...fields })),
      ),
      verb: fc.oneof(fc.constantFrom("create", "capture"), fc.string()),
      headers: fc.dictionary(
        fc.constantFrom("Aegis-Command-Id", "Aegis-Reply-To", "Aegis-Reply-When"),
        fc.oneof(fc.string(), fc.constantFrom("accepted", "a-token-of-16-chars")),
      ),
      payment: fc.record({ merchant: fc.string(), paymentId: fc.string() }),
    },
    { requiredKeys: ["body"] },
  );

  it("makes decoding throw, or what was decoded differ from what was sent", () => {
    fc.assert(
      fc.property(anything, (published) => {
        const decoded = decode(published);
        expect(["Decoded", "Refused"]).toContain(decoded._tag);
        if (decoded._tag === "Refused") expect(["InvalidCommand", "CardDataRefused"]).toContain(decoded.rejection.code);
      }),
      { numRuns: 5_000 },
    );
  });
});
