/** Waits for a condition, with a deadline: never for a time. */

export const eventually = async <Found>(
  what: string,
  look: () => Promise<Found | undefined | false> | Found | undefined | false,
  timeoutMillis = 30_000,
): Promise<Found> => {
  const until = Date.now() + timeoutMillis;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > until) throw new Error(`${what}: not within ${timeoutMillis} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
