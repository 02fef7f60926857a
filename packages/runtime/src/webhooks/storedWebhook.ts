/** How a webhook is written down, with the headers that a signature may stand in, and read again. */
import { Option, Schema } from "effect";
import type { RawWebhook } from "./WebhookStore.ts";

export const webhookHeadersHeader = "Aegis-Webhook-Headers";
export const receivedHeader = "Aegis-Received";

/** A header of NATS is a line: JSON escapes line ends, and here all else that is not plain. */
export const asLine = (value: unknown): string =>
  JSON.stringify(value).replaceAll(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

const Headers = Schema.Record(Schema.String, Schema.String);
const decodeHeaders = Schema.decodeUnknownOption(Schema.fromJsonString(Headers));

export const readHeadersLine = (line: string): RawWebhook["headers"] =>
  Option.getOrElse(decodeHeaders(line), () => ({}));

const Refused = Schema.Struct({ at: Schema.String, reason: Schema.String, headers: Headers, body: Schema.String });
const decodeRefused = Schema.decodeUnknownOption(Schema.fromJsonString(Refused));

export const encodeRefused = ({ rawBody, headers }: RawWebhook, reason: string, at: string): string =>
  JSON.stringify({ at, reason, headers, body: Buffer.from(rawBody).toString("base64") } satisfies typeof Refused.Type);

/** A refused one, and why it was; undefined where it cannot be read. */
export const readRefused = (
  gateway: string,
  text: string,
): { readonly raw: RawWebhook; readonly reason: string } | undefined => {
  const found = Option.getOrUndefined(decodeRefused(text));
  if (found === undefined) return undefined;
  const { at, reason, headers, body } = found;
  return { raw: { gateway, rawBody: Buffer.from(body, "base64"), headers, receivedAt: Date.parse(at) }, reason };
};
