import { holdsCardNumber, valueHoldsCardNumber } from "@aegispay/core/identity/CardNumber";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

/** Numbers that the schemes and gateways publish for testing. */
const published = [
  ["Visa", "4111111111111111"],
  ["Visa", "4242424242424242"],
  ["Visa", "4012888888881881"],
  ["Visa of 13 digits", "4222222222222"],
  ["Mastercard", "5555555555554444"],
  ["Mastercard", "5105105105105100"],
  ["Mastercard, second series", "2223003122003222"],
  ["American Express", "378282246310005"],
  ["American Express", "371449635398431"],
  ["Discover", "6011111111111117"],
  ["Discover", "6011000990139424"],
  ["Diners Club", "30569309025904"],
  ["Diners Club", "38520000023237"],
  ["Diners Club", "36227206271667"],
  ["JCB", "3530111333300000"],
  ["JCB", "3566002020360505"],
  ["UnionPay", "6200000000000005"],
  ["UnionPay of 19 digits", "6205500000000000004"],
  ["Maestro", "6759649826438453"],
] as const;

const withCheckDigit = (digits: string): string => {
  const sum = [...digits].toReversed().reduce((total, digit, index) => {
    const value = Number(digit) * (index % 2 === 0 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return `${digits}${(10 - (sum % 10)) % 10}`;
};

/** The first digits each scheme issues, filled up to a length it uses. */
const issued = [
  ["Visa", "4", 19],
  ["Mastercard", "51", 16],
  ["Mastercard", "2720", 16],
  ["American Express", "34", 15],
  ["Discover", "644", 16],
  ["Discover", "65", 16],
  ["Diners Club", "300", 14],
  ["Diners Club", "39", 14],
  ["JCB", "3589", 16],
  ["UnionPay", "81", 16],
  ["Maestro", "5018", 13],
  ["Maestro", "5612", 18],
  ["RuPay", "508", 16],
  ["RuPay", "82", 16],
  ["Mir", "2200", 16],
] as const;

const inGroups = (digits: string, separator: string): string => digits.replaceAll(/\d{4}(?=\d)/g, `$&${separator}`);

describe("a card number is found", () => {
  it.each(published)("when it is one that is published: %s %s", (_, digits) => {
    expect(holdsCardNumber(digits)).toBe(true);
  });

  it.each(issued)("when it is one that is issued: %s %s, %i digits", (_, prefix, length) => {
    expect(holdsCardNumber(withCheckDigit(prefix.padEnd(length - 1, "7")))).toBe(true);
  });

  it.each(published)("in groups, with blanks or dashes or both: %s %s", (_, digits) => {
    const written = [
      inGroups(digits, " "),
      inGroups(digits, "-"),
      [...digits].join(" "),
      `${digits.slice(0, 4)} ${digits.slice(4, 10)}-${digits.slice(10)}`,
    ];
    expect(written.filter(holdsCardNumber)).toEqual(written);
  });

  it.each(published)("among other text: %s %s", (_, digits) => {
    const grouped = inGroups(digits, " ");
    const texts = [
      `card:${digits},cvc:123`,
      `pan${digits}x`,
      `"${digits}"`,
      `\n${digits}\n`,
      `order 12 ${grouped}`,
      `12 ${digits} 12/29 123`,
      `${grouped} 123`,
      `1234567890123456789012 ${digits}`,
      `${digits}-Alice`,
      `${digits}-a`,
      `${grouped}-eur`,
      `0123456789abcdef-${digits}-fedcba9876543210`,
      `8bb92d23-8797-4344-9961-023f4cdda2f0 ${digits}`,
      `+49 ${digits.padStart(16, "0")} ${digits}`,
    ];
    expect(texts.filter(holdsCardNumber)).toEqual(texts);
  });

  it.each(published)("anywhere in a document, as text, key or number: %s %s", (_, digits) => {
    const documents = [
      { a: { b: [{ c: digits }] } },
      { [digits]: 1 },
      { a: { [`x ${digits}`]: null } },
      [[[digits]]],
      digits,
      JSON.parse(`{"a":"${[...digits].map((digit) => `\\u003${digit}`).join("")}"}`),
    ];
    expect(documents.filter(valueHoldsCardNumber)).toEqual(documents);
    if (digits.length <= 16) expect(valueHoldsCardNumber({ a: [Number(digits)] })).toBe(true);
  });

  it("in whatever groups it is written", () => {
    const separators = fc.array(fc.constantFrom("", "", " ", "-"), { minLength: 19, maxLength: 19 });
    fc.assert(
      fc.property(fc.constantFrom(...published), separators, ([, digits], between) => {
        const written = [...digits].map((digit, index) => `${digit}${between[index]}`).join("");
        expect(holdsCardNumber(written.replace(/[ -]$/, ""))).toBe(true);
      }),
    );
  });
});

describe("no card number is seen in", () => {
  it.each([
    ["an order number that fails Luhn", "4111111111111112"],
    ["digits that pass Luhn under no scheme's prefix", withCheckDigit("100000000000000")],
    ["12 digits", withCheckDigit("41111111111")],
    ["20 digits", withCheckDigit("4111111111111111111")],
    ["32 digits", "41111111111111114111111111111111"],
    ["a telephone number", "+1 (555) 010-9999"],
    ["a telephone number that passes Luhn", "+55 11 91234 5672"],
    ["a telephone number in one group that passes Luhn", `+${withCheckDigit("491511234567")}`],
    ["a time", "2026-01-02T03:04:05.000Z"],
    ["a time with blanks", "2026-01-02 03:04:05"],
    ["milliseconds since the epoch", "1767323045000"],
    ["an IBAN", "DE89 3704 0044 0532 0130 00"],
    ["a UUID whose digits pass Luhn", "8bb92d23-8797-4344-9961-023f4cdda2f0"],
    ["a UUID in upper case", "8BB92D23-8797-4344-9961-023F4CDDA2F0"],
    ["a trace id whose digits pass Luhn", `00-4bf92f3577b34da6a3ce929d0e0e4736-a41111111111111111-01`],
    ["a hash whose digits pass Luhn", `${withCheckDigit("411111111111111")}f86d081884c7d659a2feaa0c55ad015`],
    ["digits with two blanks between them", "4111  1111  1111  1111"],
    ["digits with other signs between them", "4111.1111.1111.1111"],
    ["lines of digits", "4111\n1111\n1111\n1111"],
    ["nothing", ""],
  ])("%s: %s", (_, text) => {
    expect(holdsCardNumber(text)).toBe(false);
  });

  it("ten thousand random UUIDs", () => {
    const uuids = Array.from({ length: 10_000 }, () => crypto.randomUUID());
    expect(uuids.filter(holdsCardNumber)).toEqual([]);
  });

  it("what is neither text nor number", () => {
    expect(
      [null, undefined, true, {}, [], { a: null }, 19.99, -1, Number.MAX_SAFE_INTEGER].some(valueHoldsCardNumber),
    ).toBe(false);
  });
});

describe("looking for card numbers", () => {
  it.each([
    ["digits in one group", "4".repeat(256 * 1024)],
    ["single digits", "4 ".repeat(128 * 1024)],
    ["groups of four", "4111 ".repeat(50 * 1024)],
    ["almost UUIDs", "8bb92d23-8797-4344-9961-".repeat(10 * 1024)],
  ])("takes no longer than a moment in a large text of %s", (_, text) => {
    const startedAt = performance.now();
    holdsCardNumber(text);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});
