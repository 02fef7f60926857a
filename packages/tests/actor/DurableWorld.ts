/**
 * What outlives a process: log, queue, timers, parked entries, each late, repeating and failing as the seed says. A process
 * reaches it through `portsOf`; one that has ended changes nothing any more, whatever it still tries. The laws are looked at
 * on every change.
 */
import { paymentKey, type PaymentRef } from "@aegispay/core/identity/Identity";
import { DeadLetters, ParkingFailed, type DeadLetter } from "@aegispay/runtime/dead/DeadLetters";
import type { Holding } from "@aegispay/runtime/debts/Debts";
import type { Delivery } from "@aegispay/runtime/ingress/CommandQueue";
import { AppendConflict, EventLog, type NewCommit, type StoredCommit } from "@aegispay/runtime/log/EventLog";
import { ArmingFailed, Timers, type Timer } from "@aegispay/runtime/timers/Timers";
import { Effect, Layer } from "effect";
import type { Choices } from "./Choices.ts";
import type { PaymentLaws } from "./PaymentLaws.ts";

export interface Message {
  readonly source: Delivery["source"];
  readonly payment: PaymentRef;
  readonly verb: string;
  readonly version?: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly sequence: number;
}

/** One process, as the world sees it. */
export interface Life {
  readonly number: number;
  readonly alive: () => boolean;
  readonly take: (delivery: Delivery) => void;
}

export interface WorldEvents {
  /** A moment at which a process may end. */
  readonly moment: (what: string) => void;
  readonly armed: (payment: PaymentRef, dueMillis: number) => void;
}

const mayHoldDebt = ({ code }: DeadLetter): boolean => code === "Parked" || code === "EventContinuity";

export class DurableWorld {
  readonly messages = new Map<number, Message>();
  readonly parked: Array<DeadLetter> = [];
  /** How often a payment was given up. */
  givenUp = 0;
  /** As many of the next parkings fail. */
  parkingFailures = 0;
  /** Nothing fails any more. */
  calm = false;
  laws!: PaymentLaws;
  life: Life | undefined;
  readonly #logs = new Map<string, Array<StoredCommit>>();
  readonly #timers = new Map<string, Timer>();
  readonly #choices: Choices;
  readonly #now: () => number;
  readonly #run: (effect: Effect.Effect<void>) => unknown;
  readonly #events: WorldEvents;
  #sequence = 0;

  constructor(choices: Choices, now: () => number, run: (effect: Effect.Effect<void>) => unknown, events: WorldEvents) {
    this.#choices = choices;
    this.#now = now;
    this.#run = run;
    this.#events = events;
  }

  after(millis: number, action: () => void): void {
    this.#run(Effect.andThen(Effect.sleep(millis), Effect.sync(action)));
  }

  publish(message: Omit<Message, "sequence">): number {
    const placed = { ...message, sequence: ++this.#sequence };
    this.messages.set(placed.sequence, placed);
    this.#deliver(placed);
    return placed.sequence;
  }

  /** A new process takes over: what is un-acked comes at once. */
  begin(life: Life): void {
    this.life = life;
    for (const message of this.messages.values()) this.#deliver(message);
  }

  readonly holdings = (payment: PaymentRef): ReadonlyArray<Holding> => {
    const key = paymentKey(payment);
    const isOurs = (other: { readonly payment: PaymentRef }) => paymentKey(other.payment) === key;
    return [
      ...[...this.messages.values()].filter(isOurs).map(({ source }): Holding => ({ by: source })),
      ...[...this.#timers.values()].filter(isOurs).map(({ version, kind }): Holding => ({ by: "timer", version, kind })),
      ...this.parked.filter((letter) => isOurs(letter) && mayHoldDebt(letter)).map((): Holding => ({ by: "parked" })),
    ];
  };

  #deliver(message: Message): void {
    const { life } = this;
    if (life === undefined || !life.alive()) return;
    const isOpen = () => life.alive() && this.messages.get(message.sequence) === message;
    const { sequence, source, payment, headers, body, verb, version } = message;
    const take = (how: string) => {
      if (!isOpen()) return;
      this.laws.note(`${payment.paymentId} ${how} ${source} ${sequence} ${verb} ${version ?? ""} ${body}`);
      life.take(delivery);
    };
    const ack = () => {
      if (!isOpen()) return;
      this.laws.note(`${payment.paymentId} ack ${sequence}`);
      this.messages.delete(sequence);
      this.laws.nothingForgotten(payment, `ack ${sequence}`);
      this.#events.moment("ack");
    };
    const delivery: Delivery = {
      source,
      shard: 0,
      epoch: life.number,
      payment,
      verb,
      ...(version === undefined ? {} : { version }),
      body: Buffer.from(body),
      header: (name) => headers[name],
      headerText: () => Object.values(headers).join("\n"),
      sequence,
      ack,
      erase: Effect.sync(ack),
      returnLater: (millis) => this.after(millis, () => take("returned")),
    };
    this.after(this.#choices.between(0, 4), () => take("take"));
    // At least once: now and then it comes twice, although nothing was lost.
    if (!this.calm && this.#choices.chance(0.03)) this.after(this.#choices.between(5, 2_000), () => take("again"));
  }

  #fire(name: string, timer: Timer): void {
    if (this.#timers.get(name) !== timer) return;
    this.#timers.delete(name);
    const { payment, kind, version } = timer;
    this.publish({ source: "due", payment, verb: kind, version, body: "", headers: {} });
  }

  #wait<Answer>(life: Life, mostMillis: number, act: () => Answer): Effect.Effect<Answer> {
    return Effect.andThen(
      Effect.sleep(this.#choices.between(0, mostMillis)),
      Effect.suspend(() => (life.alive() ? Effect.succeed(act()) : Effect.never)),
    );
  }

  /** Acts, then answers, unless the process has ended before or in between. */
  #ask<Answer>(life: Life, mostMillis: number, act: () => Answer): Effect.Effect<Answer> {
    return Effect.flatMap(this.#wait(life, mostMillis, act), (answer) => this.#wait(life, mostMillis, () => answer));
  }

  #append(life: Life, { payment, expectedSequence, body }: NewCommit): number | AppendConflict {
    const log = this.#logs.get(paymentKey(payment)) ?? [];
    this.#logs.set(paymentKey(payment), log);
    const last = log.at(-1)?.sequence ?? 0;
    if (last !== expectedSequence) return new AppendConflict({ lastSequence: last });
    const sequence = ++this.#sequence;
    log.push({ sequence, commitId: `c${sequence}`, body: Buffer.from(body) });
    this.laws.committed(payment, body, life.number);
    this.#events.moment("commit");
    return sequence;
  }

  #arm(timer: Timer, due: string): boolean {
    if (!this.calm && this.#choices.chance(0.05)) return false;
    const dueMillis = Date.parse(due);
    const name = `${paymentKey(timer.payment)}/${timer.kind}/${timer.version}`;
    const armed = { ...timer };
    this.#timers.set(name, armed);
    this.laws.note(`${timer.payment.paymentId} armed v${timer.version} due ${due.slice(14, 23)}`);
    const lateMillis = this.#choices.between(0, 50);
    this.after(Math.max(0, dueMillis - this.#now()) + lateMillis, () => this.#fire(name, armed));
    this.#events.armed(timer.payment, dueMillis);
    this.#events.moment("arm");
    return this.calm || this.#choices.chance(0.95);
  }

  #cancel(timer: Timer): void {
    if (this.#choices.chance(0.1)) return;
    this.#timers.delete(`${paymentKey(timer.payment)}/${timer.kind}/${timer.version}`);
    this.laws.note(`${timer.payment.paymentId} cancelled v${timer.version}`);
    this.laws.nothingForgotten(timer.payment, `cancelling v${timer.version}`);
    this.#events.moment("cancel");
  }

  #park(letter: DeadLetter): boolean {
    if (!this.calm && this.parkingFailures > 0) {
      this.parkingFailures--;
      return false;
    }
    this.laws.note(`${letter.payment.paymentId} parked ${letter.code} ${letter.message}`);
    if (!this.parked.some(({ message, code }) => message === letter.message && code === letter.code)) {
      this.parked.push(letter);
      if (mayHoldDebt(letter)) this.givenUp++;
    }
    this.#events.moment("park");
    return true;
  }

  /** An operator has every payment that was given up tried again. */
  resumeParked(): void {
    for (const letter of this.parked.splice(0)) {
      const { payment, source, verb, body = "", headers = {} } = letter;
      if (!mayHoldDebt(letter)) this.parked.push(letter);
      else if (source === "command") this.publish({ source, payment, verb, body, headers });
      else this.publish({ source: "internal", payment, verb: "resume", body: "", headers: {} });
    }
  }

  portsOf(life: Life): Layer.Layer<EventLog | Timers | DeadLetters> {
    return Layer.mergeAll(
      Layer.succeed(
        EventLog,
        EventLog.of({
          append: (commit) =>
            Effect.flatMap(
              this.#ask(life, 8, () => this.#append(life, commit)),
              (stored) => (typeof stored === "number" ? Effect.succeed({ sequence: stored }) : stored),
            ),
          read: (payment) => this.#ask(life, 5, () => [...(this.#logs.get(paymentKey(payment)) ?? [])]),
        }),
      ),
      Layer.succeed(
        Timers,
        Timers.of({
          arm: (timer, due) =>
            Effect.flatMap(
              this.#ask(life, 8, () => this.#arm(timer, due)),
              (known) => (known ? Effect.void : new ArmingFailed({ cause: "ordered" })),
            ),
          cancel: (timer) => this.#ask(life, 8, () => this.#cancel(timer)),
        }),
      ),
      Layer.succeed(
        DeadLetters,
        DeadLetters.of({
          park: (letter) =>
            Effect.flatMap(
              this.#ask(life, 50, () => this.#park(letter)),
              (parked) => (parked ? Effect.void : new ParkingFailed({ cause: "ordered" })),
            ),
        }),
      ),
    );
  }
}
