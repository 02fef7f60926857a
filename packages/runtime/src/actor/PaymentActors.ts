/**
 * All live payments of this process. Owns the map of actors, their loops and their calls.
 *
 * Invariants:
 * 1. One loop an actor: mail is handled one by one, in the order it came.
 * 2. What an actor holds is bounded: its mailbox by a setting, all mailboxes by the shards' windows; what is over goes
 *    back to the queue.
 * 3. An actor that crashes is dropped and starts again from replay, after a pause; its commands were never acked.
 * 4. After `dropShard` nothing of that shard is begun any more here.
 */
import { paymentKey } from "@aegispay/core/identity/Identity";
import type { Intent } from "@aegispay/core/payment/intents";
import type { Create } from "@aegispay/core/payment/PaymentCommand";
import { Cause, Context, Effect, Fiber, Layer, Option } from "effect";
import { Settings } from "../config/RuntimeSettings.ts";
import { GatewayCalls } from "../effects/GatewayCalls.ts";
import type { Delivery } from "../ingress/CommandQueue.ts";
import type { EventLog } from "../log/EventLog.ts";
import { emptyPosition } from "../log/replay.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { Ownership } from "../shard/Ownership.ts";
import { isPassive, makePaymentActor, type Mail, type PaymentActor } from "./PaymentActor.ts";
import { PaymentSteps, roundName, type StepError } from "./PaymentSteps.ts";

const mailboxFullPauseMillis = 1_000;
const longestRestartPauseMillis = 30_000;

export class PaymentActors extends Context.Service<
  PaymentActors,
  {
    readonly tell: (delivery: Delivery, command: Create) => void;
    readonly dropShard: (shard: number) => void;
    /** Payments under way here. */
    readonly liveCount: () => number;
    /** Waits until no payment is under way, at most the given time. */
    readonly drain: (millis: number) => Effect.Effect<void>;
  }
>()("@aegispay/runtime/PaymentActors") {}

const make = Effect.gen(function* () {
  const settings = yield* Settings;
  const { addresses } = yield* Deployment;
  const steps = yield* PaymentSteps;
  const calls = yield* GatewayCalls;
  const ownership = yield* Ownership;
  const context = yield* Effect.context<EventLog>();
  const fork = Effect.runForkWith(context);

  const live = new Map<string, PaymentActor>();
  /** Finished payments, least recently used first. */
  const passive = new Map<string, PaymentActor>();
  /** Crashes in a row, by payment; forgotten when a step succeeds. */
  const crashes = new Map<string, number>();

  const wake = (delivery: Delivery): PaymentActor => {
    const key = paymentKey(delivery.payment);
    const actor =
      live.get(key) ??
      passive.get(key) ??
      makePaymentActor(delivery.payment, delivery.shard, emptyPosition(addresses, delivery.payment));
    passive.delete(key);
    live.set(key, actor);
    return actor;
  };

  const drop = (actor: PaymentActor): void => {
    actor.dropped = true;
    if (live.get(actor.key) === actor) live.delete(actor.key);
    if (passive.get(actor.key) === actor) passive.delete(actor.key);
    if (actor.call !== undefined) fork(Fiber.interrupt(actor.call.fiber));
    actor.call = undefined;
  };

  const passivate = (actor: PaymentActor): void => {
    if (actor.dropped || !isPassive(actor)) return;
    live.delete(actor.key);
    passive.set(actor.key, actor);
    if (passive.size > settings.passiveActors) passive.delete(passive.keys().next().value!);
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

  const beginCall = (actor: PaymentActor, intent: Intent): void => {
    const round = roundName(intent);
    const isMine = () => !actor.dropped && ownership.holds(actor.shard);
    const call = calls.perform(actor.payment, intent, isMine).pipe(
      Effect.map((command) => {
        if (actor.call?.round === round) actor.call = undefined;
        if (command === undefined) drop(actor);
        else post(actor, { _tag: "Outcome", command });
      }),
      Effect.catchCause((cause) => (actor.dropped ? Effect.void : restart(actor, cause))),
    );
    // The entry is there before the call can end: a fork runs its first part at once.
    const begun = { round, fiber: undefined as unknown as Fiber.Fiber<void> };
    actor.call = begun;
    begun.fiber = fork(call);
  };

  const work = Effect.fnUntraced(function* (actor: PaymentActor) {
    for (let mail = actor.mailbox[0]; mail !== undefined && !actor.dropped; mail = actor.mailbox[0]) {
      const owed = yield* steps.handle(actor, mail);
      actor.mailbox.shift();
      if (crashes.size > 0) crashes.delete(actor.key);
      if (owed !== undefined && !actor.dropped) beginCall(actor, owed);
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
      return steps.halt(actor, error);
    }
    return restart(actor, cause);
  };

  /** Everything it held is told again to a fresh actor, which begins by reading the log. */
  const restart = (actor: PaymentActor, cause: Cause.Cause<StepError>): Effect.Effect<void> => {
    const count = (crashes.get(actor.key) ?? 0) + 1;
    crashes.set(actor.key, count);
    const pause = Math.min(settings.actorRestartMillis * 2 ** (count - 1), longestRestartPauseMillis);
    const again = [...actor.held.values(), ...actor.mailbox.filter((mail) => mail._tag === "Command")];
    drop(actor);
    fork(
      Effect.andThen(
        Effect.sleep(pause),
        Effect.sync(() => {
          for (const { delivery, command } of again) if (ownership.holds(delivery.shard)) tell(delivery, command);
        }),
      ),
    );
    return Effect.logError(`payment ${actor.key} crashed (${count} in a row), it starts again in ${pause} ms`, cause);
  };

  const tell = (delivery: Delivery, command: Create): void => {
    const actor = wake(delivery);
    if (actor.mailbox.length >= settings.mailboxCapacity) return delivery.returnLater(mailboxFullPauseMillis);
    post(actor, { _tag: "Command", delivery, command });
  };

  return PaymentActors.of({
    tell,
    dropShard: (shard) => {
      for (const actor of [...live.values(), ...passive.values()]) {
        if (actor.shard !== shard) continue;
        drop(actor);
        crashes.delete(actor.key);
      }
    },
    liveCount: () => live.size,
    drain: Effect.fnUntraced(function* (millis: number) {
      const until = ownership.now().wallMillis + millis;
      while (live.size > 0 && ownership.now().wallMillis < until) yield* Effect.sleep(20);
    }),
  });
});

export const layerPaymentActors = Layer.effect(PaymentActors, make);
