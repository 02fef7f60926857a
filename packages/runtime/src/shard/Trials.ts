/**
 * What a process was doing when it ended uncleanly may be what ended it. So whatever the owner before had been given and
 * had not acked is begun one by one, each marked first, durably; the mark goes as soon as what was tried has come to a
 * commit, to a wait or to an ack. A payment that is to be marked a third time, and was being tried at every end there was
 * lately, is parked instead: it kills its process three times, not for ever.
 *
 * Invariants:
 * 1. Nothing that is suspect is begun before its mark is durable; nothing of its payment overtakes it.
 * 2. A payment that was marked before is tried alone in its process, over all shards: it begins when every trial before it
 *    has ended, and no other begins until it has survived, durably. So a neighbour of the one that kills is marked with
 *    it once, but not again. All of that takes a bounded time together; what is left then begins without a further mark.
 * 3. What is not suspect, and whose payment is not marked, is never held up.
 * 4. A shard that the same process takes over anew is no new suspicion.
 */
import { holdsCardNumber } from "@aegispay/core/identity/CardNumber";
import { paymentKey } from "@aegispay/core/identity/Identity";
import { reject } from "@aegispay/core/payment/Rejection";
import { Clock, Context, Deferred, Effect, Layer, Option, Queue, Semaphore, type Scope } from "effect";
import { GivingUp } from "../actor/GivingUp.ts";
import { deliveryId, nothingLeftBehind, type Delivery, type LeftBehind } from "../ingress/CommandQueue.ts";
import { Ingress } from "../ingress/Ingress.ts";
import { Ownership } from "./Ownership.ts";
import { RecoveryCount, RecoveryReports } from "./Recovery.ts";
import { Suspects } from "./Suspects.ts";
import { isGuilty, marksMax, parkedMark, type Suspicion } from "./Suspicion.ts";

/** Between two payments that are tried for the first time, in milliseconds, if the one before has not survived sooner. */
const paceMillis = 50;
/** All of them have begun after this, in milliseconds, however many there are: a take-over must not wait on suspicion. */
const allBegunMillis = 1_000;
/**
 * How long trials alone hold up the others, in milliseconds, from the first of them until none waits: beyond it those that
 * are left are begun together, at the mark they have. A payment that kills may then do so once more than three times; that is
 * better than that everything waits.
 */
const aloneBudgetMillis = 10_000;
/** After this a recovery is reported as it stands, in milliseconds. */
const reportAfterMillis = 30_000;
const writeAgainMillis = 200;
/** Requests in vain between two warnings. */
const warnEvery = 25;
/** How long a mark may outlive its reason, in milliseconds. */
const flushMillis = 100;
/** How long a hand-over waits for that, in milliseconds. */
const flushAtMostMillis = 500;

export interface TakenOver {
  readonly shard: number;
  readonly epoch: number;
  readonly node: string;
  /** What another owner left behind; undefined where this process served the shard just before. */
  readonly leftBehind: LeftBehind | undefined;
  readonly takeOverMillis: number;
}

export class Trials extends Context.Service<
  Trials,
  {
    /** Begins one life of a shard. */
    readonly begin: (takenOver: TakenOver) => Effect.Effect<ShardTrials, never, Scope.Scope>;
    /** The shard is another's now. */
    readonly forget: (shard: number) => void;
  }
>()("@aegispay/runtime/Trials") {}

export interface ShardTrials {
  /** Where the shard's deliveries go. */
  readonly take: (delivery: Delivery) => void;
  /** Stores what has survived, before the shard goes to another; best effort. */
  readonly flush: Effect.Effect<void>;
}

interface TrialUnderWay {
  readonly shard: number;
  readonly ended: Deferred.Deferred<void>;
}

const parked = reject(
  "Parked",
  `the process that tried this payment ended ${marksMax} times while it did; an operator must look at it first`,
);

const make = Effect.gen(function* () {
  const suspects = yield* Suspects;
  const ingress = yield* Ingress;
  const givingUp = yield* GivingUp;
  const ownership = yield* Ownership;
  const reports = yield* RecoveryReports;
  const clock = yield* Clock.Clock;
  const suspicions = new Map<number, Suspicion>();
  /** Over all shards, by payment. */
  const tried = new Map<string, TrialUnderWay>();
  /** Whoever begins a trial has the turn; one that is tried alone keeps it. */
  const turn = Semaphore.makeUnsafe(1);
  /** How many wait to be tried alone, and since when anyone has. */
  const alone = { waiting: 0, sinceMillis: 0 };
  const fork = Effect.runForkWith(yield* Effect.context());

  const end = (key: string): void => {
    const trial = tried.get(key);
    tried.delete(key);
    if (trial !== undefined) Deferred.doneUnsafe(trial.ended, Effect.void);
  };

  const forget = (shard: number): void => {
    suspicions.delete(shard);
    for (const [key, trial] of tried) if (trial.shard === shard) end(key);
  };

  const allHaveEnded = Effect.suspend(() =>
    Effect.forEach([...tried.values()], ({ ended }) => Deferred.await(ended), { discard: true }),
  );

  /** Asks until it is answered, or the shard is no longer mine: then undefined. */
  const whileMine = Effect.fnUntraced(function* <A, E>(shard: number, request: Effect.Effect<A, E>) {
    for (let tries = 1; ; tries++) {
      const answered = yield* Effect.result(request);
      if (answered._tag === "Success") return answered.success;
      if (!ownership.holds(shard)) return undefined;
      if (tries % warnEvery === 0) {
        yield* Effect.logWarning(
          `shard ${shard}: its suspects cannot be read or stored, they wait: ${String(answered.failure)}`,
        );
      }
      yield* Effect.sleep(writeAgainMillis);
    }
  });

  const begin = Effect.fnUntraced(function* (takenOver: TakenOver) {
    const { shard, epoch, node, takeOverMillis } = takenOver;
    const begunAt = clock.currentTimeMillisUnsafe();
    const waiting = yield* Queue.unbounded<Delivery>();
    /** How many of its deliveries wait, by payment. */
    const waitingOf = new Map<string, number>();
    const known = takenOver.leftBehind === undefined ? suspicions.get(shard) : undefined;
    const suspicion: Suspicion = known ?? {
      leftBehind: takenOver.leftBehind ?? nothingLeftBehind,
      count: new RecoveryCount(takenOver.leftBehind?.count ?? 0),
      resolved: new Set(),
      isRead: false,
      marks: new Map(),
      ends: [],
      changes: new Map(),
      cleared: new Set(),
    };
    const { leftBehind, changes, cleared, count, resolved } = suspicion;

    /** Stores what has changed; false: the shard is no longer mine. */
    const persist = Effect.gen(function* () {
      const written = new Map(changes);
      const stored = yield* whileMine(shard, suspects.update(shard, written));
      if (stored === undefined) return false;
      for (const [key, mark] of written) if (changes.get(key) === mark) changes.delete(key);
      suspicion.marks = new Map(stored.marks);
      for (const [key, mark] of changes) {
        if (mark === undefined) suspicion.marks.delete(key);
        else suspicion.marks.set(key, mark);
      }
      return true;
    });

    const mark = (key: string, to: number | undefined): void => {
      changes.set(key, to);
      if (to === undefined) suspicion.marks.delete(key);
      else suspicion.marks.set(key, to);
    };

    const survived = (key: string): void => {
      cleared.add(key);
      if (suspicion.marks.has(key)) mark(key, undefined);
      end(key);
    };

    const wasLeftBehind = ({ source, sequence }: Delivery): boolean => sequence <= leftBehind.upTo[source];

    const underTrial = (delivery: Delivery, key: string): Delivery => {
      const counts = wasLeftBehind(delivery);
      let isFailure = false;
      const id = deliveryId(delivery);
      const settled = () => {
        if (counts && !resolved.has(id)) {
          resolved.add(id);
          if (isFailure) count.failed(key);
          else count.settled(key);
        }
        survived(key);
      };
      return {
        ...delivery,
        trial: {
          found: (owed) => (counts ? count.found(key, owed) : undefined),
          progressed: () => survived(key),
          failed: () => void (isFailure = true),
        },
        ack: () => {
          settled();
          delivery.ack();
        },
        erase: Effect.andThen(Effect.sync(settled), delivery.erase),
        returnLater: (millis) => {
          // It comes again, and is tried again then.
          end(key);
          delivery.returnLater(millis);
        },
      };
    };

    const park = Effect.fnUntraced(function* (delivery: Delivery, key: string) {
      const mail = ingress.read(delivery);
      if (mail === undefined) return;
      yield* Effect.logError(`payment ${key} ended its process ${marksMax} times and is parked`);
      if (!(yield* givingUp.parkOne(mail, parked)) || !wasLeftBehind(delivery)) return;
      resolved.add(deliveryId(delivery));
      count.failed(key);
    });

    /** Marked, then begun. Undefined: the shard is no longer mine. */
    const start = Effect.fnUntraced(function* (delivery: Delivery, key: string) {
      mark(key, (suspicion.marks.get(key) ?? 0) + 1);
      if (!(yield* persist)) return undefined;
      const trial: TrialUnderWay = { shard, ended: yield* Deferred.make<void>() };
      tried.set(key, trial);
      ingress.take(underTrial(delivery, key));
      return trial;
    });

    const budgetLeft = (): number => alone.sinceMillis + aloneBudgetMillis - clock.currentTimeMillisUnsafe();

    /** Marked before, but too many are: begun beside others, which is no evidence, so that its mark stays as it is. */
    const startBesideOthers = Effect.fnUntraced(function* (delivery: Delivery, key: string) {
      tried.set(key, { shard, ended: yield* Deferred.make<void>() });
      ingress.take(underTrial(delivery, key));
    });

    const tryAlone = Effect.fnUntraced(function* (delivery: Delivery, key: string) {
      yield* Effect.ignore(Effect.timeout(allHaveEnded, Math.max(0, budgetLeft())));
      if (budgetLeft() <= 0) return yield* startBesideOthers(delivery, key);
      const trial = yield* start(delivery, key);
      if (trial === undefined) return;
      const inTime = yield* Effect.timeoutOption(Deferred.await(trial.ended), Math.max(0, budgetLeft()));
      if (Option.isNone(inTime)) {
        yield* Effect.logWarning(`payment ${key}, tried alone, has come to nothing yet; others go on`);
        // From here on it is not alone, and an end would be no evidence against it.
        mark(key, 1);
      }
      yield* persist;
    });

    const tryOne = Effect.fnUntraced(function* (delivery: Delivery, key: string) {
      // It will be refused, and must not be kept anywhere, not even as a mark.
      if (holdsCardNumber(key.replace("/", "\n"))) return ingress.take(delivery);
      if (tried.has(key)) return ingress.take(underTrial(delivery, key));
      // An operator may have forgiven it since.
      if (suspicion.marks.get(key) === parkedMark && !(yield* persist)) return;
      const marks = suspicion.marks.get(key) ?? 0;
      if (marks === parkedMark || isGuilty(marks, suspicion.ends, begunAt)) {
        mark(key, parkedMark);
        return (yield* persist) ? yield* park(delivery, key) : undefined;
      }
      if (marks > 0) {
        if (alone.waiting++ === 0) alone.sinceMillis = clock.currentTimeMillisUnsafe();
        return yield* Effect.ensuring(
          turn.withPermit(tryAlone(delivery, key)),
          Effect.sync(() => void alone.waiting--),
        );
      }
      if (!wasLeftBehind(delivery) || cleared.has(key)) return ingress.take(delivery);
      const trial = yield* turn.withPermit(start(delivery, key));
      const patience = Math.min(paceMillis, allBegunMillis / Math.max(1, leftBehind.count));
      if (trial !== undefined) yield* Effect.ignore(Effect.timeout(Deferred.await(trial.ended), patience));
    });

    /** One at a time; what has survived is forgotten durably when nothing waits any more. */
    const tryAll = Effect.gen(function* () {
      for (;;) {
        const taking = Queue.take(waiting);
        const isPending = changes.size > 0 || tried.size > 0;
        const next = isPending ? yield* Effect.timeoutOption(taking, flushMillis) : Option.some(yield* taking);
        if (Option.isSome(next)) {
          const key = paymentKey(next.value.payment);
          yield* tryOne(next.value, key);
          const left = waitingOf.get(key)! - 1;
          if (left > 0) waitingOf.set(key, left);
          else waitingOf.delete(key);
        } else if (changes.size > 0 && ownership.holds(shard)) yield* persist;
      }
    });

    const report = Effect.gen(function* () {
      const isOpen = () => !count.isComplete && suspicions.get(shard) === suspicion;
      while (isOpen() && clock.currentTimeMillisUnsafe() - begunAt < reportAfterMillis) yield* Effect.sleep(50);
      const recoveryMillis = clock.currentTimeMillisUnsafe() - begunAt;
      const at = new Date(begunAt).toISOString();
      yield* reports.report({ shard, epoch, node, at, takeOverMillis, recoveryMillis, ...count.figures });
    });

    if (!suspicion.isRead) {
      const reading = leftBehind.ended ? suspects.update(shard, new Map(), begunAt) : suspects.read(shard);
      const stored = yield* whileMine(shard, reading);
      suspicion.marks = new Map(stored?.marks ?? []);
      suspicion.ends = stored?.ends ?? [];
      suspicion.isRead = stored !== undefined;
    }
    // The report outlives this life: the same process may begin the shard anew before all is recovered.
    if (known === undefined) {
      suspicions.set(shard, suspicion);
      fork(report);
    }
    yield* Effect.forkScoped(tryAll);
    const flush = Effect.suspend(() =>
      changes.size > 0 && ownership.holds(shard)
        ? Effect.ignore(Effect.timeout(suspects.update(shard, changes), flushAtMostMillis))
        : Effect.void,
    );
    return {
      flush,
      take: (delivery: Delivery): void => {
        if (leftBehind.count === 0 && suspicion.marks.size === 0 && waitingOf.size === 0) return ingress.take(delivery);
        const key = paymentKey(delivery.payment);
        const isLeft = wasLeftBehind(delivery);
        if (!suspicion.marks.has(key) && !waitingOf.has(key) && (!isLeft || cleared.has(key))) {
          return ingress.take(isLeft ? underTrial(delivery, key) : delivery);
        }
        waitingOf.set(key, (waitingOf.get(key) ?? 0) + 1);
        Queue.offerUnsafe(waiting, delivery);
      },
    };
  });

  return Trials.of({ begin, forget });
});

export const layerTrials = Layer.effect(Trials, make);
