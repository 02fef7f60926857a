/**
 * Money is a whole number of minor units together with its currency: `{ value: 1999, currency: "USD" }` is 19.99 dollars.
 * It is never a float. Source: facts of the field, ISO 4217.
 */
import { Schema } from "effect";
import { currencyExponents, isCurrency } from "./Currency.ts";

/** An ISO 4217 code in upper case, one of those in Currency.ts. */
export const Currency = Schema.String.check(
  Schema.makeFilter((code: string) =>
    isCurrency(code) ? undefined : `${JSON.stringify(code.slice(0, 12))} is not an ISO 4217 currency code (upper case)`,
  ),
);

/** Minor units: a whole number from 1 to 2^53 - 1. */
export const MinorUnits = Schema.Number.check(
  Schema.makeFilter((value: number) =>
    Number.isSafeInteger(value) && value > 0
      ? undefined
      : "an amount is a whole number of minor units from 1 to 9007199254740991",
  ),
);

export const Money = Schema.Struct({ value: MinorUnits, currency: Currency });
export type Money = typeof Money.Type;

/**
 * Reads a decimal amount as a person writes it ("19.99") into minor units of the currency.
 * Returns undefined where the currency cannot express it: too many decimals, not a plain decimal, zero, too large.
 */
export const parseMoney = (text: string, currency: string): Money | undefined => {
  const exponent = currencyExponents.get(currency);
  const match = /^(\d{1,16})(?:\.(\d+))?$/.exec(text);
  if (exponent === undefined || match === null) return undefined;
  const decimals = match[2] ?? "";
  if (decimals.length > exponent) return undefined;
  const value = Number(match[1] + decimals.padEnd(exponent, "0"));
  return Number.isSafeInteger(value) && value > 0 ? { value, currency } : undefined;
};

/** "19.99 USD": the amount in major units, for people. */
export const formatMoney = (money: { readonly value: number; readonly currency: string }): string => {
  const exponent = currencyExponents.get(money.currency) ?? 0;
  const digits = String(money.value).padStart(exponent + 1, "0");
  const point = digits.length - exponent;
  return `${digits.slice(0, point)}${exponent > 0 ? `.${digits.slice(point)}` : ""} ${money.currency}`;
};
