/**
 * What Stripe's noes mean. The first line that fits counts:
 *
 * | answer                                            | ruling   | why                                                     |
 * |---------------------------------------------------|----------|---------------------------------------------------------|
 * | 5xx, 409, type `api_error`                        | unknown  | it may have been processed, or its key is in flight     |
 * | type `idempotency_error`                          | unknown  | the key was used with other parameters: something of    |
 * |                                                   |          | ours was processed                                      |
 * | 401, 403, 404, 405, 429                           | notSent  | turned away: key, rights, address, rate, `lock_timeout` |
 * | advice `do_not_try_again`; the issuer's own codes | declined | the schemes forbid it (evidence/schemeRules)            |
 * | a decline code, or else a code, in the table below| as there |                                                         |
 * | any other 400 or 402                              | declined | what Stripe refuses to read it always will; an issuer's |
 * |                                                   |          | reason that nobody has listed is taken for final        |
 * | anything else                                     | unknown  |                                                         |
 *
 * Sources: Stripe, "Decline codes", "Error codes", "Idempotent requests"; facts of the field for what may move on.
 */
import type { Ruling } from "../evidence/Ruling.ts";
import { isForbiddenByScheme } from "../evidence/schemeRules.ts";

interface StripeRefusal {
  readonly status: number;
  readonly type?: string | undefined;
  readonly code?: string | undefined;
  readonly declineCode?: string | undefined;
  readonly adviceCode?: string | undefined;
  readonly networkAdviceCode?: string | undefined;
  readonly networkDeclineCode?: string | undefined;
}

export const stripeCodes: ReadonlyMap<string, Ruling> = new Map<string, Ruling>([
  // The issuer or the network failed, or said no without a reason: another gateway may get through.
  ["approve_with_id", "moveOn"],
  ["call_issuer", "moveOn"],
  ["currency_not_supported", "moveOn"],
  ["do_not_honor", "moveOn"],
  ["generic_decline", "moveOn"],
  ["issuer_not_available", "moveOn"],
  ["no_action_taken", "moveOn"],
  ["processing_error", "moveOn"],
  ["reenter_transaction", "moveOn"],
  ["service_not_allowed", "moveOn"],
  ["try_again_later", "moveOn"],
  ["card_decline_rate_limit_exceeded", "declined"],
  // The customer has to authenticate.
  ["authentication_required", "stepUp"],
  ["authentication_not_handled", "stepUp"],
  ["mobile_device_authentication_required", "stepUp"],
  ["payment_intent_authentication_failure", "stepUp"],
  ["authentication_failure", "stepUp"],
  // The card, its data or its account: no gateway will say otherwise.
  ["account_closed", "declined"],
  ["card_not_supported", "declined"],
  ["card_velocity_exceeded", "declined"],
  ["do_not_try_again", "declined"],
  ["duplicate_transaction", "declined"],
  ["expired_card", "declined"],
  ["fraudulent", "declined"],
  ["incorrect_address", "declined"],
  ["incorrect_cvc", "declined"],
  ["incorrect_number", "declined"],
  ["incorrect_pin", "declined"],
  ["incorrect_zip", "declined"],
  ["insufficient_funds", "declined"],
  ["invalid_account", "declined"],
  ["invalid_amount", "declined"],
  ["invalid_cvc", "declined"],
  ["invalid_expiry_month", "declined"],
  ["invalid_expiry_year", "declined"],
  ["invalid_number", "declined"],
  ["invalid_pin", "declined"],
  ["lost_card", "declined"],
  ["merchant_blacklist", "declined"],
  ["new_account_information_available", "declined"],
  ["not_permitted", "declined"],
  ["offline_pin_required", "declined"],
  ["online_or_offline_pin_required", "declined"],
  ["pickup_card", "declined"],
  ["pin_try_exceeded", "declined"],
  ["restricted_card", "declined"],
  ["revocation_of_all_authorizations", "declined"],
  ["revocation_of_authorization", "declined"],
  ["security_violation", "declined"],
  ["stolen_card", "declined"],
  ["stop_payment_order", "declined"],
  ["testmode_decline", "declined"],
  ["transaction_not_allowed", "declined"],
  ["withdrawal_count_limit_exceeded", "declined"],
]);

const turnedAway: ReadonlySet<number> = new Set([401, 403, 404, 405, 429]);

export const ruleStripe = (refusal: StripeRefusal): Ruling => {
  const { status, type, code, declineCode, adviceCode, networkAdviceCode, networkDeclineCode } = refusal;
  if (status >= 500 || status === 409 || type === "api_error" || type === "idempotency_error") return "unknown";
  if (turnedAway.has(status)) return "notSent";
  if (status !== 400 && status !== 402) return "unknown";
  const said = { adviceCode: networkAdviceCode, responseCode: networkDeclineCode };
  if (adviceCode === "do_not_try_again" || isForbiddenByScheme(said)) return "declined";
  return stripeCodes.get(declineCode ?? "") ?? stripeCodes.get(code ?? "") ?? "declined";
};
