const maxSeconds = 3600;

/** What a 429 asks for that does not say, in milliseconds. */
const unsaidMillis = 1_000;

/** What `Retry-After` asks for, in milliseconds; its form as a date needs a clock that agrees with the gateway's. */
export const retryAfterMillis = (headers: Readonly<Record<string, string>>): number | undefined => {
  const text = headers["retry-after"] ?? "";
  return /^\d{1,9}(?:\.\d+)?$/.test(text) ? Math.round(Math.min(Number(text), maxSeconds) * 1000) : undefined;
};

/** Of a question that was turned away because there are too many. */
export const tooManyQuestions = (
  status: number,
  headers: Readonly<Record<string, string>>,
): { readonly retryAfterMillis?: number } => {
  const retryAfter = status === 429 ? leftAloneMillis(status, headers) : undefined;
  return retryAfter === undefined ? {} : { retryAfterMillis: retryAfter };
};

/** How long the gateway asks to be left alone, in milliseconds: it is well, and has too much to do (429). */
export const leftAloneMillis = (status: number, headers: Readonly<Record<string, string>>): number | undefined =>
  retryAfterMillis(headers) ?? (status === 429 ? unsaidMillis : undefined);
