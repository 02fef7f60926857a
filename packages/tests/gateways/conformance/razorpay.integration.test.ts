import { describeConformance } from "./conformance.contract.ts";
import { makeRazorpaySubject, razorpayTraits } from "./razorpaySubject.ts";

describeConformance(razorpayTraits, makeRazorpaySubject);
