/**
 * The clients of a simulation: they create, repeat, contradict themselves, and ask for captures, refunds, voids and cancels
 * of what they created or did not. Owns what was asked and what was answered, and holds every answer against the log.
 */
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import { paymentKey } from "@aegispay/core/identity/Identity";
import type { PaymentView } from "@aegispay/core/payment/PaymentView";
import type { CommandReply } from "@aegispay/core/payment/Reply";
import type { Choices } from "./Choices.ts";
import type { DurableWorld } from "./DurableWorld.ts";
import type { PaymentLaws } from "./PaymentLaws.ts";

interface Order {
  readonly payment: PaymentRef;
  readonly verb: string;
  /** Of a further command: identity and body together say whether two are the same. */
  readonly commandId?: string;
  readonly body: string;
}

interface Asked extends Order {
  readonly when: "accepted" | "completed";
  readonly replies: Array<CommandReply>;
}

export const askedValue = 1999;
const otherValue = 5;
const usd = (value: number) => ({ value, currency: "USD" });

const further = ["capture", "capture", "refund", "refund", "refund", "void", "cancel", "authenticate"] as const;

/** Refusals that are not remembered: the same command may get another answer later. */
const forgotten = new Set(["PaymentNotFound", "Overloaded", "Parked"]);

const operationsOf = ({ captures, voids, refunds }: PaymentView) => [...captures, ...voids, ...refunds];

export class SimulatedClients {
  readonly #choices: Choices;
  readonly #world: DurableWorld;
  readonly #laws: PaymentLaws;
  readonly #asked = new Map<string, Asked>();

  constructor(choices: Choices, world: DurableWorld, laws: PaymentLaws) {
    this.#choices = choices;
    this.#world = world;
    this.#laws = laws;
  }

  /** Every second payment is captured by hand. */
  create(payment: PaymentRef, value = this.#choices.chance(0.35) ? askedValue : otherValue): void {
    const isManual = Number(payment.paymentId.slice(1)) % 2 === 1;
    const capture = isManual ? { capture: "manual" } : {};
    const body = JSON.stringify({ amount: usd(value), method: { type: "card", token: "tok" }, ...capture });
    this.#publish({ payment, verb: "create", body });
  }

  /** One of a handful of ids; mostly, the same id says the same. */
  further(payment: PaymentRef): void {
    const id = this.#choices.between(0, 7);
    const verb = further[id]!;
    const value = this.#choices.chance(0.1) ? this.#choices.between(1, 2_500) : 300 * (id + 1);
    const isPartial = verb === "capture" || verb === "refund";
    const body = isPartial && id > 1 ? { amount: usd(value) } : verb === "authenticate" ? { result: "back" } : {};
    this.#publish({ payment, verb, commandId: `k${id}`, body: JSON.stringify(body) });
  }

  #publish(order: Order, wants = this.#choices.chance(0.6)): void {
    const { payment, verb, commandId, body } = order;
    const headers: Record<string, string> = commandId === undefined ? {} : { "Aegis-Command-Id": commandId };
    if (wants) {
      const token = `token-of-asker-${this.#asked.size}`;
      const when = this.#choices.chance(0.2) ? "accepted" : "completed";
      Object.assign(headers, { "Aegis-Reply-To": token, "Aegis-Reply-When": when });
      this.#asked.set(token, { ...order, when, replies: [] });
    }
    this.#laws.note(`${payment.paymentId} published ${verb} ${body} ${headers["Aegis-Reply-To"] ?? ""}`);
    this.#world.publish({ source: "command", payment, verb, body, headers });
  }

  answered(token: string, reply: CommandReply): void {
    const asker = this.#asked.get(token);
    if (asker === undefined) return this.#laws.require(false, `nobody asked by the token ${token}`);
    asker.replies.push(reply);
    const { payment, verb, when } = asker;
    const state = this.#laws.stateOf(payment);
    const said = reply.ok ? reply.payment.state : reply.error.code;
    this.#laws.note(`${payment.paymentId} answered ${token} ${said}`);
    if (!reply.ok && forgotten.has(reply.error.code)) return;
    if (state.name === "ABSENT") return this.#laws.require(false, "answered before anything was committed");
    if (reply.payment !== undefined) {
      this.#laws.require(
        reply.payment.state === state.name,
        `answered ${reply.payment.state}, the log says ${state.name}`,
      );
    }
    if (verb !== "create")
      return reply.ok && when === "completed" ? this.#operationIsDone(asker, reply.payment) : undefined;
    const isSame =
      state.order.create.amount.value === (JSON.parse(asker.body) as { amount: { value: number } }).amount.value;
    if (!reply.ok) return this.#laws.require(!isSame, `the same command is refused: ${reply.error.message}`);
    this.#laws.require(isSame, "a command with another body is taken for a repeat");
    const isUnderWay = ["PROCESSING", "OUTCOME_UNKNOWN"].includes(reply.payment.state);
    this.#laws.require(when === "accepted" || !isUnderWay, `answered with ${reply.payment.state} before it is at rest`);
  }

  #operationIsDone({ commandId }: Asked, view: PaymentView): void {
    const operation = operationsOf(view).find((one) => one.commandId === commandId);
    const isOpen = operation?.status === "PENDING" || operation?.status === "UNKNOWN";
    this.#laws.require(!isOpen || view.state === "NEEDS_REVIEW", `answered while ${commandId} is ${operation?.status}`);
  }

  /** Whoever has no answer, since the process that would have given it has ended, asks again, and so do all others. */
  askAgain(): void {
    const before = Array.from(this.#asked.values());
    for (const { when: _when, replies: _replies, ...order } of before) this.#publish(order, true);
  }

  everyoneIsAnswered(): void {
    for (const [token, { replies }] of this.#asked) {
      this.#laws.require(replies.length > 0, `${token} was not answered`);
    }
  }

  /** Since `askAgain` doubled them, the second half is the latest. */
  theLastAreAnswered(): void {
    for (const [token, { replies }] of [...this.#asked].slice(this.#asked.size / 2)) {
      this.#laws.require(replies.length > 0, `${token} asked in vain`);
    }
  }

  /** The same command never gets two answers: neither taken and refused, nor refused for two reasons. */
  nobodyWasToldTwoThings(): void {
    const told = new Map<string, Set<string>>();
    for (const { payment, verb, commandId, body, replies } of this.#asked.values()) {
      const key = `${paymentKey(payment)} ${verb} ${commandId ?? ""} ${body}`;
      const said = told.get(key) ?? new Set();
      told.set(key, said);
      for (const reply of replies) {
        const what = reply.ok ? "taken" : reply.error.code;
        if (!forgotten.has(what)) said.add(what);
      }
    }
    for (const [key, said] of told) this.#laws.require(said.size <= 1, `${key}: told ${[...said].join(" and ")}`);
  }
}
