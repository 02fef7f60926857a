import { currencyExponents, isCurrency } from "@aegispay/core/money/Currency";
import { formatMoney, Money, parseMoney } from "@aegispay/core/money/Money";
import { Result, Schema } from "effect";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const isMoney = (value: unknown, currency: unknown = "USD"): boolean =>
  Result.isSuccess(Schema.decodeUnknownResult(Money)({ value, currency }));

describe("money", () => {
  it.each([
    ["19.99", "USD", 1999],
    ["19.9", "USD", 1990],
    ["19", "USD", 1900],
    ["0.01", "EUR", 1],
    ["1", "JPY", 1],
    ["1999", "JPY", 1999],
    ["1.234", "KWD", 1234],
    ["19.990", "KWD", 19_990],
    ["1.2", "KWD", 1200],
    ["90071992547409.91", "USD", Number.MAX_SAFE_INTEGER],
    ["9007199254740991", "JPY", Number.MAX_SAFE_INTEGER],
  ])("reads %s %s as %i minor units", (text, currency, value) => {
    expect(parseMoney(text, currency)).toEqual({ value, currency });
  });

  it.each([
    ["19.999", "USD"],
    ["1.5", "JPY"],
    ["19.99", "JPY"],
    ["1999.00", "JPY"],
    ["19.9900", "KWD"],
    ["1.0", "JPY"],
    ["1.2345", "KWD"],
    ["0", "USD"],
    ["0.00", "USD"],
    ["-1", "USD"],
    ["+1", "USD"],
    ["1e3", "USD"],
    ["1,000", "USD"],
    [" 1", "USD"],
    ["1\n", "USD"],
    ["1.", "USD"],
    [".5", "USD"],
    ["", "USD"],
    ["٣", "USD"],
    ["0x10", "USD"],
    ["90071992547409.92", "USD"],
    ["99999999999999999", "JPY"],
    ["1", "usd"],
    ["1", "XXX"],
    ["1", ""],
    ["1", "__proto__"],
  ])("does not read %j %s: it is no amount of that currency", (text, currency) => {
    expect(parseMoney(text, currency)).toBeUndefined();
  });

  it.each([
    [{ value: 1999, currency: "USD" }, "19.99 USD"],
    [{ value: 1, currency: "USD" }, "0.01 USD"],
    [{ value: 100, currency: "USD" }, "1.00 USD"],
    [{ value: 5, currency: "JPY" }, "5 JPY"],
    [{ value: 7, currency: "KWD" }, "0.007 KWD"],
    [{ value: 0, currency: "EUR" }, "0.00 EUR"],
  ])("writes %j as a person would", (money, text) => {
    expect(formatMoney(money)).toBe(text);
  });

  it("is the same after it was written and read, in every currency", () => {
    const currencies = fc.constantFrom(...currencyExponents.keys());
    fc.assert(
      fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), currencies, (value, currency) => {
        const [digits] = formatMoney({ value, currency }).split(" ");
        expect(parseMoney(digits!, currency)).toEqual({ value, currency });
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([0, -1, 1.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, "1", null, undefined, 1n])(
    "is no amount of %s minor units",
    (value) => {
      expect(isMoney(value)).toBe(false);
    },
  );

  it("is a whole number from 1 to 2^53 - 1", () => {
    expect([1, Number.MAX_SAFE_INTEGER].map((value) => isMoney(value))).toEqual([true, true]);
  });

  it.each(["usd", "Usd", "XXX", "", "US", "USDT", "DEM", "toString", 840, null])(
    "is in no currency called %s",
    (code) => {
      expect(isMoney(1, code)).toBe(false);
    },
  );
});

describe("currencies", () => {
  it("are three upper-case letters with no, two or three decimals", () => {
    expect(currencyExponents.size).toBeGreaterThan(140);
    for (const [code, exponent] of currencyExponents) {
      expect(code).toMatch(/^[A-Z]{3}$/);
      expect([0, 2, 3]).toContain(exponent);
    }
  });

  it("have the decimals of ISO 4217", () => {
    const decimals = { USD: 2, EUR: 2, JPY: 0, KRW: 0, CLP: 0, ISK: 0, UGX: 0, KWD: 3, BHD: 3, TND: 3, IDR: 2, HUF: 2 };
    expect(Object.fromEntries(Object.keys(decimals).map((code) => [code, currencyExponents.get(code)]))).toEqual(
      decimals,
    );
    expect(isCurrency("USD")).toBe(true);
    expect(isCurrency("XTS")).toBe(false);
  });
});
