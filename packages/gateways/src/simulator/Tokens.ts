/** What each test token makes of a charge. CONTRACT.md lists them; a token that is not here is declined as invalid. */
import type { Decline } from "./Charge.ts";

interface TokenBehaviour {
  readonly result: "approved" | "requires_action" | Decline;
  /** The gateway takes its time: meanwhile the key is in flight, and the charge is made at the end. */
  readonly slow?: true;
  /** On a key's first request only. `lose-answer`: charged, then the connection drops. `reset`: it drops before. */
  readonly firstRequest?: "lose-answer" | "reset";
}

const decline = (declineCode: string, message: string): TokenBehaviour => ({
  result: { code: "card_declined", declineCode, message },
});

/** Also what the `declineRate` fault answers. */
export const declinedByIssuer: Decline = {
  code: "card_declined",
  declineCode: "generic_decline",
  message: "the issuer declined the charge",
};

const behaviours: ReadonlyMap<string, TokenBehaviour> = new Map<string, TokenBehaviour>([
  ["tok_visa", { result: "approved" }],
  ["tok_declined", { result: declinedByIssuer }],
  ["tok_insufficient_funds", decline("insufficient_funds", "the account does not hold the amount")],
  ["tok_try_again", decline("try_again_later", "the issuer could not be reached; another gateway may succeed")],
  ["tok_3ds", { result: "requires_action" }],
  ["tok_slow", { result: "approved", slow: true }],
  ["tok_lost_answer", { result: "approved", firstRequest: "lose-answer" }],
  ["tok_reset", { result: "approved", firstRequest: "reset" }],
]);

const invalidToken = decline("invalid_token", "no such token");

export const behaviourOf = (token: string): TokenBehaviour => behaviours.get(token) ?? invalidToken;
