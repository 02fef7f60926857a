/**
 * What a gateway's no means, in one word: the right-hand column of every adapter's table. The table says the word, and this
 * file alone says what becomes of it.
 *
 * | ruling   | of a charge                                    | of an operation | sent again here?                      |
 * |----------|------------------------------------------------|-----------------|---------------------------------------|
 * | declined | Declined; no other gateway may be tried        | Refused         | never                                 |
 * | moveOn   | Declined; another gateway may be tried         | Refused         | never                                 |
 * | stepUp   | Declined: the issuer wants the customer's own  | Refused         | never: a new payment, with 3-D Secure |
 * |          | authentication                                 |                 |                                       |
 * | notSent  | NotSent: turned away before it was processed   | NotSent         | yes, after a wait, under the same key |
 * | unknown  | Unknown: it may have been processed            | Unknown         | only after a look-up                  |
 */
import type { GatewayOutcome, OperationOutcome } from "@aegispay/core/payment/GatewayOutcome";
import { evidenceText } from "./evidenceText.ts";

export type Ruling = "declined" | "moveOn" | "stepUp" | "notSent" | "unknown";

/** What the gateway said, as it is kept. */
export interface Evidence {
  readonly code: string;
  readonly message?: string | undefined;
  readonly declineCode?: string | undefined;
  readonly gatewayTransactionId?: string | undefined;
  /** The gateway's name for this exchange, to find it again in its own logs. */
  readonly requestId?: string | undefined;
  readonly retryAfterMillis?: number | undefined;
}

const reasonOf = ({ code, declineCode, requestId = "" }: Evidence): string =>
  [
    evidenceText(code),
    ...(declineCode === undefined ? [] : [evidenceText(declineCode)]),
    ...(/^[A-Za-z0-9_-]{1,64}$/.test(requestId) ? [`request ${requestId}`] : []),
  ].join(", ");

const withoutAnswer = (ruling: "notSent" | "unknown", evidence: Evidence) => {
  const { retryAfterMillis } = evidence;
  const reason = `the gateway said ${reasonOf(evidence)}`;
  return ruling === "unknown"
    ? ({ _tag: "Unknown", reason } as const)
    : ({ _tag: "NotSent", reason, ...(retryAfterMillis === undefined ? {} : { retryAfterMillis }) } as const);
};

/** By this code the core knows that it is the customer who did not, or has to, authenticate. */
const authenticationCode = "authentication_required";

export const ruledCharge = (ruling: Ruling, evidence: Evidence): GatewayOutcome => {
  if (ruling === "notSent" || ruling === "unknown") return withoutAnswer(ruling, evidence);
  const { code, message = code, declineCode, gatewayTransactionId } = evidence;
  const said = declineCode ?? (ruling === "stepUp" ? code : undefined);
  return {
    _tag: "Declined",
    ...(gatewayTransactionId === undefined ? {} : { gatewayTransactionId }),
    code: ruling === "stepUp" ? authenticationCode : evidenceText(code),
    message: evidenceText(message),
    ...(said === undefined ? {} : { declineCode: evidenceText(said) }),
    tryAnotherGateway: ruling === "moveOn",
  };
};

export const ruledOperation = (ruling: Ruling, evidence: Evidence): OperationOutcome => {
  if (ruling === "notSent" || ruling === "unknown") return withoutAnswer(ruling, evidence);
  const { code, message = code, declineCode } = evidence;
  return { _tag: "Refused", code: evidenceText(declineCode ?? code), message: evidenceText(message) };
};
