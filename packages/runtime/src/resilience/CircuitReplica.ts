/**
 * One circuit as this node acts on it: what all nodes share, and the changes of this node that are not written yet. Owns
 * both.
 *
 * Invariants:
 * 1. A change counts here at once and without a look at the shared one; it is written afterwards, on top of what others
 *    have written meanwhile.
 * 2. What changes nothing makes no request: a circuit that is closed and clean costs none, whatever is called.
 * 3. Where the shared one cannot be reached the node goes on by itself. Back again, its state is written if nobody has
 *    written meanwhile; else theirs counts.
 * 4. No open circuit, and no probe, lasts longer from any moment on than it may at most: neither a clock that is ahead nor
 *    one that was set back keeps a gateway from being called.
 */
import { Deferred, Effect, Exit } from "effect";
import type { Circuit } from "./Breakers.ts";
import { closedCircuit, heard } from "./circuit.ts";
import type { SharedCircuit, SharedCircuits } from "./SharedCircuits.ts";

/** Total: gives back the very same circuit where it does not apply to it. */
export type CircuitChange = (circuit: Circuit) => Circuit;

/** How long failures and successes are gathered before they are written together, in milliseconds. */
const gatherMillis = 20;
/** Before the shared circuits are asked again after they could not be reached, in milliseconds. */
const tryAgainMillis = 1_000;

export interface ReplicaOptions {
  readonly key: string;
  readonly shared: typeof SharedCircuits.Service;
  readonly now: () => number;
  /** The longest that an open circuit, or a probe, lasts: another node's clock, or an earlier one of ours, may say more. */
  readonly lastsMillis: (state: Circuit["state"]) => number;
  readonly fork: (effect: Effect.Effect<void>) => void;
  /** Told of each change of what this node acts on. */
  readonly onMoved: (key: string, before: Circuit, after: Circuit) => void;
  readonly onReached: (isReached: boolean) => void;
}

export class CircuitReplica {
  #circuit: Circuit = closedCircuit;
  #shared: SharedCircuit = { circuit: undefined, revision: 0 };
  #unwritten: Array<CircuitChange> = [];
  #alone = false;
  /** Present while somebody is writing: done when all that was changed before is written, or cannot be. */
  #settling: Deferred.Deferred<void> | undefined;
  /** Asked to look while it was settling. */
  #stale = false;
  /** It will look again, since it could not. */
  #looksAgain = false;
  readonly #options: ReplicaOptions;

  constructor(options: ReplicaOptions) {
    this.#options = options;
  }

  get circuit(): Circuit {
    const bounded = this.#bounded(this.#circuit);
    if (bounded !== this.#circuit) {
      const { circuit, revision } = this.#shared;
      this.#circuit = bounded;
      this.#shared = { circuit: circuit && this.#bounded(circuit), revision };
    }
    return bounded;
  }

  /** Whether the shared circuit could not be reached when it was last asked. */
  get isAlone(): boolean {
    return this.#alone;
  }

  /** Changes it here and, soon, everywhere. */
  change(change: CircuitChange): void {
    const next = change(this.circuit);
    if (next === this.circuit) return;
    this.#move(next);
    if (this.#alone) return;
    this.#unwritten.push(change);
    this.#settle();
  }

  /** Changes it, and waits until that is written or cannot be. */
  changed(change: CircuitChange): Effect.Effect<void> {
    const written: Effect.Effect<void> = Effect.suspend(() =>
      this.#settling !== undefined && this.#unwritten.includes(change)
        ? Effect.andThen(Deferred.await(this.#settling), written)
        : Effect.void,
    );
    return Effect.suspend(() => {
      this.change(change);
      return written;
    });
  }

  /** The shared one may have changed. */
  look(): void {
    if (this.#settling !== undefined) this.#stale = true;
    else this.#settle();
  }

  #move(next: Circuit): void {
    const before = this.#circuit;
    this.#circuit = next;
    if (next !== before) this.#options.onMoved(this.#options.key, before, next);
  }

  #settle(): void {
    if (this.#settling !== undefined) return;
    const settling = Deferred.makeUnsafe<void>();
    this.#settling = settling;
    const ended = (exit: Exit.Exit<void>) =>
      Effect.sync(() => {
        this.#settling = undefined;
        Deferred.doneUnsafe(settling, Effect.void);
        // The node that ends writes nothing more.
        if (Exit.isSuccess(exit) && (this.#stale || this.#unwritten.length > 0)) this.#settle();
      });
    this.#options.fork(Effect.onExit(this.#write(), ended));
  }

  #write(): Effect.Effect<void> {
    const { shared, key } = this.#options;
    const gather = Effect.suspend(() =>
      // A change of state is for all to know at once; what is only counted is gathered.
      this.#unwritten.length > 0 && this.circuit.state === this.#base().state
        ? Effect.sleep(gatherMillis)
        : Effect.void,
    );
    const isWritten = Effect.gen({ self: this }, function* () {
      this.#stale = false;
      const found = yield* shared.read(key);
      this.#adopt(found);
      const base = this.#base();
      const changes = this.#unwritten.length;
      const next = this.#unwritten.reduce((circuit, change) => change(circuit), base);
      if (!isSame(next, base)) {
        const revision = yield* shared.write(key, next, found.revision);
        if (revision === undefined) return false;
        this.#shared = { circuit: next, revision };
      }
      this.#unwritten.splice(0, changes);
      return true;
    });
    return gather.pipe(
      Effect.andThen(Effect.repeat(isWritten, { until: (written) => written })),
      Effect.asVoid,
      Effect.catch(() => this.#goAlone()),
    );
  }

  #bounded(circuit: Circuit): Circuit {
    const { now, lastsMillis } = this.#options;
    return circuit.untilMillis === undefined ? circuit : heard(circuit, lastsMillis(circuit.state), now());
  }

  #base(): Circuit {
    return this.#shared.circuit ?? closedCircuit;
  }

  /** What is shared, with what this node has changed on top of it; after a time alone its own, if nobody has written. */
  #adopt(found: SharedCircuit): void {
    if (this.#alone) {
      this.#alone = false;
      this.#options.onReached(true);
      const mine = this.circuit;
      if (found.revision === this.#shared.revision && !isSame(mine, this.#base())) this.#unwritten = [() => mine];
    }
    if (found.revision !== this.#shared.revision) {
      this.#shared = { circuit: found.circuit && this.#bounded(found.circuit), revision: found.revision };
    }
    this.#move(this.#unwritten.reduce((circuit, change) => change(circuit), this.#base()));
  }

  #goAlone(): Effect.Effect<void> {
    return Effect.sync(() => {
      if (!this.#alone) this.#options.onReached(false);
      this.#alone = true;
      this.#stale = false;
      this.#unwritten = [];
      if (this.#looksAgain) return;
      this.#looksAgain = true;
      const look = Effect.sync(() => {
        this.#looksAgain = false;
        this.look();
      });
      this.#options.fork(Effect.andThen(Effect.sleep(tryAgainMillis), look));
    });
  }
}

const isSame = (one: Circuit, other: Circuit): boolean =>
  one.state === other.state &&
  one.failures === other.failures &&
  one.successes === other.successes &&
  one.untilMillis === other.untilMillis &&
  one.generation === other.generation;
