import { canonicalHash } from "@aegispay/core/identity/canonical";
import {
  derivePaymentId,
  gatewayIdempotencyKey,
  isCommandId,
  isReplyToken,
  isToken,
  paymentKey,
} from "@aegispay/core/identity/Identity";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { body, payment } from "./paymentExamples.ts";

const notOneToken = ["", "a.b", "a b", "*", ">", "a*", "a/b", "ä", "a\n", "a\u0000", "a:b", "\ud800"];

describe("names", () => {
  it("of merchants and payments are one token of a subject", () => {
    expect(["a", "A-z_0", "x".repeat(128)].map(isToken)).toEqual([true, true, true]);
    expect([...notOneToken, "x".repeat(129)].filter(isToken)).toEqual([]);
  });

  it("of who is to be answered are tokens, never subjects", () => {
    expect(["x".repeat(16), "x".repeat(64), "aZ0_-aZ0_-aZ0_-aZ0"].map(isReplyToken)).toEqual([true, true, true]);
    const wrong = [
      "x".repeat(15),
      "x".repeat(65),
      "_INBOX.abcdefghijklmnop",
      "payments.event.shop.order-1",
      "x".repeat(16) + "\n",
    ];
    expect([...notOneToken, ...wrong].filter(isReplyToken)).toEqual([]);
  });

  it("of commands may look like a stream position or a UUID", () => {
    expect(["1767323045000/17", "8bb92d23-8797-4344-9961-023f4cdda2f0", "a:b.c/d_e"].map(isCommandId)).toEqual([
      true,
      true,
      true,
    ]);
    expect(["", "a b", "*", ">", "a\n", "ä", "x".repeat(129)].filter(isCommandId)).toEqual([]);
  });

  it("of payments never meet those of another merchant", () => {
    expect(paymentKey(payment)).toBe("shop/order-1");
    expect(paymentKey({ merchant: "a", paymentId: "b-c" })).not.toBe(paymentKey({ merchant: "a-b", paymentId: "c" }));
  });
});

describe("a payment id derived from a client's key", () => {
  const keys = fc.oneof(
    fc.string({ minLength: 1, maxLength: 255, unit: "grapheme" }),
    fc.string({ minLength: 1, maxLength: 255, unit: "binary" }),
  );

  it("is a token, whatever the key is made of", () => {
    fc.assert(
      fc.property(keys, (key) => {
        fc.pre(key.length <= 255 && key.isWellFormed());
        const derived = derivePaymentId(key)!;
        expect(isToken(derived)).toBe(true);
        expect(derived).toBe(derivePaymentId(key));
      }),
      { numRuns: 2_000 },
    );
    expect(isToken(derivePaymentId("x".repeat(255))!)).toBe(true);
  });

  it("differs for keys that differ", () => {
    fc.assert(
      fc.property(keys, keys, (one, other) => {
        const [left, right] = [derivePaymentId(one), derivePaymentId(other)];
        expect(left === right).toBe(one === other || left === undefined);
      }),
    );
  });

  it("does not exist for a key that is empty, too long, or no text", () => {
    expect(["", "x".repeat(256), "order \ud800", "order \udfff"].map(derivePaymentId)).toEqual(
      Array(4).fill(undefined),
    );
  });

  it("is never the key itself, so that a key which looks derived meets no other", () => {
    const derived = derivePaymentId("order-1")!;
    expect(derivePaymentId(derived)).not.toBe(derived);
  });

  it("stays what it is for ever: clients derived it before", () => {
    expect(derivePaymentId("order 1/é")).toBe("k_LDw2XjHYY3WHRzmfBtlrmOTQJdIsX1M7X1Lhl8mbuQI");
  });
});

describe("the key a gateway sees", () => {
  const key = gatewayIdempotencyKey("DEPLOYMENT", payment, 1, "charge", 1);

  it("stays what it is for ever: a gateway remembers it longer than any process of ours lives", () => {
    expect(key).toBe("ap__9jaonrU2xmyqB8Mzr3e5dl13jrpEuGF0E1lUo1jJPk");
  });

  it("is short enough for every gateway, whatever the names", () => {
    const long = { merchant: "m".repeat(128), paymentId: "p".repeat(128) };
    const longest = gatewayIdempotencyKey("d".repeat(64), long, Number.MAX_SAFE_INTEGER, "charge", 1);
    expect(longest.length).toBeLessThanOrEqual(64);
    expect(longest).toMatch(/^[A-Za-z0-9_-]+$/);
  });

  it("differs with each thing that it stands for", () => {
    const others = [
      gatewayIdempotencyKey("ANOTHER", payment, 1, "charge", 1),
      gatewayIdempotencyKey("DEPLOYMENT", { ...payment, merchant: "shop2" }, 1, "charge", 1),
      gatewayIdempotencyKey("DEPLOYMENT", { ...payment, paymentId: "order-2" }, 1, "charge", 1),
      gatewayIdempotencyKey("DEPLOYMENT", payment, 2, "charge", 1),
      gatewayIdempotencyKey("DEPLOYMENT", payment, 1, "charge", 2),
      gatewayIdempotencyKey("DEPLOYMENT", { merchant: "shop,order-1", paymentId: "" }, 1, "charge", 1),
    ];
    expect(new Set([key, ...others]).size).toBe(others.length + 1);
  });
});

describe("the canonical hash of a body", () => {
  it("does not see the order of keys, at any depth", () => {
    const one = { a: 1, b: { c: [{ d: 1, e: 2 }], f: "x" } };
    const same = { b: { f: "x", c: [{ e: 2, d: 1 }] }, a: 1 };
    expect(canonicalHash(same)).toBe(canonicalHash(one));
  });

  it("sees every value, nested ones too, and the order of lists", () => {
    const bodies = [
      { a: { b: { c: 1 } } },
      { a: { b: { c: 2 } } },
      { a: { b: { d: 1 } } },
      { a: { b: { c: "1" } } },
      { a: { b: { c: null } } },
      { a: { b: {} } },
      { a: { b: { c: 1 } }, d: 1 },
      { a: [1, 2] },
      { a: [2, 1] },
      { a: { 0: 1, 1: 2 } },
      { a: "" },
      {},
    ];
    expect(new Set(bodies.map(canonicalHash)).size).toBe(bodies.length);
  });

  it("takes what is left out as what is undefined", () => {
    expect(canonicalHash({ a: 1, b: undefined })).toBe(canonicalHash({ a: 1 }));
  });

  it("is the same for everything that JSON makes of it", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonicalHash(JSON.parse(JSON.stringify(value)))).toBe(canonicalHash(value));
      }),
    );
  });

  it("keeps a key called __proto__ like any other", () => {
    const named = (text: string) => canonicalHash(JSON.parse(text));
    expect(named('{"__proto__":1}')).not.toBe(named("{}"));
    expect(named('{"__proto__":1}')).not.toBe(named('{"__proto__":2}'));
  });

  it("stays what it is for ever: repeats are compared with hashes that are stored", () => {
    expect(canonicalHash(body)).toBe("mmN75EnJVTo5BxP2uXBlDOeIacu8Af6Jgl-HMlzWHIc");
  });
});
