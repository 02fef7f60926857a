/** What each test token makes of a charge. CONTRACT.md lists them; a token that is not here is declined as invalid. */
import type { Decline } from "./Charge.ts";
import type { FirstRequest } from "./Faults.ts";

interface TokenBehaviour {
  readonly result: "approved" | "requires_action" | Decline;
  /** What the issuer says to a customer who has passed 3-D Secure; absent: yes. */
  readonly declinedAfterAuthentication?: Decline;
  /** The gateway takes its time: meanwhile the key is in flight, and the charge is made at the end. */
  readonly slow?: true;
  /** What happens to the first request of the charge's key. */
  readonly firstRequest?: FirstRequest;
  /** The gateway books something else than it was asked for. */
  readonly books?: "other-amount" | "other-currency";
  /** What happens to the first request of each capture, void and refund of the charge. */
  readonly operations?: FirstRequest | "refuse";
}

const declinedFor = (declineCode: string, message: string): Decline => ({
  code: "card_declined",
  declineCode,
  message,
});

/** Also what the `declineRate` fault answers. */
export const declines = {
  generic_decline: declinedFor("generic_decline", "the issuer declined the charge"),
  insufficient_funds: declinedFor("insufficient_funds", "the account does not hold the amount"),
  try_again_later: declinedFor("try_again_later", "the issuer could not be reached; another gateway may succeed"),
};

export const failedAuthentication: Decline = {
  code: "authentication_failed",
  declineCode: "authentication_failed",
  message: "the customer did not pass 3-D Secure",
};

const behaviours: ReadonlyMap<string, TokenBehaviour> = new Map<string, TokenBehaviour>([
  ["tok_visa", { result: "approved" }],
  ["tok_declined", { result: declines.generic_decline }],
  ["tok_insufficient_funds", { result: declines.insufficient_funds }],
  ["tok_try_again", { result: declines.try_again_later }],
  ["tok_3ds", { result: "requires_action" }],
  [
    "tok_3ds_insufficient_funds",
    { result: "requires_action", declinedAfterAuthentication: declines.insufficient_funds },
  ],
  ["tok_slow", { result: "approved", slow: true }],
  ["tok_lost_answer", { result: "approved", firstRequest: "lose-answer" }],
  ["tok_reset", { result: "approved", firstRequest: "reset" }],
  ["tok_late", { result: "approved", firstRequest: "delay" }],
  ["tok_other_amount", { result: "approved", books: "other-amount" }],
  ["tok_other_currency", { result: "approved", books: "other-currency" }],
  ["tok_operations_lost_answer", { result: "approved", operations: "lose-answer" }],
  ["tok_operations_reset", { result: "approved", operations: "reset" }],
  ["tok_operations_late", { result: "approved", operations: "delay" }],
  ["tok_operations_refused", { result: "approved", operations: "refuse" }],
]);

const invalidToken: TokenBehaviour = { result: declinedFor("invalid_token", "no such token") };

export const behaviourOf = (token: string): TokenBehaviour => behaviours.get(token) ?? invalidToken;
