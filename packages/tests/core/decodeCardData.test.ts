import { maxBodyBytes } from "@aegispay/runtime/ingress/decodeCommand";
import { describe, expect, it } from "vitest";
import { message, refusal, wholeBody, type Published } from "./deliveries.ts";

const card = "4111111111111111";
/** As a client might hide it from a look at the text, by intent or by a library's habit. */
const escaped = [...card].map((digit) => `\\u003${digit}`).join("");
const halfEscaped = `\\u0034${card.slice(1)}`;

const bodyWith = (changes: object): string => JSON.stringify({ ...wholeBody, ...changes });
const describedBy = (raw: string): string => bodyWith({ description: "@" }).replace("@", () => raw);

const hidingPlaces: ReadonlyArray<readonly [string, Published]> = [
  ["in a field", { body: bodyWith({ description: `card ${card}` }) }],
  ["in groups", { body: bodyWith({ description: "4111 1111-1111 1111" }) }],
  ["as the token", { body: bodyWith({ method: { type: "card", token: card } }) }],
  ["as the amount", { body: bodyWith({ amount: { value: Number(card), currency: "USD" } }) }],
  ["as an amount with an exponent", { body: bodyWith({}).replace("1999", "4.111111111111111e15") }],
  ["in metadata", { body: bodyWith({ metadata: { a: card } }) }],
  ["as a key", { body: bodyWith({ metadata: { [card]: "a" } }) }],
  ["in a field that is unknown", { body: bodyWith({ pan: card }) }],
  ["behind escapes", { body: describedBy(escaped) }],
  ["half behind escapes", { body: describedBy(halfEscaped) }],
  ["with its blanks behind escapes", { body: describedBy("4111\\u00201111\\u00201111\\u00201111") }],
  ["as a key behind escapes", { body: `{"${escaped}":1}` }],
  ["in no JSON", { body: `card=${card}&cvc=123` }],
  ["in a body that is cut off", { body: bodyWith({ description: card }).slice(0, -1) }],
  ["behind escapes in a body that is cut off", { body: describedBy(halfEscaped).slice(0, -1) }],
  ["behind escapes, 20,000 deep", { body: `${"[".repeat(20_000)}"${halfEscaped}"${"]".repeat(20_000)}` }],
  ["as bare text", { body: card }],
  ["in a further command", { verb: "capture", body: `{"note":"${card}"}` }],
  ["behind escapes for a verb that is unknown", { verb: "charge", body: `{"note":"${escaped}"}` }],
  ["with an exponent for a verb that is unknown", { verb: "charge", body: `{"pan":4.111111111111111e15}` }],
  ["behind escapes with a bad command id", { body: describedBy(escaped), headers: { "Aegis-Command-Id": "a b" } }],
  [
    "behind escapes with a bad place to answer",
    { body: describedBy(escaped), headers: { "Aegis-Reply-To": "_INBOX.x" } },
  ],
  [
    "behind escapes for a payment with a bad name",
    { body: describedBy(escaped), payment: { merchant: "m", paymentId: "*" } },
  ],
  ["as the command's id", { headers: { "Aegis-Command-Id": card } }],
  ["in the command's id", { headers: { "Aegis-Command-Id": `card:${card}` } }],
  ["in a header that nothing reads", { headers: { "X-Note": `card ${card}` } }],
  ["as the place to answer", { headers: { "Aegis-Reply-To": card } }],
  ["as the payment's id", { payment: { merchant: "shop", paymentId: card } }],
  ["in the merchant's name", { payment: { merchant: `m-${card}`, paymentId: "p" } }],
  ["as the verb", { verb: card }],
  ["under headers that cannot be read", { body: bodyWith({ description: card }), garbledHeaders: true }],
  ["in UTF-16", { body: Buffer.from(bodyWith({ description: card }), "utf16le") }],
  [
    "in a body that is too large and in UTF-16",
    { body: Buffer.from(describedBy(card).padEnd(maxBodyBytes), "utf16le") },
  ],
  ["in a body that is too large", { body: bodyWith({ description: card + " ".repeat(maxBodyBytes) }) }],
  [
    "at the end of a body that is too large",
    { body: bodyWith({ description: "x".repeat(maxBodyBytes), metadata: { a: card } }) },
  ],
  ["behind escapes in a body that is too large", { body: describedBy(escaped).padEnd(maxBodyBytes + 1) }],
  ["in bytes that are no UTF-8", { body: Buffer.from(`\u00ff${card}\u00ff`, "latin1") }],
  ["behind escapes in bytes that are no UTF-8", { body: Buffer.from(`\u00ff${halfEscaped}`, "latin1") }],
];

describe("a card number is refused", () => {
  it.each(hidingPlaces)("%s, and nothing of it is kept", (_, published) => {
    const refused = refusal(published, "CardDataRefused");
    expect(refused.body).toBeUndefined();
    // Whatever is answered, logged or parked of a refusal is in here.
    expect(JSON.stringify(refused)).not.toMatch(/\d{13}(?!\/17)|\\u003|4\.1111|1111 1111/);
  });

  it("to whoever waits, with what to do instead", () => {
    const headers = { "Aegis-Reply-To": "a-token-of-16-chars" };
    const refused = refusal({ body: bodyWith({ description: card }), headers }, "CardDataRefused");
    expect(refused.replyTo).toEqual({ token: "a-token-of-16-chars", when: "completed" });
    expect(refused.rejection.message).toContain("token");
  });

  it("in a payment's id to whoever waits, in a merchant's to nobody: the answer's subject names it", () => {
    const headers = { "Aegis-Reply-To": "a-token-of-16-chars" };
    const asked = (merchant: string, paymentId: string) =>
      refusal({ payment: { merchant, paymentId }, headers }, "CardDataRefused").replyTo?.token;
    expect(asked("shop", card)).toBe("a-token-of-16-chars");
    expect(asked(`m-${card}`, "p")).toBeUndefined();
  });

  it("as the command's id without becoming its name", () => {
    expect(refusal({ headers: { "Aegis-Command-Id": card } }, "CardDataRefused").commandId).toBe(message);
  });
});
