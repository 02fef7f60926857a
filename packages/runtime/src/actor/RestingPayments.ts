/**
 * Where the logs of payments stand that owe nothing and were used lately, so that a repeat needs no replay. Only that: a
 * whole actor outlives the young generation of the heap, and keeping those of finished payments cost a seventh of a
 * worker's time in garbage collection.
 *
 * Two maps instead of a list in order of use: when the newer one is full it becomes the older one, and that is forgotten.
 */
import type { Position } from "../log/replay.ts";

export interface RestingPayment {
  readonly shard: number;
  readonly position: Position;
}

/**
 * A payment that waits on a durable timer and is no longer held in memory: what this process had committed of its own when its
 * log stood there. If the log still stands there, nobody has acted for it since, and what was announced then was never tried.
 */
export interface ReleasedPayment {
  readonly shard: number;
  readonly version: number;
  readonly ownedAfter: number;
}

export class RestingPayments<Kept extends { readonly shard: number } = RestingPayment> {
  readonly #half: number;
  #newer = new Map<string, Kept>();
  #older = new Map<string, Kept>();

  /** `capacity`: at most so many are kept, at least half as many. */
  constructor(capacity: number) {
    this.#half = Math.ceil(capacity / 2);
  }

  put(key: string, payment: Kept): void {
    if (this.#newer.size >= this.#half) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(key, payment);
  }

  /** Takes it out: it is under way again. */
  take(key: string): Kept | undefined {
    const found = this.#newer.get(key) ?? this.#older.get(key);
    this.#newer.delete(key);
    this.#older.delete(key);
    return found;
  }

  dropShard(shard: number): void {
    for (const half of [this.#newer, this.#older]) {
      for (const [key, payment] of half) if (payment.shard === shard) half.delete(key);
    }
  }
}
