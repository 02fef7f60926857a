/** What the answers to charges and to operations have in common. */
import { Option, Schema } from "effect";

export const Refusal = Schema.Struct({
  code: Schema.String,
  message: Schema.optionalKey(Schema.String),
  declineCode: Schema.optionalKey(Schema.String),
  charge: Schema.optionalKey(Schema.String),
});

const decodeError = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Struct({ error: Refusal })));

/** The reason in the body of a refusal; undefined where none can be read. */
export const decodeRefusal = (body: string): typeof Refusal.Type | undefined =>
  Option.getOrUndefined(decodeError(body))?.error;

/** Turned away before anything was processed. */
export const notProcessed: ReadonlySet<number> = new Set([401, 403, 404, 405, 429]);

export const unknown = (reason: string) => ({ _tag: "Unknown", reason }) as const;

export const answered = (exchange: { readonly status: number }) => `answered ${exchange.status}`;

export const unreadable = (exchange: { readonly status: number }) =>
  unknown(`answered ${exchange.status} with a body that cannot be read`);
