import { describeConformance } from "./conformance.contract.ts";
import { makeStripeSubject, stripeTraits } from "./stripeSubject.ts";

describeConformance(stripeTraits, makeStripeSubject);
