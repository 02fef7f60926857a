/** Answers a query from the log itself: any node can, whoever owns the payment. */
import type { AddressBook } from "@aegispay/core/addresses/AddressBook";
import { isToken, type PaymentRef } from "@aegispay/core/identity/Identity";
import { rememberedOf } from "@aegispay/core/payment/identifiedCommands";
import type { PaymentEvent } from "@aegispay/core/payment/PaymentEvent";
import type { ExistingPayment } from "@aegispay/core/payment/PaymentState";
import { viewPayment } from "@aegispay/core/payment/PaymentView";
import { reject, type Rejection, type RejectionCode } from "@aegispay/core/payment/Rejection";
import { QueryBody, type EventsReply, type PaymentReply } from "@aegispay/core/payment/Reply";
import { Effect, Option, Schema } from "effect";
import { replay } from "../log/replay.ts";

/** A page of events, in bytes of JSON: below what one NATS message holds. */
const pageBytes = 900 * 1024;
/** How often a log that has not reached `minVersion` is read again, and how long it is waited for. */
const minVersionPauseMillis = 50;
const minVersionTries = 40;

type Answered = PaymentReply | EventsReply;

const refused = (code: RejectionCode, message: string): { readonly ok: false; readonly error: Rejection } => ({
  ok: false,
  error: reject(code, message),
});

const decodeBody = Schema.decodeUnknownOption(Schema.fromJsonString(QueryBody), { onExcessProperty: "error" });

const readBody = (data: Uint8Array): Option.Option<QueryBody> =>
  data.length === 0 ? Option.some({}) : decodeBody(Buffer.from(data).toString("utf8"));

/** Whether a command of this identity, or of this stream position, is in the payment's log. */
const remembers = (state: ExistingPayment, commandId: string): boolean =>
  state.order.commandId === commandId || rememberedOf(state, commandId) !== undefined;

const page = (all: ReadonlyArray<PaymentEvent>, from: number): EventsReply => {
  const events: Array<PaymentEvent> = [];
  let bytes = 0;
  for (const event of all) {
    if (event.version < from) continue;
    bytes += Buffer.byteLength(JSON.stringify(event)) + 1;
    if (events.length > 0 && bytes > pageBytes) return { ok: true, events, next: event.version };
    events.push(event);
  }
  return { ok: true, events };
};

const readFrom = Effect.fnUntraced(function* (addresses: AddressBook, payment: PaymentRef, minVersion: number) {
  for (let tries = 0; ; tries++) {
    const replayed = yield* replay(addresses, payment);
    if (replayed.state.version >= minVersion) return replayed;
    if (tries >= minVersionTries) return undefined;
    yield* Effect.sleep(minVersionPauseMillis);
  }
});

export const answerQuery = Effect.fnUntraced(
  function* (addresses: AddressBook, payment: PaymentRef, kind: string, data: Uint8Array) {
    if (!isToken(payment.merchant) || !isToken(payment.paymentId)) {
      return refused("InvalidCommand", "merchant and payment id have 1 to 128 characters of [A-Za-z0-9_-]") as Answered;
    }
    if (kind !== "get" && kind !== "events") return refused("InvalidCommand", "a query is get or events") as Answered;
    const body = Option.getOrUndefined(readBody(data));
    if (body === undefined) {
      return refused("InvalidCommand", `a query's body is empty or {"minVersion"?, "from"?, "commandId"?}`) as Answered;
    }
    const minVersion = body.minVersion ?? 0;
    const replayed = yield* readFrom(addresses, payment, minVersion);
    if (replayed === undefined)
      return refused("Overloaded", `version ${minVersion} is not there yet: ask again`) as Answered;
    const { state } = replayed;
    if (state.name === "ABSENT") {
      return refused("PaymentNotFound", `there is no payment ${payment.merchant}/${payment.paymentId}`) as Answered;
    }
    if (kind === "events") return page(replayed.events, body.from ?? 1) as Answered;
    const remembered = body.commandId === undefined ? {} : { remembered: remembers(state, body.commandId) };
    return { ok: true, payment: viewPayment(payment, state), ...remembered } as Answered;
  },
  Effect.catchTags({
    EventContinuityError: (error) => Effect.succeed(refused("EventContinuity", error.message) as Answered),
    LogUnavailable: () => Effect.succeed(refused("Overloaded", "the log gives no answer now: ask again") as Answered),
  }),
);
