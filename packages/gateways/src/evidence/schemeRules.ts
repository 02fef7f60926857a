/**
 * What the card schemes forbid: another try with this card, here or at any other gateway. It holds whatever the gateway's own
 * code for the decline is, so the adapters that are told the issuer's own words ask here first.
 *
 * | said by the issuer                            | means                                                            |
 * |-----------------------------------------------|------------------------------------------------------------------|
 * | merchant advice code 03                       | Mastercard: do not try again                                     |
 * | merchant advice code 21                       | Mastercard: the cardholder has cancelled, do not try again       |
 * | response code 04, 07, 41, 43                  | Visa category 1: pick the card up, it is lost or stolen          |
 * | response code 12, 14, 15, 46, 57              | Visa category 1: no such card, issuer or account, never permitted|
 * | response code R0, R1, R3                      | Visa category 1: the cardholder has stopped such payments        |
 *
 * Other schemes use the same response codes (ISO 8583) for the same reasons. Sources: Mastercard, "Merchant advice codes";
 * Visa, "Decline response codes" of category 1, the issuer will never approve.
 */

const forbiddenAdvice: ReadonlySet<string> = new Set(["03", "21"]);
const neverApproved: ReadonlySet<string> = new Set([
  "04",
  "07",
  "12",
  "14",
  "15",
  "41",
  "43",
  "46",
  "57",
  "R0",
  "R1",
  "R3",
]);

/** A code may be followed by its text, `03 : Do not try again`. */
const codeIn = (said: string | undefined): string => /^[A-Za-z0-9]+/.exec(said ?? "")?.[0] ?? "";

export const isForbiddenByScheme = (said: {
  readonly adviceCode?: string | undefined;
  readonly responseCode?: string | undefined;
}): boolean => forbiddenAdvice.has(codeIn(said.adviceCode)) || neverApproved.has(codeIn(said.responseCode));
