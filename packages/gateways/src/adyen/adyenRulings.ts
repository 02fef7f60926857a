/**
 * What Adyen's noes mean. A refusal of a payment is an answer of its own (200, `Refused`, `Cancelled` or `Error`) with a
 * refusalReasonCode; a request that Adyen does not take is answered 4xx with an errorCode.
 *
 * | answer                                    | ruling   | why                                                             |
 * |-------------------------------------------|----------|-----------------------------------------------------------------|
 * | merchant advice and raw refusal reason    | declined | where the schemes forbid another try (evidence/schemeRules)     |
 * | a refusalReasonCode in the table          | as there | one that nobody has listed is taken for final                   |
 * | 5xx; errorCode 704, with 409 or 422       | unknown  | may have been processed; 704: the key is in flight, or was used |
 * | 401, 403, 404, 405, 429; errorCode 901    | notSent  | turned away: key, rights, address, rate, account                |
 * | an errorCode in the table                 | as there |                                                                 |
 * | any other 400 or 422                      | declined | what Adyen refuses to read it always will                       |
 * | anything else, also 409 without 704       | unknown  |                                                                 |
 *
 * Sources: Adyen, "Refusal reasons", "Error codes and messages", "API idempotency"; facts of the field for what may move on.
 */
import type { Ruling } from "../evidence/Ruling.ts";
import { isForbiddenByScheme } from "../evidence/schemeRules.ts";

export const adyenRefusalReasons: ReadonlyMap<string, Ruling> = new Map<string, Ruling>([
  ["2", "moveOn"], // Refused: without a reason
  ["3", "moveOn"], // Referral
  ["4", "moveOn"], // Acquirer Error
  ["5", "declined"], // Blocked Card
  ["6", "declined"], // Expired Card
  ["7", "declined"], // Invalid Amount
  ["8", "declined"], // Invalid Card Number
  ["9", "moveOn"], // Issuer Unavailable
  ["10", "declined"], // Not supported
  ["11", "stepUp"], // 3D Not Authenticated
  ["12", "declined"], // Not enough balance
  ["14", "declined"], // Acquirer Fraud
  ["15", "declined"], // Cancelled
  ["16", "declined"], // Shopper Cancelled
  ["17", "declined"], // Invalid Pin
  ["18", "declined"], // Pin tries exceeded
  ["19", "declined"], // Pin validation not possible
  ["20", "declined"], // FRAUD
  ["21", "moveOn"], // Not Submitted
  ["22", "declined"], // FRAUD-CANCELLED
  ["23", "declined"], // Transaction Not Permitted
  ["24", "declined"], // CVC Declined
  ["25", "declined"], // Restricted Card
  ["26", "declined"], // Revocation Of Auth
  ["27", "declined"], // Declined Non Generic
  ["28", "declined"], // Withdrawal amount exceeded
  ["29", "declined"], // Withdrawal count exceeded
  ["31", "declined"], // Issuer Suspected Fraud
  ["32", "declined"], // AVS Declined
  ["33", "declined"], // Card requires online pin
  ["34", "declined"], // No checking account available on Card
  ["35", "declined"], // No savings account available on Card
  ["36", "declined"], // Mobile PIN required
  ["37", "declined"], // Contactless fallback
  ["38", "stepUp"], // Authentication required
  ["39", "stepUp"], // RReq not received from DS
  ["40", "declined"], // Current AID is in Penalty Box
  ["41", "declined"], // CVM Required Restart Payment
  ["42", "stepUp"], // 3DS Authentication Error
  ["46", "declined"], // Transaction blocked by Adyen to prevent excessive retry fees
]);

export const adyenErrorCodes: ReadonlyMap<string, Ruling> = new Map<string, Ruling>([
  ["138", "moveOn"], // Unsupported currency specified
  ["704", "unknown"], // request already processed or in progress
  ["901", "notSent"], // Invalid Merchant Account
  ["905", "moveOn"], // Payment details are not supported
]);

export const ruleRefusal = (
  refusalReasonCode: string | undefined,
  said: Parameters<typeof isForbiddenByScheme>[0] = {},
): Ruling => {
  if (isForbiddenByScheme(said)) return "declined";
  return adyenRefusalReasons.get(refusalReasonCode ?? "") ?? "declined";
};

const turnedAway: ReadonlySet<number> = new Set([401, 403, 404, 405, 429]);

export const ruleAdyenError = (status: number, errorCode: string | undefined): Ruling => {
  if (status >= 500) return "unknown";
  if (turnedAway.has(status)) return "notSent";
  const known = adyenErrorCodes.get(errorCode ?? "");
  if (known !== undefined && status >= 400) return known;
  return status === 400 || status === 422 ? "declined" : "unknown";
};
