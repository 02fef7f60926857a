/**
 * What an actor does with one piece of mail. The order is law 5's: commit, arm, answer, ack; and law 1's: a call only for
 * a round that this actor has itself committed.
 */
import { intents, type Intent } from "@aegispay/core/payment/intents";
import type { PaymentCommand } from "@aegispay/core/payment/PaymentCommand";
import { isAtRest } from "@aegispay/core/payment/PaymentState";
import { reject } from "@aegispay/core/payment/Rejection";
import { viewPayment } from "@aegispay/core/payment/PaymentView";
import { Clock, Context, Effect, Layer } from "effect";
import { Answers } from "../answers/Answers.ts";
import { Settings } from "../config/RuntimeSettings.ts";
import { GatewayCalls } from "../effects/GatewayCalls.ts";
import { deliveryId, type Delivery } from "../ingress/CommandQueue.ts";
import { Refusals } from "../ingress/Refusals.ts";
import type { EventContinuityError, EventLog, LogClosed } from "../log/EventLog.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { CrashPoints } from "../seam/CrashPoints.ts";
import { Ownership } from "../shard/Ownership.ts";
import { commitDecision, OwnershipLost, replayTowards } from "./commitDecision.ts";
import { GivingUp } from "./GivingUp.ts";
import { roundName, type Delivered, type Mail, type PaymentActor } from "./PaymentActor.ts";
import { Timers, type Timer } from "../timers/Timers.ts";

/** Why an actor stops: the first two leave its deliveries in the queue for whoever comes next. */
export type StepError = OwnershipLost | LogClosed | EventContinuityError;

export class PaymentSteps extends Context.Service<
  PaymentSteps,
  {
    /** Handles one mail. Answers the round that is now owed and not yet under way. */
    readonly handle: (actor: PaymentActor, mail: Mail) => Effect.Effect<Intent | undefined, StepError, EventLog>;
  }
>()("@aegispay/runtime/PaymentSteps") {}

const traceContext = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Before a log that does not hold a timer's version is asked for it again, in milliseconds. */
const versionMissingPauseMillis = 1_000;
/** Timers of that kind that are remembered; more would be nothing but an attack, and wait for ever. */
const versionsMissingMax = 1_000;

/** Before a timer that is not known to be durable is armed again, in milliseconds. */
const armAgainMillis = 200;

/** The trace a client is in, if what it sent is one (W3C Trace Context): it becomes a header of the log for ever. */
const traceparentOf = (delivery: Delivery): string | undefined => {
  const given = delivery.header("traceparent");
  return given !== undefined && traceContext.test(given) ? given : undefined;
};

const make = Effect.gen(function* () {
  const { addresses } = yield* Deployment;
  const settings = yield* Settings;
  const clock = yield* Clock.Clock;
  const answers = yield* Answers;
  const refusals = yield* Refusals;
  const ownership = yield* Ownership;
  const calls = yield* GatewayCalls;
  const timers = yield* Timers;
  const crash = yield* CrashPoints;
  const givingUp = yield* GivingUp;
  /** Due timers whose version the log did not hold, by delivery, since when. */
  const versionMissingSince = new Map<string, number>();
  const fork = Effect.runForkWith(yield* Effect.context());

  const owedBy = (actor: PaymentActor): Intent | undefined => intents(actor.position.state)[0];
  const timerOf = (actor: PaymentActor, version: number): Timer => ({ payment: actor.payment, kind: "round", version });

  const commit = Effect.fnUntraced(function* (actor: PaymentActor, command: PaymentCommand, traceparent?: string) {
    const isMine = () => !actor.dropped && ownership.holds(actor.shard);
    if (actor.position.sequence === 0) crash.reach("beforeFirstAppend", actor.payment, "ABSENT");
    const step = yield* commitDecision(addresses, actor.payment, actor.position, command, isMine, traceparent);
    actor.position = step.position;
    actor.known ||= step.committed || step.replayed;
    if (step.committed) {
      actor.ownsRound = true;
      crash.reach("afterCommit", actor.payment, step.position.state.name);
    } else if (step.replayed) actor.ownsRound = false;
    if (step.replayed) rememberFirstAsker(actor);
    return step;
  });

  /** As many as its mailbox holds may wait for one payment; a further one asks again. */
  const addAsker = (actor: PaymentActor, token: string, commandId: string, replayed: boolean): void => {
    if (actor.askers.size < settings.mailboxCapacity || actor.askers.has(token))
      actor.askers.set(token, { commandId, replayed });
  };

  /** Whoever created the payment: the token is committed with it, so that whoever completes it answers. */
  const rememberFirstAsker = (actor: PaymentActor): void => {
    const { state } = actor.position;
    if (state.name === "ABSENT" || isAtRest(state) || state.order.replyTo?.when !== "completed") return;
    addAsker(actor, state.order.replyTo.token, state.order.commandId, false);
  };

  const answer = (actor: PaymentActor, token: string, commandId: string, replayed: boolean): void => {
    const { state } = actor.position;
    if (state.name === "ABSENT") return;
    const payment = viewPayment(actor.payment, state);
    answers.answer({ merchant: actor.payment.merchant, token, commandId }, { ok: true, replayed, payment });
  };

  const answerIfAtRest = (actor: PaymentActor): void => {
    if (!isAtRest(actor.position.state)) return;
    for (const [token, { commandId, replayed }] of actor.askers) answer(actor, token, commandId, replayed);
    actor.askers.clear();
  };

  const hold = (actor: PaymentActor, mail: Delivered): void => {
    const id = deliveryId(mail.delivery);
    const before = actor.held.get(id);
    // Of two deliveries of one message only the later epoch's ack reaches anything.
    if (before === undefined || before.delivery.epoch <= mail.delivery.epoch) actor.held.set(id, mail);
  };

  const ackHeld = (actor: PaymentActor): void => {
    for (const { delivery } of actor.held.values()) delivery.ack();
    actor.held.clear();
  };

  const onCommand = Effect.fnUntraced(function* (
    actor: PaymentActor,
    mail: Extract<Mail, { readonly _tag: "Command" }>,
  ) {
    const { delivery, command } = mail;
    const step = yield* commit(actor, command, traceparentOf(delivery));
    delivery.trial?.found(step.committed || owedBy(actor) !== undefined);
    if (step.rejection !== undefined) {
      return yield* refusals.refuse(delivery, {
        _tag: "Refused",
        rejection: step.rejection,
        commandId: command.commandId,
        ...(command.replyTo === undefined ? {} : { replyTo: command.replyTo }),
        body: JSON.stringify(command.body),
      });
    }
    const { state } = actor.position;
    const replayed = state.name !== "ABSENT" && state.order.message !== command.message;
    hold(actor, mail);
    const { replyTo, commandId } = command;
    if (replyTo?.when === "accepted") answer(actor, replyTo.token, commandId, replayed);
    else if (replyTo !== undefined) addAsker(actor, replyTo.token, commandId, replayed);
  });

  /** The log does not hold what armed the timer: asked again later, outside of the mailbox, and parked in the end. */
  const notThere = Effect.fnUntraced(function* (actor: PaymentActor, mail: Delivered, version: number) {
    const id = deliveryId(mail.delivery);
    const now = clock.currentTimeMillisUnsafe();
    const since = versionMissingSince.get(id) ?? now;
    if (versionMissingSince.size < versionsMissingMax) versionMissingSince.set(id, since);
    if (now - since < settings.lossConfirmMillis) return mail.delivery.returnLater(versionMissingPauseMillis);
    versionMissingSince.delete(id);
    const reason = `version ${version} armed a timer, the log ends at ${actor.position.state.version}`;
    yield* Effect.logError(`EventContinuityError: payment ${actor.key}: ${reason}; the timer is parked`);
    yield* givingUp.parkOne(mail, reject("EventContinuity", reason));
  });

  const onWake = Effect.fnUntraced(function* (actor: PaymentActor, mail: Extract<Mail, { readonly _tag: "Wake" }>) {
    const { delivery } = mail;
    // What armed the timer is in the log, so a replay that does not reach it is stale.
    const version = delivery.version ?? 0;
    if (!actor.known || actor.position.state.version < version) {
      const position = yield* replayTowards(addresses, actor.payment, version);
      if (position.sequence > actor.position.sequence || !actor.known) {
        actor.position = position;
        actor.known = true;
        actor.ownsRound = false;
        rememberFirstAsker(actor);
      }
      if (position.state.version < version) return yield* notThere(actor, mail, version);
      versionMissingSince.delete(deliveryId(delivery));
    }
    // Whoever asks for this may know better than we do what has become of a timer.
    if (delivery.source === "internal") actor.armed = undefined;
    const owed = owedBy(actor);
    delivery.trial?.found(owed !== undefined);
    if (delivery.source === "due" && owed?.round.version === version) actor.due = version;
    hold(actor, mail);
  });

  /**
   * Cancels the timer that this actor armed for a debt which is settled, or has a later round: only once that round is
   * held by something else.
   */
  const cancelMoot = (actor: PaymentActor, owed: Intent | undefined): void => {
    for (const version of actor.moot) if (version !== actor.due) fork(timers.cancel(timerOf(actor, version)));
    actor.moot.clear();
    const { armed } = actor;
    if (armed === undefined || armed === owed?.round.version) return;
    actor.armed = undefined;
    if (actor.due !== armed) fork(timers.cancel(timerOf(actor, armed)));
  };

  const arm = Effect.fnUntraced(function* (actor: PaymentActor, { round }: Intent) {
    crash.reach("beforeArming", actor.payment, actor.position.state.name);
    const armed = timers.arm(timerOf(actor, round.version), round.due);
    while ((yield* Effect.result(armed))._tag === "Failure") {
      if (actor.dropped || !ownership.holds(actor.shard)) return yield* new OwnershipLost({ payment: actor.payment });
      yield* Effect.sleep(armAgainMillis);
    }
    if (actor.armed !== undefined) actor.moot.add(actor.armed);
    actor.armed = round.version;
  });

  const millisUntilDue = ({ round }: Intent): number => Date.parse(round.due) - clock.currentTimeMillisUnsafe();
  const waitsLong = (actor: PaymentActor, owed: Intent): boolean =>
    actor.due !== owed.round.version && millisUntilDue(owed) > settings.timerFromMillis;

  /** What was tried has come to a commit, or to a wait: it did not end the process. */
  const survived = (actor: PaymentActor): void => {
    for (const { delivery } of actor.held.values()) delivery.trial?.progressed();
  };

  /** A round of our own for a debt that somebody else began (law 1). One whose timer has fired stays due. */
  const resume = Effect.fnUntraced(function* (actor: PaymentActor, owed: Intent) {
    const given = calls.given();
    const isDue = actor.due === owed.round.version;
    const at = isDue ? Math.max(given.at, Date.parse(owed.round.due)) : given.at;
    const step = yield* commit(actor, { type: "Resume", payment: actor.payment, given: { ...given, at } });
    if (isDue && !step.replayed) actor.due = owedBy(actor)?.round.version;
  });

  const handle = Effect.fnUntraced(function* (actor: PaymentActor, mail: Mail) {
    if (mail._tag === "Command") yield* onCommand(actor, mail);
    else if (mail._tag === "Wake") yield* onWake(actor, mail);
    else {
      const step = yield* commit(actor, mail.command);
      actor.call = undefined;
      if (step.committed) survived(actor);
    }
    for (;;) {
      const owed = owedBy(actor);
      // What nothing un-acked holds must be on a timer before anything else is done about it (law 5).
      if (owed !== undefined && (waitsLong(actor, owed) || actor.held.size === 0)) {
        if (actor.armed !== owed.round.version) yield* arm(actor, owed);
      } else if (owed !== undefined) {
        if (actor.call?.round === roundName(owed)) return undefined;
        if (!actor.ownsRound) {
          yield* resume(actor, owed);
          continue;
        }
        cancelMoot(actor, owed);
        answerIfAtRest(actor);
        if (millisUntilDue(owed) > 0) survived(actor);
        return owed;
      }
      cancelMoot(actor, owed);
      // Nothing is owed, or all of it is on a durable timer.
      answerIfAtRest(actor);
      ackHeld(actor);
      crash.reach("afterAck", actor.payment, actor.position.state.name);
      return undefined;
    }
  });

  return PaymentSteps.of({ handle });
});

export const layerPaymentSteps = Layer.effect(PaymentSteps, make);
