/** Where Adyen's units are not those of ISO 4217. Source: Adyen, "Currency codes", those marked as differing. */
import { gatewayMoney } from "../money/GatewayMoney.ts";

export const adyenMoney = gatewayMoney({
  exponents: { CLP: 2, CVE: 0, IDR: 0, ISK: 2 },
  roundedToTens: [],
});
