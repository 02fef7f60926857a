/**
 * The laws of DESIGN.md as they can be broken in a simulation. Owns what it needs to know of the past; is told of every
 * commit, call, charge and change of a holder, at the moment it becomes durable or leaves.
 */
import { paymentKey, type PaymentRef } from "@aegispay/core/identity/Identity";
import { Commit } from "@aegispay/core/payment/Commit";
import { evolveAll } from "@aegispay/core/payment/evolve";
import type { Intent } from "@aegispay/core/payment/intents";
import type { PaymentEvent } from "@aegispay/core/payment/PaymentEvent";
import { absent, type Attempt, type PaymentState } from "@aegispay/core/payment/PaymentState";
import { debtOf, holds, type Holding } from "@aegispay/runtime/debts/Debts";
import { Schema } from "effect";

/** What a gateway has under one key, and what came of the tries. */
export interface Ledger {
  readonly charged: ReadonlySet<string>;
  readonly declined: ReadonlySet<string>;
  readonly sends: (key: string) => number;
  /** Tries of which a living process was told that they never left. */
  readonly notSent: (key: string) => number;
}

interface Known {
  readonly payment: PaymentRef;
  state: PaymentState;
  /** By round name: the process whose commit opened it. */
  readonly openedBy: Map<string, number>;
  readonly called: Set<string>;
  /** Keys of all attempts. */
  readonly keys: Set<string>;
}

const decodeBody = Schema.decodeUnknownSync(Schema.fromJsonString(Commit));

export class PaymentLaws {
  readonly broken: Array<string> = [];
  readonly trace: Array<string> = [];
  readonly #known = new Map<string, Known>();
  readonly #now: () => number;
  readonly #ledger: Ledger;
  readonly #holdings: (payment: PaymentRef) => ReadonlyArray<Holding>;
  readonly #maxRetries: number;

  constructor(
    now: () => number,
    ledger: Ledger,
    holdings: (payment: PaymentRef) => ReadonlyArray<Holding>,
    maxRetries: number,
  ) {
    this.#now = now;
    this.#ledger = ledger;
    this.#holdings = holdings;
    this.#maxRetries = maxRetries;
  }

  note(text: string): void {
    this.trace.push(`${String(this.#now()).padStart(7)} ${text}`);
  }

  require(holdsTrue: boolean, sentence: string): void {
    if (holdsTrue) return;
    this.note(`BROKEN: ${sentence}`);
    this.broken.push(`at ${this.#now()} ms: ${sentence}`);
  }

  stateOf(payment: PaymentRef): PaymentState {
    return this.#known.get(paymentKey(payment))?.state ?? absent;
  }

  get payments(): ReadonlyArray<Known> {
    return [...this.#known.values()];
  }

  committed(payment: PaymentRef, body: string, life: number): void {
    const known = this.#of(payment);
    const { events } = decodeBody(body);
    this.note(`${payment.paymentId} commit ${events.map(shown).join(", ")}`);
    let before: PaymentState = known.state;
    for (const event of events) {
      if (event.type === "AttemptStarted" || event.type === "PaymentFailed") this.#attemptsHaveFailed(known, before);
      const after: PaymentState | undefined = evolveAll(before, [event]);
      this.require(after !== undefined, `${event.type} is illegal in ${before.name}`);
      before = after ?? before;
    }
    known.state = before;
    const { state } = known;
    if ("attempt" in state) known.keys.add(state.attempt.idempotencyKey);
    if ("round" in state && state.round !== undefined) known.openedBy.set(nameOf(state.attempt, state.round), life);
    if (state.name === "SUCCESS") {
      this.require(this.#ledger.charged.has(state.attempt.idempotencyKey), "law 4: a SUCCESS without its charge");
    }
    this.nothingForgotten(payment, "commit");
  }

  /** A call leaves for this round. */
  callLeaves(payment: PaymentRef, { attempt, round }: Intent, life: number): void {
    const known = this.#of(payment);
    const { state } = known;
    const name = nameOf(attempt, round);
    this.note(`${payment.paymentId} call ${round.action} ${name}`);
    this.require(
      known.openedBy.get(name) === life,
      `law 1: round ${name} was not committed in this life, and is called`,
    );
    this.require(!known.called.has(name), `law 1: round ${name} is called a second time`);
    known.called.add(name);
    const isOpen = "round" in state && state.round !== undefined && nameOf(state.attempt, state.round) === name;
    this.require(isOpen, `law 1: round ${name} is called and is no longer what is owed`);
    this.nothingForgotten(payment, `call ${name}`);
  }

  sent(key: string): void {
    const sends = this.#ledger.sends(key);
    this.require(sends <= 1 + this.#maxRetries, `criterion 20: one attempt was sent ${sends} times`);
  }

  charged(payment: PaymentRef): void {
    const known = this.#of(payment);
    const charges = [...known.keys].filter((key) => this.#ledger.charged.has(key));
    this.note(`${payment.paymentId} CHARGED`);
    this.require(charges.length === 1, `criterion 11: charged ${charges.length} times over all gateways`);
    this.require(known.state.name !== "FAILURE", "law 4: charged after its FAILURE");
  }

  /** Law 5, at this very moment. */
  nothingForgotten(payment: PaymentRef, after: string): void {
    const debt = debtOf(payment, this.stateOf(payment));
    if (debt === undefined || this.#holdings(payment).some((holding) => holds(debt, holding))) return;
    this.require(false, `law 5: ${payment.paymentId} owes ${debt.owes} and nothing holds it (after ${after})`);
  }

  /** Law 4: an attempt fails only by the gateway's own word, or because none of its tries ever left. */
  #attemptsHaveFailed(known: Known, before: PaymentState): void {
    for (const key of known.keys) {
      this.require(!this.#ledger.charged.has(key), "law 4: an attempt that took the money is given up");
      const neverLeft = this.#ledger.sends(key) === this.#ledger.notSent(key);
      this.require(
        this.#ledger.declined.has(key) || neverLeft,
        `law 4: an attempt ends in ${before.name} without evidence`,
      );
    }
  }

  #of(payment: PaymentRef): Known {
    const key = paymentKey(payment);
    const found = this.#known.get(key) ?? {
      payment,
      state: absent,
      openedBy: new Map(),
      called: new Set(),
      keys: new Set(),
    };
    this.#known.set(key, found);
    return found;
  }
}

const nameOf = (attempt: Attempt, round: Intent["round"]): string => `${attempt.number}/${round.round}`;

const shown = (event: PaymentEvent): string => {
  if (event.type === "RoundStarted") {
    return `${event.data.action} ${event.data.attempt}/${event.data.round} v${event.version} due ${event.data.due.slice(14, 23)}`;
  }
  return event.type;
};
