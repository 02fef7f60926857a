const maxSeconds = 3600;

/** What `Retry-After` asks for, in milliseconds; its form as a date needs a clock that agrees with the gateway's. */
export const retryAfterMillis = (headers: Readonly<Record<string, string>>): number | undefined => {
  const text = headers["retry-after"] ?? "";
  return /^\d{1,9}(?:\.\d+)?$/.test(text) ? Math.round(Math.min(Number(text), maxSeconds) * 1000) : undefined;
};
