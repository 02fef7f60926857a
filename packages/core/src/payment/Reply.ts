/** What a node answers to a command or a query (CONTRACT, "A command"). */
import { Schema } from "effect";
import { PaymentEvent } from "./PaymentEvent.ts";
import { PaymentView } from "./PaymentView.ts";
import { Rejection } from "./Rejection.ts";

export const CommandReply = Schema.Union([
  Schema.Struct({ ok: Schema.Literal(true), replayed: Schema.Boolean, payment: PaymentView }),
  Schema.Struct({
    ok: Schema.Literal(false),
    replayed: Schema.Boolean,
    error: Rejection,
    payment: Schema.optionalKey(PaymentView),
  }),
]);
export type CommandReply = typeof CommandReply.Type;

export const QueryBody = Schema.Struct({
  minVersion: Schema.optionalKey(Schema.Int),
  from: Schema.optionalKey(Schema.Int),
  commandId: Schema.optionalKey(Schema.String),
});
export type QueryBody = typeof QueryBody.Type;

/** `remembered` answers a query that named a command id. */
export const PaymentReply = Schema.Union([
  Schema.Struct({
    ok: Schema.Literal(true),
    payment: PaymentView,
    remembered: Schema.optionalKey(Schema.Boolean),
  }),
  Schema.Struct({ ok: Schema.Literal(false), error: Rejection }),
]);
export type PaymentReply = typeof PaymentReply.Type;

/** `next`: the version to ask for with `from` for the following page. */
export const EventsReply = Schema.Union([
  Schema.Struct({
    ok: Schema.Literal(true),
    events: Schema.Array(PaymentEvent),
    next: Schema.optionalKey(Schema.Int),
  }),
  Schema.Struct({ ok: Schema.Literal(false), error: Rejection }),
]);
export type EventsReply = typeof EventsReply.Type;
