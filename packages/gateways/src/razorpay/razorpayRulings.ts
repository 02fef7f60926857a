/**
 * What Razorpay's noes mean: of a payment that failed its error_reason, of a request that was not taken the status and the
 * reason in the body. The first line that fits counts:
 *
 * | answer                                       | ruling   | why                                                          |
 * |----------------------------------------------|----------|--------------------------------------------------------------|
 * | 5xx (SERVER_ERROR, GATEWAY_ERROR), 409       | unknown  | it may have been processed                                   |
 * | 401, 403, 404, 405, 429                      | notSent  | turned away: key, rights, address, rate                      |
 * | 400 "already been captured", "in progress"   | unknown  | something of ours has happened, or is happening              |
 * | a reason in the table                        | as there |                                                              |
 * | a failed payment, GATEWAY_ERROR of source    | moveOn   | the bank or the network failed, it did not say no            |
 * | bank, gateway or network                     |          |                                                              |
 * | any other 400, any other failed payment      | declined | what Razorpay refuses to read it always will; a reason that  |
 * |                                              |          | nobody has listed is taken for final                         |
 * | anything else                                | unknown  |                                                              |
 *
 * Sources: Razorpay, "Error reasons", "Error codes"; facts of the field for what may move on.
 */
import type { Ruling } from "../evidence/Ruling.ts";

export interface RazorpayRefusal {
  readonly code?: string | undefined;
  readonly reason?: string | undefined;
  readonly source?: string | undefined;
  readonly description?: string | undefined;
}

export const razorpayReasons: ReadonlyMap<string, Ruling> = new Map<string, Ruling>([
  // The bank or the network failed, or said no without a reason.
  ["bank_not_available", "moveOn"],
  ["bank_technical_error", "moveOn"],
  ["card_declined", "moveOn"],
  ["card_network_not_enabled", "moveOn"],
  ["gateway_technical_error", "moveOn"],
  ["issuer_technical_error", "moveOn"],
  ["payment_declined", "moveOn"],
  ["payment_failed", "moveOn"],
  ["server_error", "moveOn"],
  // The customer has to authenticate.
  ["authentication_failed", "stepUp"],
  ["incorrect_otp", "stepUp"],
  ["invalid_otp", "stepUp"],
  ["otp_expired", "stepUp"],
  ["otp_attempts_exceeded", "stepUp"],
  // The card, its data or its account: no gateway will say otherwise.
  ["card_expired", "declined"],
  ["card_lost", "declined"],
  ["card_not_enrolled", "declined"],
  ["card_number_invalid", "declined"],
  ["card_stolen", "declined"],
  ["card_type_invalid", "declined"],
  ["debit_instrument_blocked", "declined"],
  ["debit_instrument_inactive", "declined"],
  ["incorrect_card_details", "declined"],
  ["incorrect_card_expiry_date", "declined"],
  ["incorrect_cardholder_name", "declined"],
  ["incorrect_cvv", "declined"],
  ["incorrect_pin", "declined"],
  ["input_validation_failed", "declined"],
  ["insufficient_funds", "declined"],
  ["international_transaction_not_allowed", "declined"],
  ["payment_cancelled", "declined"],
  ["payment_risk_check_failed", "declined"],
  ["payment_timed_out", "declined"],
  ["pin_attempts_exceeded", "declined"],
  ["transaction_daily_count_exceeded", "declined"],
  ["transaction_daily_limit_exceeded", "declined"],
  ["transaction_limit_exceeded", "declined"],
]);

const outside: ReadonlySet<string> = new Set(["bank", "issuer_bank", "gateway", "network"]);

/** Why a payment that is there has failed. */
export const ruleFailure = ({ code, reason, source }: RazorpayRefusal): Ruling => {
  const known = razorpayReasons.get(reason ?? "");
  if (known !== undefined) return known;
  return code === "GATEWAY_ERROR" && outside.has(source ?? "") ? "moveOn" : "declined";
};

const turnedAway: ReadonlySet<number> = new Set([401, 403, 404, 405, 429]);
const isOurs = /already been captured|in progress/i;

export const ruleRazorpay = (status: number, refusal: RazorpayRefusal): Ruling => {
  if (status >= 500 || status === 409) return "unknown";
  if (turnedAway.has(status)) return "notSent";
  if (status !== 400 || isOurs.test(refusal.description ?? "")) return "unknown";
  return ruleFailure(refusal);
};
