/**
 * The laws of DESIGN.md as they can be broken in a simulation. Owns what it needs to know of the past; is told of every
 * commit, call, charge and change of a holder, at the moment it becomes durable or leaves.
 */
import { paymentKey, type PaymentRef } from "@aegispay/core/identity/Identity";
import { Commit } from "@aegispay/core/payment/Commit";
import { evolveAll } from "@aegispay/core/payment/evolve";
import { isOperation, type Operation } from "@aegispay/core/payment/Errand";
import { errandsOf, intents, type GatewayIntent } from "@aegispay/core/payment/intents";
import type { PaymentEvent } from "@aegispay/core/payment/PaymentEvent";
import { captured, refunded, refunding, authorized, capturing } from "@aegispay/core/payment/reservations";
import { absent, behindReview, isHeld, type PaymentState } from "@aegispay/core/payment/PaymentState";
import { debtsOf, holds, type Holding } from "@aegispay/runtime/debts/Debts";
import { Schema } from "effect";

/** What a gateway has under one key, and what came of the tries. */
export interface Ledger {
  /** Charges that were approved, and operations that were done. */
  readonly charged: ReadonlySet<string>;
  readonly done: ReadonlySet<string>;
  /** Charges that were declined, and operations that were refused. */
  readonly declined: ReadonlySet<string>;
  readonly sends: (key: string) => number;
  /** Tries of which a living process was told that they never left. */
  readonly notSent: (key: string) => number;
}

interface Known {
  readonly payment: PaymentRef;
  state: PaymentState;
  /** By the version of the round: the process whose commit opened it. */
  readonly openedBy: Map<number, number>;
  readonly called: Set<number>;
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
    const { state: earlier } = known;
    known.state = before;
    const { state } = known;
    for (const errand of errandsOf(state)) {
      if (!isOperation(errand)) known.keys.add(errand.idempotencyKey);
      else this.#operationsStandOnEvidence(earlier, errand);
    }
    const opened = state.version - events.length;
    for (const { round } of intents(state)) if (round.version > opened) known.openedBy.set(round.version, life);
    const held = behindReview(state);
    if (isHeld(held)) {
      this.require(this.#ledger.charged.has(held.attempt.idempotencyKey), `law 4: ${held.name} without its charge`);
    }
    if (state.name !== "ABSENT") {
      this.require(captured(state) + capturing(state) <= authorized(state), "more captures than were authorized");
      this.require(refunded(state) + refunding(state) <= captured(state), "more refunds than were captured");
    }
    this.nothingForgotten(payment, "commit");
  }

  /** A call leaves for this round. */
  callLeaves(payment: PaymentRef, intent: GatewayIntent, life: number): void {
    const known = this.#of(payment);
    const { version } = intent.round;
    const name = nameOf(intent);
    this.note(`${payment.paymentId} call ${intent.round.action} ${name}`);
    this.require(
      known.openedBy.get(version) === life,
      `law 1: round ${name} was not committed in this life, and is called`,
    );
    this.require(!known.called.has(version), `law 1: round ${name} is called a second time`);
    known.called.add(version);
    const isOpen = intents(known.state).some(({ round }) => round.version === version);
    this.require(isOpen, `law 1: round ${name} is called and is no longer what is owed`);
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
    const debts = debtsOf(payment, this.stateOf(payment));
    if (debts.length === 0) return;
    const holdings = this.#holdings(payment);
    for (const debt of debts) {
      const isHeldBySomething = holdings.some((holding) => holds(debt, holding));
      this.require(
        isHeldBySomething,
        `law 5: ${payment.paymentId} owes ${debt.owes} and nothing holds it (after ${after})`,
      );
    }
  }

  /** Law 4 for captures, voids and refunds: done on the gateway's word, failed on its word or since none ever left. */
  #operationsStandOnEvidence(earlier: PaymentState, { number, status, kind, idempotencyKey: key }: Operation): void {
    const before = earlier.name === "ABSENT" ? undefined : earlier.operations[number - 1]?.status;
    if (before === status) return;
    if (status === "SUCCEEDED") {
      this.require(this.#ledger.done.has(key), `law 4: a ${kind} that the gateway did not do has SUCCEEDED`);
    }
    if (status === "FAILED") {
      const neverLeft = this.#ledger.sends(key) === this.#ledger.notSent(key);
      this.require(!this.#ledger.done.has(key), `law 4: a ${kind} that was done has FAILED`);
      this.require(this.#ledger.declined.has(key) || neverLeft, `law 4: a ${kind} has FAILED without evidence`);
    }
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

const nameOf = (intent: GatewayIntent): string =>
  intent.kind === "charge"
    ? `${intent.attempt.number}/${intent.round.round}`
    : `${intent.operation.kind} ${intent.operation.number}/${intent.round.round}`;

const shown = (event: PaymentEvent): string => {
  if (event.type === "RoundStarted" || event.type === "OperationRoundStarted") {
    const about = "attempt" in event.data ? event.data.attempt : `operation ${event.data.operation}`;
    return `${event.data.action} ${about}/${event.data.round} v${event.version} due ${event.data.due.slice(14, 23)}`;
  }
  return event.type;
};
