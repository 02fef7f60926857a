/**
 * Where Stripe's units are not those of ISO 4217. Source: Stripe, "Supported currencies", zero-decimal and three-decimal
 * currencies and special cases. ISK and UGX have no decimals and are counted as if they had two; of three decimals the last
 * is always 0.
 */
import { gatewayMoney } from "../money/GatewayMoney.ts";

export const stripeMoney = gatewayMoney({
  exponents: { ISK: 2, UGX: 2, MGA: 0 },
  roundedToTens: ["BHD", "JOD", "KWD", "OMR", "TND"],
});
