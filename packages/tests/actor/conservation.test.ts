/**
 * Conservation of money without an actor: a payment and a gateway's own books, over thousands of seeded lives of commands,
 * calls, lost and late answers, requests that arrive when their owner has gone, notifications, expiries and changes of owner
 * between any two steps. Whatever happens: in the end both say the same, to the minor unit.
 */
import { canonicalHash } from "@aegispay/core/identity/canonical";
import { decide } from "@aegispay/core/payment/decide";
import { evolveAll } from "@aegispay/core/payment/evolve";
import { isoTime } from "@aegispay/core/payment/Given";
import { isOperation } from "@aegispay/core/payment/Errand";
import { errandsOf, expirySet, intents, type GatewayIntent } from "@aegispay/core/payment/intents";
import { captured, refunded } from "@aegispay/core/payment/reservations";
import type { FurtherCommand, PaymentCommand, Recorded } from "@aegispay/core/payment/PaymentCommand";
import { placeEvents } from "@aegispay/core/payment/PaymentEvent";
import { absent, attemptOf, hasEnded, isHeld, type PaymentState } from "@aegispay/core/payment/PaymentState";
import { Result } from "effect";
import { describe, expect, it } from "vitest";
import { create, givenAt, payment } from "../core/paymentExamples.ts";
import { Choices } from "./Choices.ts";
import { ModelGateway } from "./ModelGateway.ts";

const unknown = { _tag: "Unknown", reason: "no answer" } as const;
const notSent = { _tag: "NotSent", reason: "refused" } as const;
const storm = 60;
/** Long enough for a review's daily look-ups; what the gateway knows nothing of stays with people. */
const settlingMillis = 3 * 86_400_000;
const callsToSettle = 400;

class Life {
  readonly choices: Choices;
  readonly gateway: ModelGateway;
  state: PaymentState = absent;
  /** Rounds up to this version were begun by an owner that has gone. */
  #ownedAfter = 0;
  #later = 0;
  readonly #called = new Set<number>();
  /** What came of calls, on its way. */
  readonly #answers: Array<Recorded> = [];
  /** Requests of owners that have gone, on their way. */
  readonly #requests: Array<GatewayIntent> = [];

  constructor(seed: number) {
    this.choices = new Choices(seed);
    this.gateway = new ModelGateway(this.choices);
  }

  get #given() {
    return givenAt(this.#later);
  }

  tell(command: PaymentCommand): void {
    const decision = decide(this.state, command);
    if (Result.isFailure(decision)) return;
    const next = evolveAll(this.state, placeEvents(decision.success, this.state.version, isoTime(command.given.at)));
    if (next === undefined) throw new Error(`${command.type} decided an illegal step in ${this.state.name}`);
    this.state = next;
  }

  get #owed(): ReadonlyArray<GatewayIntent> {
    return intents(this.state).filter((intent) => intent.kind !== "expiry");
  }

  /** The request arrives; what it comes to there. */
  #arrive(intent: GatewayIntent): Recorded["outcome"] {
    const isLookUp = intent.round.action === "lookUp";
    if (intent.kind === "charge") {
      return isLookUp ? this.gateway.lookUp(intent.attempt.idempotencyKey) : this.gateway.start(intent.attempt);
    }
    const { amount, ...operation } = intent.operation;
    return isLookUp
      ? this.gateway.lookUpOperation(operation.idempotencyKey)
      : this.gateway.operate({ ...operation, ...(amount === undefined ? {} : { amount }) });
  }

  #recorded(intent: GatewayIntent, outcome: Recorded["outcome"]): Recorded {
    const { round } = intent.round;
    const about = { payment, round, given: this.#given };
    if (intent.kind === "operation") {
      return { type: "RecordOperation", operation: intent.operation.number, ...about, outcome } as Recorded;
    }
    const type = intent.round.action === "lookUp" ? "RecordLookUp" : "RecordOutcome";
    return { type, attempt: intent.attempt.number, ...about, outcome } as Recorded;
  }

  #call(intent: GatewayIntent, isCalm: boolean): void {
    // Law 1: a round of somebody who has gone is begun anew first.
    if (intent.round.version <= this.#ownedAfter) {
      return this.tell({ type: "Resume", payment, round: intent.round.version, given: this.#given });
    }
    // A round is called once in an owner's life.
    if (this.#called.has(intent.round.version)) return;
    this.#called.add(intent.round.version);
    this.#later = Math.max(this.#later, Date.parse(intent.round.due) - givenAt().at);
    if (!isCalm && this.choices.chance(0.15)) {
      const heard = intent.round.action === "lookUp" || this.choices.chance(0.5) ? unknown : notSent;
      return void this.#answers.push(this.#recorded(intent, heard));
    }
    const outcome = this.#arrive(intent);
    const isLost = !isCalm && this.choices.chance(0.3);
    this.#answers.push(this.#recorded(intent, isLost ? unknown : outcome));
  }

  #hear(): void {
    const index = this.choices.between(0, this.#answers.length - 1);
    const [answer] = this.choices.chance(0.1) ? [this.#answers[index]] : this.#answers.splice(index, 1);
    if (answer !== undefined) this.tell({ ...answer, given: this.#given });
  }

  /** Its calls are never answered, some of its requests arrive later. */
  #ownerGoes(): void {
    for (const intent of this.#owed) {
      if (intent.round.action !== "lookUp" && this.choices.chance(0.5)) this.#requests.push(intent);
    }
    this.#answers.length = 0;
    this.#ownedAfter = this.state.version;
  }

  #command(): void {
    const { choices } = this;
    const id = choices.between(1, 30);
    const amount = choices.chance(0.3) ? {} : { amount: { value: choices.between(1, 1_500), currency: "USD" } };
    const asked = (type: FurtherCommand["type"], body: object) =>
      this.tell({
        type,
        payment,
        body,
        hash: canonicalHash(body),
        commandId: `k${id}`,
        message: `1/${id}`,
        given: this.#given,
      } as FurtherCommand);
    const inQuestion = errandsOf(this.state).find(({ review }) => review !== undefined);
    switch (choices.between(0, 7)) {
      // An operator who knows nothing: the gateway may contradict.
      case 7:
        return inQuestion !== undefined && isOperation(inQuestion)
          ? asked("Resolve", { operation: inQuestion.number, as: "FAILED", reason: "why" })
          : asked("Resolve", { as: choices.pick(["FAILURE", "VOIDED", "EXPIRED"]), reason: "why" });
      case 0:
        return asked("Void", {});
      case 1:
        return asked("Cancel", {});
      case 2:
        return asked("Authenticate", { result: 1 });
      case 3:
      case 4:
        return asked("Capture", amount);
      default:
        return asked("Refund", amount);
    }
  }

  step(): void {
    const { choices, gateway } = this;
    this.#later += choices.chance(0.05) ? 3_600_000 : choices.between(0, 3_000);
    const dice = choices.fraction();
    const owed = this.#owed;
    const expiry = expirySet(this.state);
    if (dice < 0.35 && owed.length > 0) this.#call(choices.pick(owed), false);
    else if (dice < 0.65 && this.#answers.length > 0) this.#hear();
    else if (dice < 0.7) this.#ownerGoes();
    else if (dice < 0.73 && this.#requests.length > 0) this.#arrive(this.#requests.pop()!);
    else if (dice < 0.9) this.#command();
    else if (dice < 0.92) gateway.customerActs();
    else if (dice < 0.925) gateway.changesItsMind();
    else if (dice < 0.93) gateway.lapses();
    else if (dice < 0.96) this.tell({ type: "Notify", payment, given: this.#given });
    else if (expiry !== undefined) this.tell({ type: "Expire", payment, version: expiry.version, given: this.#given });
  }

  /** Nothing is lost any more, everything that is on its way arrives, and every notification comes. */
  settle(): void {
    for (const request of this.#requests.splice(0)) this.#arrive(request);
    this.#answerAll();
    this.tell({ type: "Notify", payment, given: this.#given });
    this.#answerAll();
  }

  #answerAll(): void {
    const until = givenAt(this.#later + settlingMillis).at;
    for (let passed = 0; passed < callsToSettle; passed++) {
      while (this.#answers.length > 0) this.tell({ ...this.#answers.shift()!, given: this.#given });
      const dues = this.#owed.toSorted((one, other) => one.round.due.localeCompare(other.round.due));
      const next = dues[0];
      if (next === undefined || Date.parse(next.round.due) > until) return;
      this.#call(next, true);
    }
    throw new Error(`it does not settle: ${this.state.name}`);
  }
}

const live = (seed: number): Life => {
  const life = new Life(seed);
  const isManual = life.choices.chance(0.5);
  life.tell(create({ amount: { value: 1_999, currency: "USD" }, ...(isManual ? { capture: "manual" as const } : {}) }));
  for (let index = 0; index < storm; index++) life.step();
  life.settle();
  return life;
};

describe("a payment and its gateway's books", () => {
  it("say the same in the end, to the minor unit, whatever was lost, late, repeated or taken over", () => {
    const ends = new Set<string>();
    for (let seed = 1; seed <= 4_000; seed++) {
      const { state, gateway } = live(seed);
      ends.add(state.name);
      // What people look at may be anything, until they have found out.
      if (state.name === "ABSENT" || state.name === "NEEDS_REVIEW") continue;
      const own = attemptOf(state)?.gatewayTransactionId;
      for (const charge of gateway.charges.values()) {
        const where = `seed ${seed}: ${state.name} and charge ${charge.id} (${charge.status})`;
        if (isHeld(state) && charge.id === own) {
          const { captured: taken, refunded: givenBack } = charge;
          expect({ where, taken, givenBack }).toEqual({ where, taken: captured(state), givenBack: refunded(state) });
        } else if (isHeld(state) || hasEnded(state)) {
          // What is not the winner's holds nothing, and has given back whatever it took.
          const holds = charge.status === "authorized" || charge.captured !== charge.refunded;
          expect({ where, holds }).toEqual({ where, holds: false });
        }
      }
    }
    const all = [
      "AUTHORIZED",
      "EXPIRED",
      "FAILURE",
      "NEEDS_REVIEW",
      "PARTIALLY_CAPTURED",
      "REQUIRES_ACTION",
      "SUCCESS",
    ];
    expect([...ends].toSorted()).toEqual([...all, "VOIDED"]);
  });
});
