/** What stands for an exchange that brought no answer, or none that can be read. */
import type { Exchange } from "../http/GatewayHttp.ts";
import { tooManyQuestions } from "../http/retryAfter.ts";

export type Answered = Extract<Exchange, { readonly _tag: "Answered" }>;

export const unknown = (reason: string) => ({ _tag: "Unknown", reason }) as const;

export const unreadable = ({ status }: Answered) => unknown(`answered ${status} with a body that cannot be read`);

/** Of something sent: the exchange's own word, since only it knows whether the request left. */
export const withoutAnswer = (exchange: Exclude<Exchange, Answered>) =>
  exchange._tag === "NotSent" ? exchange : unknown(exchange.reason);

/** Of a question: only a 200 answers it. */
export const isOk = (exchange: Exchange): exchange is Answered =>
  exchange._tag === "Answered" && exchange.status === 200;

/** Why a question was not answered. */
export const unanswered = (exchange: Exchange) =>
  exchange._tag === "Answered"
    ? { ...unknown(`answered ${exchange.status}`), ...tooManyQuestions(exchange.status, exchange.headers) }
    : unknown(exchange.reason);

/** The gateway cannot take this amount: said without a call, and for ever. */
export const amountInexpressible = (currency: string) => ({
  code: "amount_unsupported",
  message: `the gateway cannot express this amount of ${currency}`,
});
