/**
 * All live payments of this process. Owns the map of actors, their loops and their calls.
 *
 * Invariants:
 * 1. One loop an actor: mail is handled one by one, in the order it came.
 * 2. What an actor holds is bounded: its mailbox by a setting, all mailboxes by the shards' windows; what is over goes
 *    back to the queue.
 * 3. An actor that crashes is dropped and starts again from replay, after a pause; what it held was never acked. One that
 *    crashes as often as the setting says is parked: the others never notice.
 * 4. After `dropShard` nothing of that shard is begun any more here.
 */
import { paymentKey } from "@aegispay/core/identity/Identity";
import { intents, type GatewayIntent } from "@aegispay/core/payment/intents";
import { Cause, Context, Effect, Fiber, Layer, Option } from "effect";
import { Settings } from "../config/RuntimeSettings.ts";
import { GatewayCalls } from "../effects/GatewayCalls.ts";
import type { EventLog } from "../log/EventLog.ts";
import { emptyPosition } from "../log/replay.ts";
import { count as bump, metric } from "../metrics/Metrics.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { Ownership } from "../shard/Ownership.ts";
import { isOwed } from "./debtTimers.ts";
import { GivingUp } from "./GivingUp.ts";
import {
  isBusy,
  isPassive,
  makePaymentActor,
  undone,
  type Call,
  type Delivered,
  type Mail,
  type PaymentActor,
} from "./PaymentActor.ts";
import { PaymentSteps, type StepError } from "./PaymentSteps.ts";
import { RestingPayments, type ReleasedPayment } from "./RestingPayments.ts";

const mailboxFullPauseMillis = 1_000;
const longestRestartPauseMillis = 30_000;

export class PaymentActors extends Context.Service<
  PaymentActors,
  {
    readonly tell: (mail: Delivered) => void;
    readonly dropShard: (shard: number) => void;
    /** Payments under way here, and those of them for which something is done at this moment. */
    readonly liveCount: () => number;
    /** Waits until nothing is being done for a payment of the shard, at most the given time. */
    readonly idle: (shard: number, millis: number) => Effect.Effect<void>;
  }
>()("@aegispay/runtime/PaymentActors") {}

const make = Effect.gen(function* () {
  const settings = yield* Settings;
  const { addresses } = yield* Deployment;
  const steps = yield* PaymentSteps;
  const givingUp = yield* GivingUp;
  const calls = yield* GatewayCalls;
  const ownership = yield* Ownership;
  const context = yield* Effect.context<EventLog>();
  const fork = Effect.runForkWith(context);

  const live = new Map<string, PaymentActor>();
  /** Payments that wait on a durable timer, least recently used first: they know what they armed. */
  const waiting = new Map<string, PaymentActor>();
  const resting = new RestingPayments(settings.passiveActors);
  const released = new RestingPayments<ReleasedPayment>(settings.releasedActors);
  /** Crashes in a row, by payment; forgotten when nothing of it is un-acked here any more. */
  const crashes = new Map<string, { readonly shard: number; readonly count: number }>();
  /** What waits for the end of the pause after a crash, by payment. */
  const pausing = new Map<string, Array<Delivered>>();

  const wake = ({ payment, shard }: Delivered["delivery"]): PaymentActor => {
    const key = paymentKey(payment);
    const known = live.get(key) ?? waiting.get(key);
    if (known !== undefined) {
      waiting.delete(key);
      live.set(key, known);
      return known;
    }
    const rested = resting.take(key)?.position;
    const actor = makePaymentActor(payment, shard, rested ?? emptyPosition(addresses, payment));
    actor.known = rested !== undefined;
    actor.released = released.take(key);
    live.set(key, actor);
    return actor;
  };

  const drop = (actor: PaymentActor): void => {
    actor.dropped = true;
    if (live.get(actor.key) === actor) live.delete(actor.key);
    if (waiting.get(actor.key) === actor) waiting.delete(actor.key);
    for (const { fiber } of actor.calls.values()) fork(Fiber.interrupt(fiber));
    actor.calls.clear();
  };

  /** Lets the one go that has waited longest: it is read again when its timer fires. */
  const release = (): void => {
    const [key, { shard, ownedAfter, position }] = waiting.entries().next().value!;
    waiting.delete(key);
    released.put(key, { shard, ownedAfter, version: position.state.version });
  };

  const passivate = (actor: PaymentActor): void => {
    if (actor.dropped || !isPassive(actor)) return;
    live.delete(actor.key);
    const { key, shard, position } = actor;
    if (actor.known && actor.askers.size === 0 && intents(position.state).length === 0) {
      return resting.put(key, { shard, position });
    }
    waiting.set(key, actor);
    if (waiting.size > settings.passiveActors) release();
  };

  const post = (actor: PaymentActor, mail: Mail): void => {
    if (actor.dropped) return;
    actor.mailbox.push(mail);
    if (!actor.running) start(actor);
  };

  const start = (actor: PaymentActor): void => {
    actor.running = true;
    fork(loop(actor));
  };

  const beginCall = (actor: PaymentActor, intent: GatewayIntent): void => {
    const { version } = intent.round;
    const call: Call = { atGateway: false, fiber: undefined as unknown as Fiber.Fiber<void> };
    const isMine = () => !actor.dropped && ownership.holds(actor.shard);
    const performed = calls.perform(actor.payment, intent, {
      shard: actor.shard,
      isDue: actor.due.has(version),
      // A later round may have taken its place while it waited.
      isMine: () => isMine() && isOwed(actor, version),
      onCall: () => void (call.atGateway = true),
    });
    const ending = performed.pipe(
      Effect.map((command) => {
        call.atGateway = false;
        if (command !== undefined) return post(actor, { _tag: "Outcome", round: version, command });
        if (!isMine()) return drop(actor);
        actor.calls.delete(version);
        passivate(actor);
      }),
      Effect.catchCause((cause) => {
        if (actor.dropped) return Effect.void;
        // This very fiber: whoever drops the actor must not interrupt what is to be done about it.
        actor.calls.delete(version);
        return restart(actor, cause);
      }),
    );
    // The entry is there before the call can end: a fork runs its first part at once.
    actor.calls.set(version, call);
    call.fiber = fork(ending);
  };

  const work = Effect.fnUntraced(function* (actor: PaymentActor) {
    for (let mail = actor.mailbox[0]; mail !== undefined && !actor.dropped; mail = actor.mailbox[0]) {
      const owed = yield* steps.handle(actor, mail);
      actor.mailbox.shift();
      actor.headIsAcked = false;
      if (crashes.size > 0 && actor.held.size === 0) crashes.delete(actor.key);
      for (const intent of owed) if (!actor.dropped) beginCall(actor, intent);
    }
  });

  const loop = (actor: PaymentActor) =>
    work(actor).pipe(
      Effect.catchCause((cause) => onStop(actor, cause)),
      Effect.ensuring(
        Effect.sync(() => {
          actor.running = false;
          // Mail can have come between the loop's last look and here.
          if (actor.mailbox.length > 0 && !actor.dropped) start(actor);
          else passivate(actor);
        }),
      ),
    );

  const onStop = (actor: PaymentActor, cause: Cause.Cause<StepError>): Effect.Effect<void> => {
    const error = Option.getOrUndefined(Cause.findErrorOption(cause));
    if (actor.dropped) return Effect.void;
    if (error?._tag === "OwnershipLost" || error?._tag === "LogClosed" || Cause.hasInterruptsOnly(cause)) {
      return Effect.sync(() => drop(actor));
    }
    if (error?._tag === "EventContinuityError") {
      // Dropped first: what comes from now on meets a fresh actor, which finds the same log.
      drop(actor);
      return givingUp.halt(actor, error);
    }
    return restart(actor, cause);
  };

  /** Everything it held is told again to a fresh actor, which begins by reading the log. */
  const restart = (actor: PaymentActor, cause: Cause.Cause<StepError>): Effect.Effect<void> => {
    const count = (crashes.get(actor.key)?.count ?? 0) + 1;
    bump(metric.actorCrashes);
    // Another owner may be getting on with it very well.
    if (!ownership.holds(actor.shard)) return Effect.sync(() => drop(actor));
    drop(actor);
    if (count >= settings.actorCrashLimit) {
      crashes.delete(actor.key);
      return givingUp.park(actor, count, cause);
    }
    crashes.set(actor.key, { shard: actor.shard, count });
    const pause = Math.min(settings.actorRestartMillis * 2 ** (count - 1), longestRestartPauseMillis);
    const again = [...undone(actor)];
    pausing.set(actor.key, again);
    const goOn = Effect.sync(() => {
      if (pausing.get(actor.key) !== again) return;
      pausing.delete(actor.key);
      for (const mail of again) if (ownership.holds(mail.delivery.shard)) tell(mail);
    });
    fork(Effect.andThen(Effect.sleep(pause), goOn));
    return Effect.logError(`payment ${actor.key} crashed (${count} in a row), it starts again in ${pause} ms`, cause);
  };

  const tell = (mail: Delivered): void => {
    const paused = pausing.get(paymentKey(mail.delivery.payment));
    if (paused !== undefined) {
      if (paused.length >= settings.mailboxCapacity) return mail.delivery.returnLater(mailboxFullPauseMillis);
      return void paused.push(mail);
    }
    const actor = wake(mail.delivery);
    if (actor.mailbox.length >= settings.mailboxCapacity) return mail.delivery.returnLater(mailboxFullPauseMillis);
    post(actor, mail);
  };

  return PaymentActors.of({
    tell,
    dropShard: (shard) => {
      for (const actor of [...live.values(), ...waiting.values()]) {
        if (actor.shard === shard) drop(actor);
      }
      resting.dropShard(shard);
      released.dropShard(shard);
      for (const [key, crash] of crashes) {
        if (crash.shard !== shard) continue;
        crashes.delete(key);
        pausing.delete(key);
      }
    },
    liveCount: () => live.size,
    idle: Effect.fnUntraced(function* (shard: number, millis: number) {
      const until = ownership.now().wallMillis + millis;
      const busy = () => [...live.values()].some((actor) => actor.shard === shard && isBusy(actor));
      while (busy() && ownership.now().wallMillis < until) yield* Effect.sleep(10);
    }),
  });
});

export const layerPaymentActors = Layer.effect(PaymentActors, make);
