/**
 * What an answer of the simulator proves about a charge. Source: facts/payments.md, "Retrying".
 *
 * | answer to a start              | outcome                                                                        |
 * |--------------------------------|--------------------------------------------------------------------------------|
 * | 200                            | Approved or ActionRequired, as its status says                                 |
 * | 402                            | Declined; may move on only for the reasons in `mayMoveOn`                      |
 * | 400, 413                       | Declined, not movable: the gateway refuses what it was asked, it always will   |
 * | 401, 403, 404, 405, 429        | NotSent: turned away before anything was processed. Ours to put right (key,    |
 * |                                | address, rate), so no customer's payment is failed for it                      |
 * | 409                            | Unknown: a request with this key is in flight                                  |
 * | 422                            | Unknown: the key was used with other parameters. That proves a fault of ours,  |
 * |                                | and that something may have been charged; never a decline                      |
 * | all else, unreadable answers   | Unknown                                                                        |
 *
 * Of a look-up only a readable 200 proves anything:
 *
 * | status of the charge           | outcome of the look-up                                                         |
 * |--------------------------------|--------------------------------------------------------------------------------|
 * | succeeded                      | Approved, taken: what was captured                                             |
 * | authorized, partially_captured | Approved, held: captures are operations of their own                           |
 * | requires_action                | ActionRequired, with where to send the customer                                |
 * | declined                       | Declined, with its reason                                                      |
 * | voided, expired                | Released; of a start it is Unknown, whose answer is the charge's first         |
 * | no charge under the key        | NotFound                                                                       |
 */
import type { GatewayOutcome, LookUpOutcome } from "@aegispay/core/payment/GatewayOutcome";
import { NextAction } from "@aegispay/core/payment/GatewayOutcome";
import { Option, Schema } from "effect";
import type { Exchange } from "../http/GatewayHttp.ts";
import { answered, decodeRefusal, Refusal, turnedAway, unanswered, unknown, unreadable } from "./evidence.ts";

const ChargeDocument = Schema.Struct({
  id: Schema.NonEmptyString,
  status: Schema.String,
  amount: Schema.Finite,
  currency: Schema.String,
  captured: Schema.optionalKey(Schema.Finite),
  idempotencyKey: Schema.optionalKey(Schema.String),
  nextAction: Schema.optionalKey(NextAction),
  error: Schema.optionalKey(Refusal),
});
type ChargeDocument = typeof ChargeDocument.Type;

const decodeCharge = Schema.decodeUnknownOption(Schema.fromJsonString(ChargeDocument));
const decodeCharges = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ charges: Schema.Array(ChargeDocument) })),
);

/** Declines that another gateway may overcome: the issuer or the network failed, it did not say no. */
const mayMoveOn: ReadonlySet<string> = new Set(["try_again_later", "processing_error", "issuer_not_available"]);

const declined = (refusal: typeof Refusal.Type, gatewayTransactionId: string | undefined) => ({
  _tag: "Declined" as const,
  ...(gatewayTransactionId === undefined ? {} : { gatewayTransactionId }),
  code: refusal.code,
  message: refusal.message ?? refusal.code,
  ...(refusal.declineCode === undefined ? {} : { declineCode: refusal.declineCode }),
  tryAnotherGateway: refusal.declineCode !== undefined && mayMoveOn.has(refusal.declineCode),
});

const isAbout = (charge: ChargeDocument, idempotencyKey: string): boolean =>
  charge.idempotencyKey === undefined || charge.idempotencyKey === idempotencyKey;

/** What a charge says about the request that made it. Amount and currency go on as they came: the core compares them. */
const outcomeOf = (charge: ChargeDocument, idempotencyKey: string) => {
  if (!isAbout(charge, idempotencyKey)) {
    return unknown(`the answer is about another key's charge, ${charge.id}`);
  }
  const approved = (status: "authorized" | "succeeded", value: number) => ({
    _tag: "Approved" as const,
    gatewayTransactionId: charge.id,
    status,
    amount: { value, currency: charge.currency },
  });
  switch (charge.status) {
    case "succeeded":
      return approved("succeeded", charge.captured ?? charge.amount);
    // Captures of an authorization are operations of their own; what started it was an authorization.
    case "authorized":
    case "partially_captured":
      return approved("authorized", charge.amount);
    case "requires_action":
      return charge.nextAction === undefined
        ? unknown(`charge ${charge.id} needs an action but names none`)
        : { _tag: "ActionRequired" as const, gatewayTransactionId: charge.id, nextAction: charge.nextAction };
    case "declined":
      return charge.error === undefined
        ? unknown(`charge ${charge.id} is declined without a reason`)
        : declined(charge.error, charge.id);
    default:
      return unknown(`charge ${charge.id} has the status ${JSON.stringify(charge.status)}`);
  }
};

export const readStartAnswer = (exchange: Exchange, idempotencyKey: string): GatewayOutcome => {
  if (exchange._tag === "NotSent") return exchange;
  if (exchange._tag === "NoAnswer") return unknown(exchange.reason);
  const { status, body } = exchange;
  const away = turnedAway(exchange);
  if (away !== undefined) return away;
  if (status === 200) {
    const charge = decodeCharge(body);
    return Option.isSome(charge) ? outcomeOf(charge.value, idempotencyKey) : unreadable(exchange);
  }
  if (status === 402 || status === 400 || status === 413) {
    const refusal = decodeRefusal(body);
    return refusal === undefined ? unreadable(exchange) : declined(refusal, refusal.charge);
  }
  return unknown(`${answered(exchange)}${status === 422 ? ": the key was used with other parameters" : ""}`);
};

export const readLookUpAnswer = (exchange: Exchange, idempotencyKey: string): LookUpOutcome => {
  if (exchange._tag !== "Answered") return unknown(exchange.reason);
  if (exchange.status !== 200) return unanswered(exchange);
  const list = decodeCharges(exchange.body);
  if (Option.isNone(list)) return unreadable(exchange);
  const [charge, ...others] = list.value.charges;
  if (charge === undefined) return { _tag: "NotFound" };
  if (others.length > 0) return unknown(`${others.length + 1} charges under one key`);
  const isReleased = charge.status === "voided" || charge.status === "expired";
  return isReleased && isAbout(charge, idempotencyKey)
    ? { _tag: "Released", gatewayTransactionId: charge.id }
    : outcomeOf(charge, idempotencyKey);
};
