/**
 * What an outcome says of its gateway's health.
 *
 * | outcome                                                       | says                                                        |
 * |---------------------------------------------------------------|-------------------------------------------------------------|
 * | Approved, Declined, ActionRequired, Released, Done, Refused,  | well: it has answered, whatever the answer is               |
 * | Reversed, NotFound                                            |                                                             |
 * | Unknown, NotSent                                              | not well: no answer, none that can be read, or turned away  |
 * | NotSent with a time to be left alone (429)                    | nothing: it is well, and is asked too much; it is obeyed    |
 * | Unknown that the same key would answer                        | nothing: that gateway has no better way of being asked      |
 */
import type { Recorded } from "@aegispay/core/payment/PaymentCommand";

export type Health = "Success" | "Failure" | "Ignored";

export const healthOf = (outcome: Recorded["outcome"]): Health => {
  switch (outcome._tag) {
    case "NotSent":
      return outcome.retryAfterMillis === undefined ? "Failure" : "Ignored";
    case "Unknown":
      return outcome.sameKeyAnswers === true ? "Ignored" : "Failure";
    default:
      return "Success";
  }
};
