/** What the answers to charges and to operations have in common. */
import { Option, Schema } from "effect";
import type { Exchange } from "../http/GatewayHttp.ts";
import { leftAloneMillis, tooManyQuestions } from "../http/retryAfter.ts";

type Answered = Extract<Exchange, { readonly _tag: "Answered" }>;

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

const notProcessed: ReadonlySet<number> = new Set([401, 403, 404, 405, 429]);

/** Turned away before anything was processed; undefined where the status does not say so. */
export const turnedAway = ({ status, headers }: Answered) => {
  if (!notProcessed.has(status)) return undefined;
  const retryAfterMillis = leftAloneMillis(status, headers);
  const asked = retryAfterMillis === undefined ? {} : { retryAfterMillis };
  return { _tag: "NotSent", reason: `turned away with ${status}`, ...asked } as const;
};

export const unknown = (reason: string) => ({ _tag: "Unknown", reason }) as const;

export const answered = (exchange: { readonly status: number }) => `answered ${exchange.status}`;

/** Of a question whose answer is no 200. */
export const unanswered = ({ status, headers }: Answered) => ({
  ...unknown(`answered ${status}`),
  ...tooManyQuestions(status, headers),
});

export const unreadable = (exchange: { readonly status: number }) =>
  unknown(`answered ${exchange.status} with a body that cannot be read`);
