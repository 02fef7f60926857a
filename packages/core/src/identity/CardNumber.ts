/**
 * Finds card numbers, so that none is ever stored: 13 to 19 digits, single blanks or dashes between them allowed,
 * passing Luhn, with the prefix of a card scheme. UUIDs and telephone numbers with a plus are none.
 */
const candidate = /\d(?:[ -]?\d){12,}/g;

/** Visa, Mastercard, American Express, Discover, Diners Club, JCB, UnionPay, Maestro, RuPay, Mir. */
const schemePrefix = /^(?:4|5[0-8]|2[2-7]|3[0-9]|6|81|82)/;

const passesLuhn = (digits: string): boolean => {
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 48;
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
};

const isCardNumber = (digits: string): boolean =>
  digits.length >= 13 && digits.length <= 19 && schemePrefix.test(digits) && passesLuhn(digits);

/**
 * A run of digits is looked at in whole groups ("12 4111 1111 1111 1111" holds a card number after its first group). A
 * single group of more than 19 digits is none.
 */
const runHoldsCardNumber = (run: string): boolean => {
  const groups = run.split(/[ -]/);
  for (let first = 0; first < groups.length; first++) {
    let digits = "";
    for (let last = first; last < groups.length && digits.length < 19; last++) {
      digits += groups[last];
      if (isCardNumber(digits)) return true;
    }
  }
  return false;
};

const holdsDeep = (value: unknown): boolean => {
  if (typeof value === "string") return holdsCardNumber(value);
  if (typeof value === "number") return holdsCardNumber(String(value));
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([key, member]) => holdsCardNumber(key) || holdsDeep(member));
};

/** "+55 11 91234 5678": one such number in ten passes Luhn. E.164 allows 15 digits; no card is written with a plus. */
const isTelephoneNumber = (text: string, start: number, run: string): boolean =>
  text[start - 1] === "+" && run.replaceAll(/[ -]/g, "").length <= 15;

/**
 * UUIDs and hexadecimal ids (traces, hashes): one random UUID in 700 has digits that would pass for a card number
 * (measured), and ids are everywhere. Only those with a letter in them, which no card number has.
 */
const hexadecimalId =
  /(?<![0-9a-z])(?:(?=[0-9-]{0,35}[a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=[0-9]*[a-f])[0-9a-f]{16,})(?![0-9a-z])/gi;

const scan = (text: string): boolean => {
  for (const { 0: run, index } of text.matchAll(candidate)) {
    if (!isTelephoneNumber(text, index, run) && runHoldsCardNumber(run)) return true;
  }
  return false;
};

/** Whether the text holds a card number anywhere. */
export const holdsCardNumber = (text: string): boolean => scan(text) && scan(text.replaceAll(hexadecimalId, "#"));

/** The text with the digits of its card numbers, and of whatever looks like one, hidden; the very text where it holds none. */
export const hideCardNumbers = (text: string): string =>
  holdsCardNumber(text)
    ? text.replaceAll(candidate, (run: string, at: number) =>
        !isTelephoneNumber(text, at, run) && runHoldsCardNumber(run) ? run.replaceAll(/\d/g, "*") : run,
      )
    : text;

/** Whether any string, number or key of a decoded JSON value holds one: escapes can hide it from a look at the text. */
export const valueHoldsCardNumber: (value: unknown) => boolean = holdsDeep;
