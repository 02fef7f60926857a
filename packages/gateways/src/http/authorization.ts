/** Secrets become text here, and only on their way into a request's headers. */
import { Redacted } from "effect";

export const bearer = (key: Redacted.Redacted): string => `Bearer ${Redacted.value(key)}`;

export const basic = (user: Redacted.Redacted, password: Redacted.Redacted): string =>
  `Basic ${Buffer.from(`${Redacted.value(user)}:${Redacted.value(password)}`).toString("base64")}`;
