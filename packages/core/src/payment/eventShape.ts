/** What every event of a log looks like, and the parts that several kinds of events share. */
import { Schema } from "effect";

/** ISO 8601. */
export const Moment = Schema.String.check(
  Schema.makeFilter((text: string) => (Number.isFinite(Date.parse(text)) ? undefined : "no moment in time")),
);

/** Money as it stands in a log: without today's list of currencies. */
export const RecordedMoney = Schema.Struct({ value: Schema.Int, currency: Schema.String });
export type RecordedMoney = typeof RecordedMoney.Type;

export const event = <Name extends string, Data extends Schema.Struct.Fields>(type: Name, data: Data) =>
  Schema.Struct({
    version: Schema.Int,
    type: Schema.Literal(type),
    at: Moment,
    data: Schema.Struct(data),
  });

export const ReplyTo = Schema.Struct({ token: Schema.String, when: Schema.Literals(["accepted", "completed"]) });
export type ReplyTo = typeof ReplyTo.Type;

export const Failure = Schema.Struct({
  code: Schema.String,
  message: Schema.String,
  declineCode: Schema.optionalKey(Schema.String),
});
export type Failure = typeof Failure.Type;

/**
 * The command an event answers to, as it is remembered: no body, only its hash. `message` is the stream position it came
 * by: a redelivery has the same, a repeat has another.
 */
export const CommandRecord = Schema.Struct({
  commandId: Schema.String,
  verb: Schema.String,
  message: Schema.String,
  hash: Schema.String,
  replyTo: Schema.optionalKey(ReplyTo),
});
export type CommandRecord = typeof CommandRecord.Type;

/** What an event is about: an attempt, or a capture, void or refund, by its number. */
export const About = Schema.Union([Schema.Struct({ attempt: Schema.Int }), Schema.Struct({ operation: Schema.Int })]);
export type About = typeof About.Type;

export const LookUpAction = Schema.Literals(["lookUp", "resend"]);

/** Present where what is spoken of was never tried: a breaker, a limit or a full gateway kept it in this process. */
export const HeldBack = Schema.optionalKey(Schema.Literal(true));
