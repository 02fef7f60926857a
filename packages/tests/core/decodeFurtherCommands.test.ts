import { canonicalHash } from "@aegispay/core/identity/canonical";
import { describe, expect, it } from "vitest";
import { decode, message, refusal } from "./deliveries.ts";
import { givenAt, payment } from "./paymentExamples.ts";

const identified = { headers: { "Aegis-Command-Id": "k1" } };
const amount = { value: 600, currency: "USD" };

describe("a command to a payment that is there", () => {
  it.each([
    ["capture", "Capture", { amount }],
    ["capture", "Capture", {}],
    ["refund", "Refund", { amount, reason: "two of three came" }],
    ["refund", "Refund", {}],
    ["void", "Void", {}],
    ["cancel", "Cancel", {}],
    ["authenticate", "Authenticate", { result: { transStatus: "Y", cres: ["a", 1, null] } }],
    ["authenticate", "Authenticate", { result: "back" }],
  ] as const)("is taken with its identity and the hash of its body: %s as %s", (verb, type, body) => {
    expect(decode({ verb, body: JSON.stringify(body), ...identified })).toEqual({
      _tag: "Decoded",
      command: {
        type,
        payment,
        body,
        hash: canonicalHash(body),
        commandId: "k1",
        message,
        given: givenAt(),
      },
    });
  });

  it("is known by its position where a repeat of it can do no harm", () => {
    for (const verb of ["capture", "void", "cancel"]) {
      expect(decode({ verb, body: "{}" })).toMatchObject({ command: { commandId: message } });
    }
  });

  it("needs an identity of its own where a repeat would be another: a refund, and a capture with an amount", () => {
    for (const published of [
      { verb: "refund", body: "{}" },
      { verb: "refund", body: JSON.stringify({ amount }) },
      { verb: "capture", body: JSON.stringify({ amount }) },
    ]) {
      expect(refusal(published, "InvalidCommand").rejection.message).toContain("Aegis-Command-Id");
    }
  });

  it.each([
    ["a capture of nothing", "capture", { amount: { value: 0, currency: "USD" } }],
    ["a capture of a fraction", "capture", { amount: { value: 1.5, currency: "USD" } }],
    ["a capture of a bare number", "capture", { amount: 600 }],
    ["a capture in a currency that there is not", "capture", { amount: { value: 1, currency: "XXX" } }],
    ["a capture with a field that is misspelt", "capture", { amuont: amount }],
    ["a refund of less than nothing", "refund", { amount: { value: -1, currency: "USD" } }],
    ["a refund with a reason that is no text", "refund", { reason: 1 }],
    ["a void of a part", "void", { amount }],
    ["a cancel that says more", "cancel", { reason: "no" }],
    ["an authenticate that brings nothing", "authenticate", {}],
    ["an authenticate that brings something else", "authenticate", { outcome: "Y" }],
    ["a list", "void", []],
  ])("is refused where it cannot be meant: %s", (_, verb, body) => {
    const text = JSON.stringify(body);
    expect(refusal({ verb, body: text, ...identified }, "InvalidCommand").body).toBe(text);
  });

  it("is refused, and not kept, where it holds a card number", () => {
    const card = "4242 4242 4242 4242";
    for (const [verb, body] of [
      ["authenticate", { result: { pan: card } }],
      ["refund", { reason: card }],
    ] as const) {
      expect(refusal({ verb, body: JSON.stringify(body), ...identified }, "CardDataRefused").body).toBeUndefined();
    }
  });
});

describe("an operator's resolve", () => {
  const body = { as: "SUCCESS", gatewayTransactionId: "ch_9", amount, reason: "seen in the gateway's dashboard" };

  it("is taken from where operators publish, for a payment or for one operation of it", () => {
    for (const wanted of [body, { operation: 2, as: "FAILED", reason: "never came" }]) {
      expect(
        decode({ source: "internal", verb: "resolve", body: JSON.stringify(wanted), ...identified }),
      ).toMatchObject({
        _tag: "Decoded",
        command: { type: "Resolve", body: wanted, commandId: "k1" },
      });
    }
  });

  it("is no verb of clients, and nothing else is one of operators", () => {
    refusal({ verb: "resolve", body: JSON.stringify(body) }, "InvalidCommand");
    refusal({ source: "internal", verb: "capture", body: "{}" }, "InvalidCommand");
    refusal({ source: "internal", verb: "create" }, "InvalidCommand");
  });

  it.each([
    ["without a reason", { as: "SUCCESS" }],
    ["as something that is no end", { as: "PROCESSING", reason: "why" }],
    ["of an operation as a payment's end", { operation: 1, as: "VOIDED", reason: "why" }],
    ["of an operation that has no number", { operation: "1", as: "FAILED", reason: "why" }],
  ])("is refused %s", (_, wanted) => {
    refusal({ source: "internal", verb: "resolve", body: JSON.stringify(wanted) }, "InvalidCommand");
  });
});
