/**
 * How much of each shard's window the payments of one gateway, and of one merchant, occupy while they wait for that gateway or
 * are at it. Owns the places.
 *
 * Invariants:
 * 1. A share is below half of the window (the configuration sees to that), so that one gateway that does not answer, or the
 *    flood of one merchant, never fills it.
 * 2. A quarter of a share is kept for look-ups: what is unknown is found out before anything new is begun.
 * 3. Where places come free, one waits for the next, first come first served, for a second at most. Where none has come free
 *    for a quarter of a second nobody waits: what cannot go now is to make room at once.
 */
import type { Limits } from "@aegispay/gateways/configuration/Limits";
import { Effect, Option } from "effect";

export interface Visit {
  readonly shard: number;
  readonly gateway: string;
  readonly merchant: string;
  /** Of a look-up, which may use the whole share. */
  readonly isLookUp: boolean;
}

/** The share that is full. */
export type FullShare = "gatewayShare" | "merchantShare";

/** A share in which nothing has moved for so long is stuck, in milliseconds. */
const stuckAfterMillis = 250;
/** The longest wait for a place, in milliseconds. */
const waitMillis = 1_000;
interface Waiter {
  readonly visit: Visit;
  readonly enter: () => void;
}

interface Share {
  taken: number;
  /** When a place last came free, or was the first to be taken, in milliseconds. */
  movedMillis: number;
  readonly waiting: Set<Waiter>;
}

export class ShardShares {
  readonly #shares = new Map<string, Share>();
  readonly #window: number;
  readonly #limits: () => Limits;
  readonly #now: () => number;

  constructor(window: number, limits: () => Limits, now: () => number) {
    this.#window = window;
    this.#limits = limits;
    this.#now = now;
  }

  /** The place is the visit's until it leaves; where the answer is the name of a share, it has none. */
  enter(visit: Visit): Effect.Effect<FullShare | undefined> {
    return Effect.suspend(() => {
      const full = this.#full(visit);
      if (full === undefined) {
        this.#take(visit);
        return Effect.undefined;
      }
      const share = this.#share(keyOf(full, visit));
      if (this.#now() - share.movedMillis > stuckAfterMillis) return Effect.succeed(full);
      return Effect.map(Effect.timeoutOption(this.#wait(visit), waitMillis), (entered) =>
        Option.isSome(entered) ? undefined : full,
      );
    });
  }

  /** Counts it whatever the shares are: for whoever waits here anyway. */
  admit(visit: Visit): void {
    this.#take(visit);
  }

  leave(visit: Visit): void {
    const shares = this.#sharesOf(visit);
    for (const [, share] of shares) {
      share.taken--;
      share.movedMillis = this.#now();
    }
    for (const [, share] of shares) this.#wakeOne(share);
    this.#forgetEmpty(shares);
  }

  /** Whether one of its shares is full: what need not be done now had better wait elsewhere. */
  isCrowded(visit: Visit): boolean {
    return this.#full(visit) !== undefined;
  }

  #wait(visit: Visit): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      const shares = this.#sharesOf(visit);
      const stop = () => {
        for (const [, { waiting }] of shares) waiting.delete(waiter);
        this.#forgetEmpty(shares);
      };
      const waiter: Waiter = {
        visit,
        enter: () => {
          stop();
          resume(Effect.void);
        },
      };
      for (const [, { waiting }] of shares) waiting.add(waiter);
      return Effect.sync(stop);
    });
  }

  /** The first of those who may: others lack a place in their other share, or may not use what is kept for look-ups. */
  #wakeOne({ waiting }: Share): void {
    // Whatever waits holds a place in its shard's window, so that there are hundreds at most.
    for (const waiter of waiting) {
      if (this.#full(waiter.visit) !== undefined) continue;
      this.#take(waiter.visit);
      return waiter.enter();
    }
  }

  #take(visit: Visit): void {
    for (const [, share] of this.#sharesOf(visit)) {
      if (share.taken === 0) share.movedMillis = this.#now();
      share.taken++;
    }
  }

  #full(visit: Visit): FullShare | undefined {
    for (const name of ["gatewayShare", "merchantShare"] as const) {
      const taken = this.#shares.get(keyOf(name, visit))?.taken ?? 0;
      if (taken >= this.#places(name, visit.isLookUp)) return name;
    }
    return undefined;
  }

  #places(name: FullShare, isLookUp: boolean): number {
    const places = Math.max(1, Math.floor(this.#window * this.#limits()[name]));
    return isLookUp ? places : places - Math.floor(places / 4);
  }

  #forgetEmpty(shares: ReadonlyArray<readonly [key: string, share: Share]>): void {
    for (const [key, share] of shares) {
      // Whoever was woken may have left it empty already, and another may have begun it anew.
      if (share.taken === 0 && share.waiting.size === 0 && this.#shares.get(key) === share) this.#shares.delete(key);
    }
  }

  #sharesOf(visit: Visit): ReadonlyArray<readonly [key: string, share: Share]> {
    const keys = [keyOf("gatewayShare", visit), keyOf("merchantShare", visit)];
    return keys.map((key) => [key, this.#share(key)] as const);
  }

  #share(key: string): Share {
    const found = this.#shares.get(key) ?? { taken: 0, movedMillis: this.#now(), waiting: new Set() };
    this.#shares.set(key, found);
    return found;
  }
}

/** Neither a gateway's nor a merchant's name has a blank. */
const keyOf = (name: FullShare, { shard, gateway, merchant }: Visit): string =>
  name === "gatewayShare" ? `${shard} gateway ${gateway}` : `${shard} merchant ${merchant}`;
