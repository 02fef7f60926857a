/** Where Razorpay's units are not those of ISO 4217: nowhere; but of three decimals the last is always 0. */
import { gatewayMoney } from "../money/GatewayMoney.ts";

export const razorpayMoney = gatewayMoney({ exponents: {}, roundedToTens: ["BHD", "KWD", "OMR"] });
