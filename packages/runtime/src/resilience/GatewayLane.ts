/**
 * The way to one gateway and account: a place among its concurrent calls, a turn under its rate, and the time for which it
 * asks to be left alone. Owns who waits for them. Merchants are served in turn: one that has a thousand calls to make
 * does not keep another from making its one.
 */
import type { Resilience } from "@aegispay/gateways/configuration/Resilience";
import { Clock, Duration, Effect, Option, PartitionedSemaphore } from "effect";
import type { RateLimiter } from "effect/persistence";

export interface LaneOptions {
  readonly key: string;
  readonly resilience: Resilience;
  /** Calls under way at once. */
  readonly concurrentCalls: number;
  readonly limiter: RateLimiter.RateLimiter;
  /** The nodes that share the rate, this one among them. */
  readonly liveNodes: () => number;
}

/** What kept a call from being made in time. */
export type LaneFull = "concurrency" | "rate";

type Semaphore = PartitionedSemaphore.PartitionedSemaphore<string>;

export interface LanePass<A, B> {
  readonly merchant: string;
  /** How long it waits for each of the two, in milliseconds. */
  readonly waitMillis: number;
  readonly run: Effect.Effect<A>;
  /** What it comes to where one of them does not come in time. */
  readonly heldBack: (by: LaneFull) => B;
}

/** With a permit, where one is there at once or comes free in time; else `otherwise`. */
const withPermit = <A, B>(
  semaphore: Semaphore,
  { merchant, waitMillis }: Pick<LanePass<A, B>, "merchant" | "waitMillis">,
  run: Effect.Effect<A>,
  otherwise: () => B,
): Effect.Effect<A | B> => {
  const waiting = Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(restore(Effect.timeoutOption(semaphore.take(merchant, 1), waitMillis)), (taken) =>
      Option.isSome(taken)
        ? Effect.ensuring(restore<A | B, never, never>(run), semaphore.release(1))
        : Effect.sync(otherwise),
    ),
  );
  return Effect.flatMap(semaphore.withPermitsIfAvailable(1)(run), (done) =>
    Option.isSome(done) ? Effect.succeed<A | B>(done.value) : waiting,
  );
};

/** With a clock that nobody sets: one that is set back would bring no turn until it is where it was. */
const byMonotonicTime = <A, E>(run: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.clockWith((clock) => {
    const currentTimeMillisUnsafe = () => Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n);
    return Effect.provideService(run, Clock.Clock, Object.assign(Object.create(clock), { currentTimeMillisUnsafe }));
  });

export class GatewayLane {
  readonly resilience: Resilience;
  readonly concurrentCalls: number;
  readonly #options: LaneOptions;
  readonly #places: Semaphore;
  readonly #turn: Semaphore = PartitionedSemaphore.makeUnsafe({ permits: 1 });

  constructor(options: LaneOptions) {
    this.#options = options;
    this.resilience = options.resilience;
    this.concurrentCalls = options.concurrentCalls;
    this.#places = PartitionedSemaphore.makeUnsafe({ permits: options.concurrentCalls });
  }

  /** Runs it when there is a place and its turn has come. */
  pass<A, B>(pass: LanePass<A, B>): Effect.Effect<A | B> {
    const run = this.#options.resilience.rate === undefined ? pass.run : this.#inTurn(pass);
    return withPermit<A | B, B>(this.#places, pass, run, () => pass.heldBack("concurrency"));
  }

  #inTurn<A, B>(pass: LanePass<A, B>): Effect.Effect<A | B> {
    const turn = withPermit(this.#turn, pass, this.#token(pass.waitMillis), () => false);
    return Effect.flatMap(turn, (isMine) =>
      isMine ? (pass.run as Effect.Effect<A | B>) : Effect.sync(() => pass.heldBack("rate")),
    );
  }

  /** Waits for the next call that the rate allows this node, where that comes in time; whoever waits for it holds the turn. */
  #token(waitMillis: number): Effect.Effect<boolean> {
    return Effect.suspend(() => {
      const { rate } = this.#options.resilience;
      if (rate === undefined) return Effect.succeed(true);
      const nodes = Math.max(1, this.#options.liveNodes());
      const limit = Math.max(1, Math.floor(rate.burst / nodes));
      const window = Duration.millis((1_000 * limit * nodes) / rate.callsPerSecond);
      const { key, limiter } = this.#options;
      const consumed = limiter.consume({ algorithm: "token-bucket", onExceeded: "fail", window, limit, key });
      return Effect.matchEffect(byMonotonicTime(consumed), {
        onSuccess: () => Effect.succeed(true),
        onFailure: ({ reason }) => {
          // The store is this process's memory, and cannot fail otherwise.
          if (reason._tag !== "RateLimitExceeded") return Effect.die(reason);
          const millis = Math.max(1, Math.ceil(Duration.toMillis(reason.retryAfter)));
          if (millis > waitMillis) return Effect.succeed(false);
          return Effect.andThen(Effect.sleep(millis), this.#token(waitMillis - millis));
        },
      });
    });
  }
}
