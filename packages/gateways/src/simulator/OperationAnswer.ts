/**
 * What an answer of the simulator proves about a capture, a void or a refund. Source: facts/payments.md, "Retrying".
 *
 * | answer to an operation         | outcome                                                                        |
 * |--------------------------------|--------------------------------------------------------------------------------|
 * | 200                            | Done, if the charge lists the operation of this very key as succeeded          |
 * | 402                            | Refused: a bank said no, and the gateway remembers it                          |
 * | 400, 413                       | Refused: the charge has nothing left for it, or the gateway cannot read it     |
 * | 401, 403, 404, 405, 429        | NotSent: turned away before anything was processed. A charge that "is not      |
 * |                                | there" means a wrong address or account, not that it holds nothing             |
 * | 409                            | Unknown: a request with this key is in flight                                  |
 * | 422                            | Unknown: the key was used with other parameters, so something may have moved   |
 * | all else, unreadable answers   | Unknown                                                                        |
 *
 * Of a look-up only a readable 200 proves anything:
 *
 * | operation under the key        | outcome of the look-up                                                         |
 * |--------------------------------|--------------------------------------------------------------------------------|
 * | succeeded                      | Done                                                                           |
 * | failed                         | Refused                                                                        |
 * | reversed                       | Reversed: it was done and has come back                                        |
 * | none                           | NotFound; a request that is still under way is found by nobody                 |
 * | another kind, another charge   | Unknown: a fault of ours or of the gateway, never evidence                     |
 *
 * Amount and currency go on as they came: the core compares them.
 */
import type { OperationLookUpOutcome, OperationOutcome } from "@aegispay/core/payment/GatewayOutcome";
import { Option, Schema } from "effect";
import type { OperationRequest } from "../Gateway.ts";
import type { Exchange } from "../http/GatewayHttp.ts";
import { answered, decodeRefusal, Refusal, turnedAway, unanswered, unknown, unreadable } from "./evidence.ts";

const OperationDocument = Schema.Struct({
  id: Schema.NonEmptyString,
  charge: Schema.String,
  key: Schema.String,
  kind: Schema.String,
  amount: Schema.Finite,
  currency: Schema.String,
  status: Schema.String,
  error: Schema.optionalKey(Refusal),
});
type OperationDocument = typeof OperationDocument.Type;

const decodeOperations = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ operations: Schema.Array(OperationDocument) })),
);

const refused = ({ code, message }: typeof Refusal.Type) =>
  ({ _tag: "Refused", code, message: message ?? code }) as const;

const moved = <Tag extends "Done" | "Reversed">(tag: Tag, { id, amount, currency }: OperationDocument) => ({
  _tag: tag,
  operationId: id,
  amount: { value: amount, currency },
});

/** What speaks against taking the document for the operation that was asked for. */
const whyNotOurs = (operation: OperationDocument, request: OperationRequest): string | undefined => {
  const { kind, gatewayTransactionId, idempotencyKey } = request;
  if (operation.key !== idempotencyKey) return `the answer is about another key's operation, ${operation.id}`;
  if (operation.charge !== gatewayTransactionId) return `the key's operation is of another charge, ${operation.charge}`;
  return operation.kind === kind ? undefined : `the key's operation is a ${operation.kind}, not a ${kind}`;
};

const outcomeOf = (
  operation: OperationDocument,
  request: OperationRequest,
): Exclude<OperationLookUpOutcome, { readonly _tag: "NotFound" }> => {
  const objection = whyNotOurs(operation, request);
  if (objection !== undefined) return unknown(objection);
  switch (operation.status) {
    case "succeeded":
      return moved("Done", operation);
    case "reversed":
      return moved("Reversed", operation);
    case "failed":
      return operation.error === undefined
        ? unknown(`operation ${operation.id} failed without a reason`)
        : refused(operation.error);
    default:
      return unknown(`operation ${operation.id} has the status ${JSON.stringify(operation.status)}`);
  }
};

export const readOperationAnswer = (exchange: Exchange, request: OperationRequest): OperationOutcome => {
  if (exchange._tag === "NotSent") return exchange;
  if (exchange._tag === "NoAnswer") return unknown(exchange.reason);
  const { status, body } = exchange;
  const away = turnedAway(exchange);
  if (away !== undefined) return away;
  if (status === 200) {
    const charge = decodeOperations(body);
    if (Option.isNone(charge)) return unreadable(exchange);
    const operation = charge.value.operations.find(({ key }) => key === request.idempotencyKey);
    if (operation === undefined) return unknown("the charge in the answer does not list the operation");
    const outcome = outcomeOf(operation, request);
    return outcome._tag === "Reversed" ? unknown(`operation ${operation.id} has been reversed`) : outcome;
  }
  if (status === 402 || status === 400 || status === 413) {
    const refusal = decodeRefusal(body);
    return refusal === undefined ? unreadable(exchange) : refused(refusal);
  }
  return unknown(`${answered(exchange)}${status === 422 ? ": the key was used with other parameters" : ""}`);
};

export const readOperationLookUp = (exchange: Exchange, request: OperationRequest): OperationLookUpOutcome => {
  if (exchange._tag !== "Answered") return unknown(exchange.reason);
  if (exchange.status !== 200) return unanswered(exchange);
  const list = decodeOperations(exchange.body);
  if (Option.isNone(list)) return unreadable(exchange);
  const [operation, ...others] = list.value.operations;
  if (operation === undefined) return { _tag: "NotFound" };
  if (others.length > 0) return unknown(`${others.length + 1} operations under one key`);
  return outcomeOf(operation, request);
};
