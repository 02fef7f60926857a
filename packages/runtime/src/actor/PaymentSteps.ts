/**
 * What an actor does with one piece of mail. The order is law 5's: commit, arm, answer, ack; and law 1's: a call only for
 * a round that this actor has itself committed. A payment may owe several things at once: each is armed, resumed and
 * called by itself, and nothing is acked while one of them is done here and now.
 */
import { rememberedOf } from "@aegispay/core/payment/identifiedCommands";
import { expirySet, type GatewayIntent, type Intent } from "@aegispay/core/payment/intents";
import { isAboutOurs } from "@aegispay/core/payment/notification";
import type { Create, PaymentCommand, Recorded } from "@aegispay/core/payment/PaymentCommand";
import { behindReview } from "@aegispay/core/payment/PaymentState";
import { reject } from "@aegispay/core/payment/Rejection";
import { Clock, Context, Effect, Layer } from "effect";
import { Settings } from "../config/RuntimeSettings.ts";
import { GatewayCalls } from "../effects/GatewayCalls.ts";
import { HookCalls } from "../hooks/HookCalls.ts";
import { deliveryId, type Delivery } from "../ingress/CommandQueue.ts";
import { makeDeferredCreates } from "../ingress/deferredCreates.ts";
import { Refusals } from "../ingress/Refusals.ts";
import type { EventContinuityError, EventLog, LogClosed } from "../log/EventLog.ts";
import { count, metric } from "../metrics/Metrics.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { CrashPoints } from "../seam/CrashPoints.ts";
import { Ownership } from "../shard/Ownership.ts";
import { makeWaitingNotifications } from "../webhooks/waitingNotifications.ts";
import type { NotifyBody } from "../webhooks/NotifyBody.ts";
import { makeAskers } from "./askers.ts";
import { commitDecision, OwnershipLost, replayTowards } from "./commitDecision.ts";
import { isOwed, makeDebtTimers, owedBy } from "./debtTimers.ts";
import { GivingUp } from "./GivingUp.ts";
import type { Delivered, Mail, PaymentActor } from "./PaymentActor.ts";

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

/** Notifications that are remembered while a call is under way: more say no more. */
const notifiedMeanwhileMax = 8;
/** Before a log that does not hold a timer's version is asked for it again, in milliseconds. */
const versionMissingPauseMillis = 1_000;
/** Timers of that kind that are remembered; more would be nothing but an attack, and wait for ever. */
const versionsMissingMax = 1_000;

/** The trace a client is in, if what it sent is one (W3C Trace Context): it becomes a header of the log for ever. */
const traceparentOf = (delivery: Delivery): string | undefined => {
  const given = delivery.header("traceparent");
  return given !== undefined && traceContext.test(given) ? given : undefined;
};

/** Whether anything is still to be done for it; that it will expire one day is nothing, unless that day has come. */
const isUnfinished = (actor: PaymentActor): boolean =>
  actor.due.size > 0 || owedBy(actor).some(({ kind }) => kind !== "expiry");

const make = Effect.gen(function* () {
  const { addresses } = yield* Deployment;
  const settings = yield* Settings;
  const clock = yield* Clock.Clock;
  const askers = yield* makeAskers;
  const debtTimers = yield* makeDebtTimers;
  const refusals = yield* Refusals;
  const deferredCreates = yield* makeDeferredCreates;
  const ownership = yield* Ownership;
  const calls = yield* GatewayCalls;
  const crash = yield* CrashPoints;
  const givingUp = yield* GivingUp;
  const hooks = yield* HookCalls;
  const waiting = yield* makeWaitingNotifications;
  /** Due timers whose version the log did not hold, by delivery, since when. */
  const versionMissingSince = new Map<string, number>();

  const commit = Effect.fnUntraced(function* (actor: PaymentActor, command: PaymentCommand, traceparent?: string) {
    const isMine = () => !actor.dropped && ownership.holds(actor.shard);
    if (actor.position.sequence === 0) crash.reach("beforeFirstAppend", actor.payment, "ABSENT");
    const step = yield* commitDecision(addresses, actor.payment, actor.position, command, isMine, traceparent);
    actor.position = step.position;
    actor.known ||= step.committed || step.readUntil !== undefined;
    if (step.readUntil !== undefined) actor.ownedAfter = step.readUntil;
    if (step.committed) {
      crash.reach("afterCommit", actor.payment, step.position.state.name);
      hooks.committed(actor.payment, step.position.state.name, step.events ?? []);
    }
    if (step.readUntil !== undefined) askers.remember(actor);
    return step;
  });

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
    actor.headIsAcked = true;
  };

  /** Reads the log before a command to a payment that is there; only a create may append without a look. */
  const readFirst = Effect.fnUntraced(function* (actor: PaymentActor, version: number) {
    const position = yield* replayTowards(addresses, actor.payment, version);
    if (position.sequence > actor.position.sequence || !actor.known) {
      actor.position = position;
      actor.known = true;
      const { version: readUntil } = position.state;
      // Where the log stands as it was left, what this process announced then is still its own, and still untried.
      actor.ownedAfter = actor.released?.version === readUntil ? actor.released.ownedAfter : readUntil;
      actor.released = undefined;
      askers.remember(actor);
    }
    return position;
  });

  /** Asks the hooks about a payment that has not begun. Undefined: it is parked, and nothing of it begins. */
  const judged = Effect.fnUntraced(function* (actor: PaymentActor, mail: Delivered, command: Create) {
    if (!actor.known) yield* readFirst(actor, 0);
    if (actor.position.state.name !== "ABSENT") return command;
    const judgement = yield* hooks.judge(command, calls.given().candidates);
    if (actor.dropped || !ownership.holds(actor.shard)) return yield* new OwnershipLost({ payment: actor.payment });
    if (judgement._tag === "Judged") return { ...command, verdicts: judgement.verdicts, given: calls.given() };
    yield* givingUp.parkOne(mail, reject("Parked", judgement.reason));
    return undefined;
  });

  /** What of its debts waits on durable timers. */
  const waitingOf = (actor: PaymentActor): ReadonlyArray<Intent> =>
    owedBy(actor).filter((debt) => debtTimers.waits(actor, debt));

  const onCommand = Effect.fnUntraced(function* (
    actor: PaymentActor,
    mail: Extract<Mail, { readonly _tag: "Command" }>,
  ) {
    const { delivery } = mail;
    const { command: given } = mail;
    const command = given.type === "Create" && hooks.areAsked() ? yield* judged(actor, mail, given) : given;
    if (command === undefined) return;
    if (command.type !== "Create" && !actor.known) yield* readFirst(actor, 1);
    const step = yield* commit(actor, command, traceparentOf(delivery));
    delivery.trial?.found(step.committed || isUnfinished(actor));
    if (step.rejection !== undefined) {
      // A refusal acks: what this payment owes all the same is armed first (law 5).
      yield* debtTimers.armWaiting(actor, waitingOf(actor));
      if (command.type === "Create" && deferredCreates.isDeferred(delivery, command, step.rejection)) {
        return yield* deferredCreates.defer(delivery);
      }
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
    if (replyTo?.when === "accepted") askers.answer(actor, replyTo.token, commandId, replayed);
    else if (replyTo !== undefined) askers.add(actor, replyTo.token, commandId, replayed);
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
    const isExpected = isOwed(actor, version) || expirySet(actor.position.state)?.version === version;
    if (delivery.source === "due" && isExpected) actor.due.add(version);
    delivery.trial?.found(isUnfinished(actor));
    hold(actor, mail);
  });

  const notify = (actor: PaymentActor, about: NotifyBody["about"] | undefined) =>
    commit(actor, {
      type: "Notify",
      payment: actor.payment,
      ...(about === undefined ? {} : { about }),
      given: calls.given(),
    });

  const onNotified = Effect.fnUntraced(function* (
    actor: PaymentActor,
    mail: Extract<Mail, { readonly _tag: "Notified" }>,
  ) {
    const { delivery, body } = mail;
    if (!actor.known) yield* readFirst(actor, 1);
    const shown = behindReview(actor.position.state);
    if (shown.name === "ABSENT" && body !== undefined) {
      delivery.trial?.found(false);
      return yield* waiting.wait(delivery, body);
    }
    const about = body?.about;
    if (about !== undefined && shown.name !== "ABSENT" && !isAboutOurs(shown, about)) {
      count(metric.webhooks(about.gateway, "unmatched"));
    }
    const step = yield* notify(actor, about);
    if (!step.committed && actor.calls.size > 0 && actor.notified.length < notifiedMeanwhileMax) {
      actor.notified.push(about);
    }
    delivery.trial?.found(step.committed || isUnfinished(actor));
    hold(actor, mail);
  });

  /** A look-up that was under way when a notification came may have asked too early: what is still unknown is asked again. */
  const notifiedMeanwhile = Effect.fnUntraced(function* (actor: PaymentActor, { outcome }: Recorded) {
    const heard = actor.notified.splice(0);
    if (outcome._tag !== "Unknown") return;
    for (const about of heard) yield* notify(actor, about);
  });

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
        if (actor.notified.length > 0) yield* notifiedMeanwhile(actor, mail.command);
        if (step.committed) survived(actor);
      }
    }
  });

  const handle = Effect.fnUntraced(function* (actor: PaymentActor, mail: Mail) {
    yield* take(actor, mail);
    for (;;) {
      const onTimers = waitingOf(actor);
      yield* debtTimers.armWaiting(actor, onTimers);
      const pressing = owedBy(actor).filter(
        ({ round }) => !onTimers.some((debt) => debt.round.version === round.version),
      );
      let isPrepared = true;
      for (const debt of pressing) {
        if (yield* prepare(actor, debt)) {
          isPrepared = false;
          break;
        }
      }
      if (!isPrepared) continue;
      debtTimers.cancelMoot(actor);
      askers.answerCompleted(actor);
      if (pressing.length > 0) {
        if (pressing.every((debt) => debtTimers.millisUntilDue(debt) > 0)) survived(actor);
        return pressing.filter(
          (debt) => debt.kind !== "expiry" && !actor.calls.has(debt.round.version),
        ) as ReadonlyArray<GatewayIntent>;
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
