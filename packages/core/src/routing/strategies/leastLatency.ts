/**
 * The quickest first. One that has not been measured lately comes after those that have, but for a few payments that
 * measure it: so a gateway that was slow is seen to be quick again once its old figures have left the window.
 */
import { chance } from "../chance.ts";
import { healthOf } from "../RoutingTable.ts";
import { byLeast, type Ranked, type Strategy } from "./Strategy.ts";

export const leastLatency: Strategy = ({ candidates, table, figuresOf, seed }) => {
  const known = candidates.filter((candidate) => figuresOf(candidate).latencyMillis !== undefined);
  const unknown = candidates.filter((candidate) => figuresOf(candidate).latencyMillis === undefined);
  const measured = byLeast(
    known,
    (candidate) => figuresOf(candidate).latencyMillis ?? 0,
    (_, millis) => `answers in ${Math.round(millis)} ms`,
  );
  const unmeasured: ReadonlyArray<Ranked> = unknown.map((candidate) => ({ candidate, why: "not measured lately" }));
  const isMeasuring = chance(seed, "measure") < healthOf(table).explore;
  return isMeasuring ? [...unmeasured, ...measured] : [...measured, ...unmeasured];
};
