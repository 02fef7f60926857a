/**
 * What an actor does with one piece of mail. The order is law 5's: commit, arm, answer, ack; and law 1's: a call only for
 * a round that this actor has itself committed. A payment may owe several things at once: each is armed, resumed and
 * called by itself, and nothing is acked while one of them is done here and now.
 */
import { isCompleted, waitingFor } from "@aegispay/core/payment/completion";
import { rememberedOf } from "@aegispay/core/payment/identifiedCommands";
import { expirySet, intents, type GatewayIntent, type Intent } from "@aegispay/core/payment/intents";
import type { PaymentCommand } from "@aegispay/core/payment/PaymentCommand";
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
import type { Delivered, Mail, PaymentActor } from "./PaymentActor.ts";
import { timerKindOf, Timers } from "../timers/Timers.ts";

/** Why an actor stops: the first two leave its deliveries in the queue for whoever comes next. */
export type StepError = OwnershipLost | LogClosed | EventContinuityError;

export class PaymentSteps extends Context.Service<
  PaymentSteps,
  {
    /** Handles one mail. Answers the calls that are to be made now and are not yet under way. */
    readonly handle: (
      actor: PaymentActor,
      mail: Mail,
    ) => Effect.Effect<ReadonlyArray<GatewayIntent>, StepError, EventLog>;
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

const owedBy = (actor: PaymentActor): ReadonlyArray<Intent> => intents(actor.position.state);

/** Whether the round, by its version, is still what the payment owes. */
export const isOwed = (actor: PaymentActor, version: number): boolean =>
  owedBy(actor).some(({ round }) => round.version === version);

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

  const commit = Effect.fnUntraced(function* (actor: PaymentActor, command: PaymentCommand, traceparent?: string) {
    const isMine = () => !actor.dropped && ownership.holds(actor.shard);
    if (actor.position.sequence === 0) crash.reach("beforeFirstAppend", actor.payment, "ABSENT");
    const step = yield* commitDecision(addresses, actor.payment, actor.position, command, isMine, traceparent);
    actor.position = step.position;
    actor.known ||= step.committed || step.readUntil !== undefined;
    if (step.readUntil !== undefined) actor.ownedAfter = step.readUntil;
    if (step.committed) crash.reach("afterCommit", actor.payment, step.position.state.name);
    if (step.readUntil !== undefined) rememberAskers(actor);
    return step;
  });

  /** As many as its mailbox holds may wait for one payment; a further one asks again. */
  const addAsker = (actor: PaymentActor, token: string, commandId: string, replayed: boolean): void => {
    if (actor.askers.size < settings.mailboxCapacity || actor.askers.has(token))
      actor.askers.set(token, { commandId, replayed });
  };

  /** Whoever asked and has no answer yet: the token is committed with the command, so that whoever completes it answers. */
  const rememberAskers = (actor: PaymentActor): void => {
    for (const { token, commandId } of waitingFor(actor.position.state)) {
      if (!actor.askers.has(token)) addAsker(actor, token, commandId, false);
    }
  };

  /** A command that was refused by state gets that answer, for ever; any other the payment as it is now. */
  const answer = (actor: PaymentActor, token: string, commandId: string, replayed: boolean): void => {
    const { state } = actor.position;
    if (state.name === "ABSENT") return;
    const payment = viewPayment(actor.payment, state);
    const refusal = rememberedOf(state, commandId)?.refusal;
    const asker = { merchant: actor.payment.merchant, token, commandId };
    answers.answer(
      asker,
      refusal === undefined ? { ok: true, replayed, payment } : { ok: false, replayed, error: refusal, payment },
    );
  };

  const answerCompleted = (actor: PaymentActor): void => {
    for (const [token, { commandId, replayed }] of actor.askers) {
      if (!isCompleted(actor.position.state, commandId)) continue;
      actor.askers.delete(token);
      answer(actor, token, commandId, replayed);
    }
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
    actor.due.clear();
  };

  /** Reads the log before a command to a payment that is there; only a create may append without a look. */
  const readFirst = Effect.fnUntraced(function* (actor: PaymentActor, version: number) {
    const position = yield* replayTowards(addresses, actor.payment, version);
    if (position.sequence > actor.position.sequence || !actor.known) {
      actor.position = position;
      actor.known = true;
      actor.ownedAfter = position.state.version;
      rememberAskers(actor);
    }
    return position;
  });

  const onCommand = Effect.fnUntraced(function* (
    actor: PaymentActor,
    mail: Extract<Mail, { readonly _tag: "Command" }>,
  ) {
    const { delivery, command } = mail;
    if (command.type !== "Create" && !actor.known) yield* readFirst(actor, 1);
    const step = yield* commit(actor, command, traceparentOf(delivery));
    delivery.trial?.found(step.committed || owedBy(actor).length > 0);
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
    const { replyTo, commandId } = command;
    const first = state.name === "ABSENT" ? undefined : (rememberedOf(state, commandId) ?? state.order);
    const replayed = first !== undefined && first.message !== command.message;
    hold(actor, mail);
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
      const position = yield* readFirst(actor, version);
      if (position.state.version < version) return yield* notThere(actor, mail, version);
      versionMissingSince.delete(deliveryId(delivery));
    }
    // Whoever asks for this may know better than we do what has become of a timer.
    if (delivery.source === "internal") actor.armed.clear();
    actor.armed.delete(version);
    const { state } = actor.position;
    delivery.trial?.found(owedBy(actor).length > 0);
    const isExpected = isOwed(actor, version) || expirySet(state)?.version === version;
    if (delivery.source === "due" && isExpected) actor.due.add(version);
    hold(actor, mail);
  });

  const onNotified = Effect.fnUntraced(function* (actor: PaymentActor, mail: Delivered) {
    if (!actor.known) yield* readFirst(actor, 1);
    const step = yield* commit(actor, { type: "Notify", payment: actor.payment, given: calls.given() });
    mail.delivery.trial?.found(step.committed || owedBy(actor).length > 0);
    hold(actor, mail);
  });

  /**
   * Cancels the timers that this actor armed for debts which are settled, or have a later round: only once that round is
   * held by something else. An expiry that may not come yet keeps its timer.
   */
  const cancelMoot = (actor: PaymentActor): void => {
    if (actor.armed.size === 0) return;
    const expiry = expirySet(actor.position.state)?.version;
    for (const [version, kind] of actor.armed) {
      if (version === expiry || isOwed(actor, version)) continue;
      actor.armed.delete(version);
      fork(timers.cancel({ payment: actor.payment, kind, version }));
    }
  };

  const arm = Effect.fnUntraced(function* (actor: PaymentActor, debt: Intent) {
    crash.reach("beforeArming", actor.payment, actor.position.state.name);
    const { version, due } = debt.round;
    const kind = timerKindOf(debt);
    const armed = timers.arm({ payment: actor.payment, kind, version }, due);
    while ((yield* Effect.result(armed))._tag === "Failure") {
      if (actor.dropped || !ownership.holds(actor.shard)) return yield* new OwnershipLost({ payment: actor.payment });
      yield* Effect.sleep(armAgainMillis);
    }
    actor.armed.set(version, kind);
  });

  const millisUntilDue = ({ round }: Intent): number => Date.parse(round.due) - clock.currentTimeMillisUnsafe();

  /** What nothing un-acked holds must be on a timer (law 5), and what waits long; an expiry is never waited for here. */
  const waits = (actor: PaymentActor, debt: Intent): boolean => {
    if (actor.held.size === 0) return true;
    if (actor.due.has(debt.round.version)) return false;
    return debt.kind === "expiry" || millisUntilDue(debt) > settings.timerFromMillis;
  };

  /** What was tried has come to a commit, or to a wait: it did not end the process. */
  const survived = (actor: PaymentActor): void => {
    for (const { delivery } of actor.held.values()) delivery.trial?.progressed();
  };

  /** A round of our own for a debt that somebody else began (law 1). One whose timer has fired stays due. */
  const resume = Effect.fnUntraced(function* (actor: PaymentActor, { round }: GatewayIntent) {
    const given = calls.given();
    const { version } = round;
    const isDue = actor.due.has(version);
    const at = isDue ? Math.max(given.at, Date.parse(round.due)) : given.at;
    const { payment, position } = actor;
    const step = yield* commit(actor, { type: "Resume", payment, round: version, given: { ...given, at } });
    if (!isDue || step.readUntil !== undefined) return;
    actor.due.delete(version);
    for (const own of owedBy(actor)) if (own.round.version > position.state.version) actor.due.add(own.round.version);
  });

  /** Whether the debt needs a commit of our own before anything else is done about it. */
  const isForeign = (actor: PaymentActor, { round }: Intent): boolean =>
    round.version <= actor.ownedAfter && !actor.calls.has(round.version);

  /** Does what must be committed before the debt can be called; answers whether there was anything. */
  const prepare = Effect.fnUntraced(function* (actor: PaymentActor, debt: Intent) {
    if (debt.kind === "expiry") {
      const { version } = debt.round;
      yield* commit(actor, { type: "Expire", payment: actor.payment, version, given: calls.given() });
    } else if (isForeign(actor, debt)) yield* resume(actor, debt);
    else return false;
    return true;
  });

  const take = Effect.fnUntraced(function* (actor: PaymentActor, mail: Mail) {
    switch (mail._tag) {
      case "Command":
        return yield* onCommand(actor, mail);
      case "Wake":
        return yield* onWake(actor, mail);
      case "Notified":
        return yield* onNotified(actor, mail);
      case "Outcome": {
        const step = yield* commit(actor, mail.command);
        actor.calls.delete(mail.round);
        if (step.committed) survived(actor);
      }
    }
  });

  const handle = Effect.fnUntraced(function* (actor: PaymentActor, mail: Mail) {
    yield* take(actor, mail);
    for (;;) {
      const owed = owedBy(actor);
      for (const debt of owed) {
        if (waits(actor, debt) && !actor.armed.has(debt.round.version)) yield* arm(actor, debt);
      }
      const pressing = owed.filter((debt) => !waits(actor, debt));
      let isPrepared = true;
      for (const debt of pressing) {
        if (yield* prepare(actor, debt)) {
          isPrepared = false;
          break;
        }
      }
      if (!isPrepared) continue;
      cancelMoot(actor);
      answerCompleted(actor);
      if (pressing.length > 0) {
        if (pressing.every((debt) => millisUntilDue(debt) > 0)) survived(actor);
        return pressing.filter((debt) => debt.kind !== "expiry" && !actor.calls.has(debt.round.version)) as ReadonlyArray<GatewayIntent>;
      }
      // Nothing is owed, or all of it is on a durable timer.
      ackHeld(actor);
      crash.reach("afterAck", actor.payment, actor.position.state.name);
      return [];
    }
  });

  return PaymentSteps.of({ handle });
});

export const layerPaymentSteps = Layer.effect(PaymentSteps, make);
