/**
 * What an actor does with one piece of mail. The order is law 5's: commit, (arm,) answer, ack; and law 1's: a call only
 * for a round that this actor has itself committed.
 */
import { intents, type Intent } from "@aegispay/core/payment/intents";
import type { Create, PaymentCommand } from "@aegispay/core/payment/PaymentCommand";
import { viewPayment } from "@aegispay/core/payment/PaymentView";
import { reject, type Rejection } from "@aegispay/core/payment/Rejection";
import type { CommandReply } from "@aegispay/core/payment/Reply";
import { Context, Effect, Layer } from "effect";
import { Answers } from "../answers/Answers.ts";
import { DeadLetters } from "../dead/DeadLetters.ts";
import { GatewayCalls } from "../effects/GatewayCalls.ts";
import type { Delivery } from "../ingress/CommandQueue.ts";
import { Refusals } from "../ingress/Refusals.ts";
import type { EventContinuityError, EventLog, LogClosed } from "../log/EventLog.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { Ownership } from "../shard/Ownership.ts";
import { commitDecision, type OwnershipLost } from "./commitDecision.ts";
import type { Held, Mail, PaymentActor } from "./PaymentActor.ts";

/** Why an actor stops: the first three leave its commands in the queue for whoever comes next. */
export type StepError = OwnershipLost | LogClosed | EventContinuityError;

export class PaymentSteps extends Context.Service<
  PaymentSteps,
  {
    /** Handles one mail. Answers the round that is now owed and not yet under way. */
    readonly handle: (actor: PaymentActor, mail: Mail) => Effect.Effect<Intent | undefined, StepError, EventLog>;
    /** Parks a halted payment, answers and acks what it held. */
    readonly halt: (actor: PaymentActor, error: EventContinuityError) => Effect.Effect<void>;
  }
>()("@aegispay/runtime/PaymentSteps") {}

const traceContext = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The trace a client is in, if what it sent is one (W3C Trace Context): it becomes a header of the log for ever. */
const traceparentOf = (delivery: Delivery): string | undefined => {
  const given = delivery.header("traceparent");
  return given !== undefined && traceContext.test(given) ? given : undefined;
};

export const roundName = (intent: Intent): string => `${intent.attempt.number}/${intent.round.round}`;

const make = Effect.gen(function* () {
  const { addresses } = yield* Deployment;
  const answers = yield* Answers;
  const refusals = yield* Refusals;
  const deadLetters = yield* DeadLetters;
  const ownership = yield* Ownership;
  const calls = yield* GatewayCalls;

  const commit = Effect.fnUntraced(function* (actor: PaymentActor, command: PaymentCommand, traceparent?: string) {
    const isMine = () => !actor.dropped && ownership.holds(actor.shard);
    const step = yield* commitDecision(addresses, actor.payment, actor.position, command, isMine, traceparent);
    actor.position = step.position;
    if (step.committed) actor.ownsRound = true;
    else if (step.replayed) actor.ownsRound = false;
    return step;
  });

  const answer = (actor: PaymentActor, held: Held): void => {
    const { replyTo, commandId } = held.command;
    const { state } = actor.position;
    if (held.answered || replyTo === undefined || state.name === "ABSENT") return;
    held.answered = true;
    const reply: CommandReply = { ok: true, replayed: held.replayed, payment: viewPayment(actor.payment, state) };
    answers.answer({ merchant: actor.payment.merchant, token: replyTo.token, commandId }, reply);
  };

  const refuse = (delivery: Delivery, command: Create, rejection: Rejection) =>
    refusals.refuse(delivery, {
      _tag: "Refused",
      rejection,
      commandId: command.commandId,
      ...(command.replyTo === undefined ? {} : { replyTo: command.replyTo }),
      body: JSON.stringify(command.body),
    });

  const onCommand = Effect.fnUntraced(function* (actor: PaymentActor, delivery: Delivery, command: Create) {
    const step = yield* commit(actor, command, traceparentOf(delivery));
    if (step.rejection !== undefined) return yield* refuse(delivery, command, step.rejection);
    const { state } = actor.position;
    const replayed = state.name !== "ABSENT" && state.order.message !== command.message;
    const before = actor.held.get(delivery.sequence);
    // Of two deliveries of one command only the later epoch's ack reaches anything.
    const latest = before !== undefined && before.delivery.epoch > delivery.epoch ? before.delivery : delivery;
    const held: Held = { delivery: latest, command, replayed, answered: before?.answered ?? false };
    actor.held.set(delivery.sequence, held);
    if (command.replyTo?.when === "accepted") answer(actor, held);
  });

  /** Nothing is owed any more: answer whoever waits, then take their commands out of the queue. */
  const settle = (actor: PaymentActor): void => {
    for (const held of actor.held.values()) answer(actor, held);
    for (const held of actor.held.values()) held.delivery.ack();
    actor.held.clear();
  };

  const handle = Effect.fnUntraced(function* (actor: PaymentActor, mail: Mail) {
    if (mail._tag === "Command") yield* onCommand(actor, mail.delivery, mail.command);
    else yield* commit(actor, mail.command);
    if (!actor.ownsRound && intents(actor.position.state).length > 0) {
      yield* commit(actor, { type: "Resume", payment: actor.payment, given: calls.given() });
    }
    const owed = intents(actor.position.state)[0];
    if (owed === undefined) {
      settle(actor);
      return undefined;
    }
    return actor.ownsRound && actor.call?.round !== roundName(owed) ? owed : undefined;
  });

  const halt = Effect.fnUntraced(function* (actor: PaymentActor, error: EventContinuityError) {
    yield* Effect.logError(`EventContinuityError: ${error.message}; the payment is halted and parked`);
    const rejection = reject("EventContinuity", error.message);
    const waiting = [...actor.held.values(), ...actor.mailbox.filter((mail) => mail._tag === "Command")];
    yield* deadLetters
      .park({
        payment: actor.payment,
        verb: "halted",
        code: "EventContinuity",
        reason: error.reason,
        message: `${actor.key}/${actor.position.sequence}/${error.reason}`,
        at: new Date(calls.given().at).toISOString(),
      })
      .pipe(
        Effect.andThen(Effect.forEach(waiting, ({ delivery, command }) => refuse(delivery, command, rejection))),
        // Not durable: the commands stay in the queue and come again.
        Effect.catchTag("ParkingFailed", (failed) =>
          Effect.logWarning(`could not park ${actor.key}: ${String(failed.cause)}`),
        ),
      );
  });

  return PaymentSteps.of({ handle, halt });
});

export const layerPaymentSteps = Layer.effect(PaymentSteps, make);
