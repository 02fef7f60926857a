/**
 * What becomes of a payment that cannot go on here: its log is halted, or it crashes whenever it is tried. Everything it
 * held is parked with the reason, whoever waits is told, other payments go on.
 */
import { isoTime } from "@aegispay/core/payment/Given";
import { reject, type Rejection } from "@aegispay/core/payment/Rejection";
import { Cause, Clock, Context, Effect, Layer } from "effect";
import { Answers } from "../answers/Answers.ts";
import { DeadLetters } from "../dead/DeadLetters.ts";
import { Parking, parkAgainMillis } from "../dead/Parking.ts";
import type { EventContinuityError } from "../log/EventLog.ts";
import { undone, type Delivered, type PaymentActor } from "./PaymentActor.ts";

export class GivingUp extends Context.Service<
  GivingUp,
  {
    /** For a log that is not continuous: the payment itself is parked too, so that an operator sees it (criterion 10). */
    readonly halt: (actor: PaymentActor, error: EventContinuityError) => Effect.Effect<void>;
    /** For a payment that has crashed as often as it may. */
    readonly park: (actor: PaymentActor, crashes: number, cause: Cause.Cause<unknown>) => Effect.Effect<void>;
    /** For one delivery of a payment that an operator must look at first. Answers whether it is parked, else it comes again. */
    readonly parkOne: (mail: Delivered, rejection: Rejection, stack?: string) => Effect.Effect<boolean>;
  }
>()("@aegispay/runtime/GivingUp") {}

const make = Effect.gen(function* () {
  const answers = yield* Answers;
  const deadLetters = yield* DeadLetters;
  const parking = yield* Parking;
  const clock = yield* Clock.Clock;

  const tell = (merchant: string, token: string, commandId: string, rejection: Rejection): void =>
    answers.answer({ merchant, token, commandId }, { ok: false, replayed: false, error: rejection });

  const parkOne = Effect.fnUntraced(function* (mail: Delivered, rejection: Rejection, stack?: string) {
    const { delivery } = mail;
    const replyTo = mail._tag === "Command" ? mail.command.replyTo : undefined;
    const body = mail._tag === "Command" ? { body: JSON.stringify(mail.command.body) } : {};
    delivery.trial?.failed();
    const parked = yield* parking.park(delivery, { rejection, ...body, ...(stack === undefined ? {} : { stack }) });
    if (parked && mail._tag === "Command" && replyTo !== undefined) {
      tell(delivery.payment.merchant, replyTo.token, mail.command.commandId, rejection);
    }
    return parked;
  });

  const parkAll = Effect.fnUntraced(function* (actor: PaymentActor, rejection: Rejection, stack?: string) {
    for (const mail of undone(actor)) yield* parkOne(mail, rejection, stack);
    for (const [token, { commandId }] of actor.askers) tell(actor.payment.merchant, token, commandId, rejection);
    actor.askers.clear();
  });

  return GivingUp.of({
    parkOne,
    park: Effect.fnUntraced(function* (actor: PaymentActor, crashes: number, cause: Cause.Cause<unknown>) {
      const defect = Cause.squash(cause);
      const what = defect instanceof Error ? `${defect.name}: ${defect.message}` : String(defect);
      yield* Effect.logError(`payment ${actor.key} crashed ${crashes} times in a row and is parked: ${what}`);
      const message = `the payment crashed ${crashes} times in a row (${what}); an operator must look at it`;
      yield* parkAll(actor, reject("Parked", message), Cause.pretty(cause));
    }),
    halt: Effect.fnUntraced(function* (actor: PaymentActor, error: EventContinuityError) {
      yield* Effect.logError(`EventContinuityError: ${error.message}; the payment is halted and parked`);
      const letter = deadLetters.park({
        payment: actor.payment,
        source: "log",
        verb: "halted",
        code: "EventContinuity",
        reason: error.reason,
        message: `${actor.key}/${actor.position.sequence}/${error.reason}`,
        at: isoTime(clock.currentTimeMillisUnsafe()),
      });
      yield* letter.pipe(
        Effect.andThen(parkAll(actor, reject("EventContinuity", error.message))),
        // Not durable: what it held stays in the queue and comes again.
        Effect.catchTag("ParkingFailed", (failed) => {
          for (const { delivery } of undone(actor)) delivery.returnLater(parkAgainMillis);
          return Effect.logWarning(`could not park ${actor.key}: ${String(failed.cause)}`);
        }),
      );
    }),
  });
});

export const layerGivingUp = Layer.effect(GivingUp, make);
