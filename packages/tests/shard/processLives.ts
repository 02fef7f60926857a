/**
 * Processes that end, one life after the other, over what outlives them: the queue, the suspects' marks, what is parked.
 * A payment behaves as its test says; everything between the queue and the actor is the real Trials. Time is the test
 * clock's. A process that ends writes nothing any more, whatever its finalizers try.
 */
import { paymentKey } from "@aegispay/core/identity/Identity";
import type { Delivered } from "@aegispay/runtime/actor/PaymentActor";
import { GivingUp } from "@aegispay/runtime/actor/GivingUp";
import type { Delivery, LeftBehind } from "@aegispay/runtime/ingress/CommandQueue";
import { Ingress } from "@aegispay/runtime/ingress/Ingress";
import { Ownership } from "@aegispay/runtime/shard/Ownership";
import { RecoveryReports, type RecoveryReport } from "@aegispay/runtime/shard/Recovery";
import { changedSuspects, Suspects, SuspectsUnavailable } from "@aegispay/runtime/shard/Suspects";
import { layerTrials, Trials, type ShardTrials } from "@aegispay/runtime/shard/Trials";
import { Clock, Context, Effect, Exit, Layer, Scope } from "effect";
import { TestClock } from "effect/testing";

/** What a payment does once it is begun: it commits and is acked, or it ends its process. */
export interface Behaviour {
  readonly takesMillis?: number;
  readonly killsAfterMillis?: number;
}

interface Message {
  readonly shard: number;
  readonly sequence: number;
  readonly payment: string;
  delivered: boolean;
}

export interface Beginning {
  readonly payment: string;
  readonly life: number;
  readonly atMillis: number;
  /** What stood, durably, about the payment at that moment. */
  readonly mark: number;
}

const merchant = "shop";
export const keyOf = (payment: string): string => paymentKey({ merchant, paymentId: payment });

/** A step of time. */
const stepMillis = 10;
const suspectsAnswerMillis = 1;

export class ProcessLives {
  readonly begun: Array<Beginning> = [];
  readonly parked: Array<string> = [];
  readonly reports: Array<RecoveryReport> = [];
  readonly marks = new Map<number, ReadonlyMap<string, number>>();
  readonly ends = new Map<number, ReadonlyArray<number>>();
  readonly behaviours = new Map<string, Behaviour>();
  /** As many of the next writes of marks fail. */
  failWrites = 0;
  failReads = 0;
  life = 0;
  /** Whether the running process has ended. */
  dead = true;
  /** Whether payments do nothing at all once they are begun. */
  frozen = false;
  /** Whether the running process holds its shards. */
  mine = true;
  #messages: Array<Message> = [];
  #sequence = 0;
  #epoch = 0;
  #process = Scope.makeUnsafe();
  #shards = new Map<number, ShardTrials & { readonly scope: Scope.Closeable }>();
  #trials: Trials["Service"] | undefined;
  /** Whether the process before has let go in good order. */
  #retired = true;
  readonly #shardCount: number;

  constructor(shardCount = 1) {
    this.#shardCount = shardCount;
  }

  /** Publishes a command; a running process is given it at once. */
  publish(payment: string, behaviour?: Behaviour, shard = 0): void {
    if (behaviour !== undefined) this.behaviours.set(payment, behaviour);
    const message: Message = { shard, sequence: ++this.#sequence, payment, delivered: false };
    this.#messages.push(message);
    if (!this.dead) this.#deliver(message);
  }

  /** What is still in the queue, by payment. */
  get queued(): ReadonlyArray<string> {
    return this.#messages.map(({ payment }) => payment);
  }

  livesOf(payment: string): ReadonlyArray<number> {
    return this.begun.filter((beginning) => beginning.payment === payment).map(({ life }) => life);
  }

  hasBegun(payment: string): boolean {
    return this.begun.some((beginning) => beginning.payment === payment && beginning.life === this.life);
  }

  markOf(payment: string, shard = 0): number {
    return this.marks.get(shard)?.get(keyOf(payment)) ?? 0;
  }

  get allMarks(): ReadonlyArray<string> {
    return [...this.marks.values()].flatMap((marks) => [...marks.keys()]);
  }

  /** A new process takes all shards over. */
  readonly start = Effect.gen({ self: this }, function* () {
    this.life++;
    this.dead = false;
    this.mine = true;
    this.#process = yield* Scope.make();
    const services = yield* Layer.buildWithScope(Layer.provide(layerTrials, this.#fakes(this.life)), this.#process);
    this.#trials = Context.get(services, Trials);
    for (let shard = 0; shard < this.#shardCount; shard++) yield* this.#serve(shard, this.#leftBehind(shard));
    this.#retired = false;
  });

  /** The process ends as by SIGKILL. */
  readonly kill = Effect.suspend(() => {
    this.dead = true;
    return this.#close;
  });

  /** The process lets go in good order. */
  readonly stop = Effect.suspend(() =>
    Effect.andThen(
      Effect.forEach(this.#shards.values(), ({ flush }) => flush, { discard: true }),
      Effect.andThen(
        Effect.sync(() => void (this.#retired = true)),
        Effect.andThen(this.#closeShards, this.kill),
      ),
    ),
  );

  /** The same process takes a shard over anew, under another epoch. */
  readonly again = Effect.fnUntraced({ self: this }, function* (shard: number) {
    yield* Scope.close(this.#shards.get(shard)!.scope, Exit.void);
    yield* this.#serve(shard, undefined);
  });

  /** Lets time pass until the condition holds or the process ends. */
  readonly run = Effect.fnUntraced({ self: this }, function* (condition: () => boolean, atMostMillis = 60_000) {
    for (let passed = 0; passed < atMostMillis; passed += stepMillis) {
      if (condition()) return true;
      if (this.dead) break;
      yield* TestClock.adjust(stepMillis);
    }
    if (this.dead) yield* this.#close;
    return condition();
  });

  /** Process after process until nothing is left in the queue. */
  readonly runToEnd = Effect.fnUntraced({ self: this }, function* (livesMax = 30) {
    for (let lives = 0; lives < livesMax; lives++) {
      if (this.dead) yield* this.start;
      if (yield* this.run(() => this.#messages.length === 0)) return;
      if (!this.dead) throw new Error(`${this.queued.join(", ")}: never ended`);
    }
    throw new Error(`${this.queued.join(", ")}: still there after ${livesMax} processes`);
  });

  readonly #closeShards = Effect.suspend(() =>
    Effect.forEach(this.#shards.values(), ({ scope }) => Scope.close(scope, Exit.void), { discard: true }),
  );

  readonly #close = Effect.suspend(() =>
    Effect.andThen(
      this.#closeShards,
      Effect.suspend(() => Scope.close(this.#process, Exit.void)),
    ),
  );

  readonly #serve = Effect.fnUntraced({ self: this }, function* (shard: number, leftBehind: LeftBehind | undefined) {
    const scope = yield* Scope.make();
    const epoch = ++this.#epoch;
    const begin = this.#trials!.begin({ shard, epoch, node: "node", leftBehind, takeOverMillis: 1 });
    // It reads the marks first, which takes a moment of this clock.
    let begunTrials: Effect.Success<typeof begin> | undefined;
    yield* Effect.forkIn(
      Effect.map(Scope.provide(begin, scope), (trials) => void (begunTrials = trials)),
      scope,
    );
    while (begunTrials === undefined) yield* TestClock.adjust(suspectsAnswerMillis);
    this.#shards.set(shard, { scope, ...begunTrials });
    for (const message of this.#messages.filter((one) => one.shard === shard)) this.#deliver(message);
  });

  #suspectsOf(shard: number) {
    return { marks: this.marks.get(shard) ?? new Map<string, number>(), ends: this.ends.get(shard) ?? [] };
  }

  #leftBehind(shard: number): LeftBehind {
    const given = this.#messages.filter((message) => message.shard === shard && message.delivered);
    const command = Math.max(0, ...given.map(({ sequence }) => sequence));
    return { ended: !this.#retired, count: given.length, upTo: { command, internal: 0, due: 0 } };
  }

  #deliver(message: Message): void {
    if (this.dead) return;
    const { life } = this;
    const { shard, sequence, payment } = message;
    const ack = () => {
      if (life === this.life && !this.dead) this.#messages = this.#messages.filter((other) => other !== message);
    };
    message.delivered = true;
    this.#shards.get(shard)!.take({
      source: "command",
      shard,
      epoch: this.#epoch,
      payment: { merchant, paymentId: payment },
      verb: "create",
      body: new Uint8Array(),
      header: () => undefined,
      headerText: () => "",
      sequence,
      ack,
      erase: Effect.sync(ack),
      returnLater: () => undefined,
    });
  }

  /** The services of one process, dead once it has ended. */
  #fakes(life: number) {
    const lives = () => life === this.life && !this.dead;
    const answer = <A>(act: () => A) =>
      Effect.sleep(suspectsAnswerMillis).pipe(
        Effect.andThen(Effect.suspend(() => (lives() ? Effect.succeed(act()) : Effect.never))),
      );
    const failed = Effect.andThen(
      Effect.sleep(suspectsAnswerMillis),
      Effect.fail(new SuspectsUnavailable({ cause: "ordered" })),
    );
    const suspects = Suspects.of({
      read: (shard) =>
        Effect.suspend(() => {
          if (this.failReads === 0) return answer(() => this.#suspectsOf(shard));
          this.failReads--;
          return failed;
        }),
      update: (shard, changes, endedAt) =>
        Effect.suspend(() => {
          if (this.failWrites > 0)
            return Effect.andThen(
              Effect.sync(() => void this.failWrites--),
              failed,
            );
          const ordered = new Map(changes);
          return answer(() => {
            const changed = changedSuspects(this.#suspectsOf(shard), ordered, endedAt);
            this.marks.set(shard, changed.marks);
            this.ends.set(shard, changed.ends);
            return changed;
          });
        }),
    });
    const read = (delivery: Delivery): Delivered => ({ _tag: "Wake", delivery });
    const ingress = Effect.map(Effect.all([Effect.context(), Clock.Clock] as const), ([context, clock]) => {
      const fork = Effect.runForkWith(context);
      return Ingress.of({
        read,
        take: (delivery) => {
          if (!lives()) return;
          const payment = delivery.payment.paymentId;
          const { takesMillis = 30, killsAfterMillis } = this.behaviours.get(payment) ?? {};
          this.begun.push({
            payment,
            life,
            atMillis: clock.currentTimeMillisUnsafe(),
            mark: this.markOf(payment, delivery.shard),
          });
          if (this.frozen) return;
          if (killsAfterMillis === 0) return void (this.dead = true);
          const end = () => {
            if (!lives()) return;
            if (killsAfterMillis !== undefined) return void (this.dead = true);
            delivery.trial?.progressed();
            delivery.ack();
          };
          delivery.trial?.found(true);
          if (takesMillis === 0) return end();
          fork(Effect.andThen(Effect.sleep(killsAfterMillis ?? takesMillis), Effect.sync(end)));
        },
      });
    });
    const notUsed = () => Effect.die(new Error("no trial does that"));
    return Layer.mergeAll(
      Layer.succeed(Suspects, suspects),
      Layer.effect(Ingress, ingress),
      Layer.succeed(
        GivingUp,
        GivingUp.of({
          halt: notUsed,
          park: notUsed,
          parkOne: ({ delivery }) =>
            Effect.sync(() => {
              if (!lives()) return false;
              this.parked.push(delivery.payment.paymentId);
              delivery.ack();
              return true;
            }),
        }),
      ),
      Layer.succeed(
        Ownership,
        Ownership.of({
          now: () => ({ wallMillis: 0, monotonicNanos: 0n }),
          hold: () => undefined,
          drop: () => undefined,
          holds: () => lives() && this.mine,
          held: () => [],
        }),
      ),
      Layer.succeed(
        RecoveryReports,
        RecoveryReports.of({ report: (report) => Effect.sync(() => void (lives() && this.reports.push(report))) }),
      ),
    );
  }
}
