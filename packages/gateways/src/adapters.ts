/** The kinds of gateways there are, by the `type` of an entry: a new one is a folder and a line here. */
import { adyenAdapter } from "./adyen/adyenAdapter.ts";
import { razorpayAdapter } from "./razorpay/razorpayAdapter.ts";
import { simulatorAdapter } from "./simulator/simulatorAdapter.ts";
import { stripeAdapter } from "./stripe/stripeAdapter.ts";

export const adapters = {
  simulator: simulatorAdapter,
  stripe: stripeAdapter,
  adyen: adyenAdapter,
  razorpay: razorpayAdapter,
};
