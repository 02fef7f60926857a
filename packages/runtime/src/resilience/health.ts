/**
 * What an outcome says of its gateway's health.
 *
 * | outcome                                                       | says                                                        |
 * |---------------------------------------------------------------|-------------------------------------------------------------|
 * | Approved, Declined, ActionRequired, Released, Done, Refused,  | well: it has answered, whatever the answer is               |
 * | Reversed, NotFound                                            |                                                             |
 * | Unknown, NotSent                                              | not well: no answer, none that can be read, or turned away  |
 * | either with a time to be left alone (429)                     | nothing: it is well, and is asked too much; it is obeyed    |
 * | Unknown that the same key would answer                        | nothing: that gateway has no better way of being asked      |
 */
import type { Recorded } from "@aegispay/core/payment/PaymentCommand";

export type Health = "Success" | "Failure" | "Ignored";

/** How long the gateway asks to be left alone, in milliseconds. */
export const leftAloneMillis = (outcome: Recorded["outcome"]): number | undefined =>
  outcome._tag === "NotSent" || outcome._tag === "Unknown" ? outcome.retryAfterMillis : undefined;

export const healthOf = (outcome: Recorded["outcome"]): Health => {
  if (outcome._tag !== "NotSent" && outcome._tag !== "Unknown") return "Success";
  const hasNoBetterWay = outcome._tag === "Unknown" && outcome.sameKeyAnswers === true;
  return leftAloneMillis(outcome) !== undefined || hasNoBetterWay ? "Ignored" : "Failure";
};
