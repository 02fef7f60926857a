/**
 * Amounts as a gateway counts them. Its exponents may differ from ISO 4217's: each adapter lists only the differences, so
 * that a reader can check them against the gateway's own page.
 */
import { currencyExponents } from "@aegispay/core/money/Currency";
import type { Money } from "@aegispay/core/money/Money";

interface Exceptions {
  /** Decimals by currency, where they are not those of ISO 4217. */
  readonly exponents: Readonly<Record<string, number>>;
  /** Currencies whose amounts must be multiples of ten of the gateway's units. */
  readonly roundedToTens: ReadonlyArray<string>;
}

export interface GatewayMoney {
  /** Undefined where the gateway cannot express the amount; it is never rounded. */
  readonly toGateway: (money: Money) => number | undefined;
  /** What the gateway's number is in our units: not whole where we cannot express it, and then it equals nothing of ours. */
  readonly fromGateway: (value: number, currency: string) => { readonly value: number; readonly currency: string };
}

export const gatewayMoney = ({ exponents, roundedToTens }: Exceptions): GatewayMoney => {
  const shiftOf = (currency: string): number => {
    const ours = currencyExponents.get(currency) ?? 0;
    return (exponents[currency] ?? ours) - ours;
  };
  return {
    toGateway: ({ value, currency }) => {
      const shift = shiftOf(currency);
      const factor = 10 ** Math.abs(shift);
      const theirs = shift >= 0 ? value * factor : value / factor;
      const isRound = !roundedToTens.includes(currency) || theirs % 10 === 0;
      return Number.isSafeInteger(theirs) && isRound ? theirs : undefined;
    },
    fromGateway: (value, theirCurrency) => {
      const currency = theirCurrency.toUpperCase();
      const shift = shiftOf(currency);
      const factor = 10 ** Math.abs(shift);
      return { value: shift >= 0 ? value / factor : value * factor, currency };
    },
  };
};
