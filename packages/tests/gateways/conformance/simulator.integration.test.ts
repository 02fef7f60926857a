import { describeConformance } from "./conformance.contract.ts";
import { makeSimulatorSubject, simulatorTraits } from "./simulatorSubject.ts";

describeConformance(simulatorTraits, makeSimulatorSubject);
