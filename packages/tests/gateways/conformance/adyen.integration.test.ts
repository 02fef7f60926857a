import { adyenTraits, makeAdyenSubject } from "./adyenSubject.ts";
import { describeConformance } from "./conformance.contract.ts";

describeConformance(adyenTraits, makeAdyenSubject);
