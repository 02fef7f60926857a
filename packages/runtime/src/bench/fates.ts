/** Which payments of a mixed load meet what: the same in every run, and spread evenly over it. */
import type { Mix } from "./settings.ts";

export type Fate = "approved" | "declined" | "answerLost";

/** Coprime to a hundred: a hundred payments in a row hit each percentage once, and those of one fate stand far apart. */
const stride = 37;

/** The fate of the n-th payment. */
export const fateOf = (n: number, mix: Mix | undefined): Fate => {
  if (mix === undefined) return "approved";
  const place = (n * stride) % 100;
  if (place < mix.answerLostPercent) return "answerLost";
  return place < mix.answerLostPercent + mix.declinedPercent ? "declined" : "approved";
};
