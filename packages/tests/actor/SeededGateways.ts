/**
 * Two gateways that take money as real ones do: by key, once; a lost answer charges, a late request charges late. What they
 * do is the seed's choice, or a script's. Owns the ledger; it outlives every process.
 */
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import type {
  GatewayOutcome,
  LookUpOutcome,
  OperationLookUpOutcome,
  OperationOutcome,
} from "@aegispay/core/payment/GatewayOutcome";
import type { Gateway, OperationRequest, StartRequest } from "@aegispay/gateways/Gateway";
import { Effect } from "effect";
import type { Choices } from "./Choices.ts";
import type { Ledger, PaymentLaws } from "./PaymentLaws.ts";

/** What becomes of one request to charge. */
export type Fate =
  | "approved"
  /** The customer must act first, and does, or does not, after a while. */
  | "challenged"
  | "declined"
  | "declinedForGood"
  | "notSent"
  /** The gateway acts, its answer does not come. */
  | "answerLost"
  | "requestLost"
  /** The gateway acts when it has long been given up. */
  | "late"
  | "throwsAtOnce"
  /** The gateway acts, then the adapter dies. */
  | "diesAfterAnswer";

const fates: ReadonlyArray<Fate> = [
  ...([
    "approved",
    "approved",
    "challenged",
    "declined",
    "declinedForGood",
    "notSent",
    "notSent",
    "answerLost",
    "answerLost",
  ] as const),
  ...(["requestLost", "requestLost", "late", "throwsAtOnce", "diesAfterAnswer"] as const),
];

const lost = { _tag: "Unknown", reason: "no answer" } as const;
const notSent = { _tag: "NotSent", reason: "refused" } as const;

/** What a gateway holds of one charge, in minor units. */
export interface Charge {
  /** `<merchant>/<payment>`. */
  readonly reference: string;
  readonly amount: { readonly value: number; readonly currency: string };
  captured: number;
  refunded: number;
  /** It waits for its customer. */
  isWaiting: boolean;
  isVoided: boolean;
}

type Answering = <Answer>(millis: number, answered: () => Answer) => Effect.Effect<Answer>;

export class SeededGateways implements Ledger {
  readonly charged = new Set<string>();
  readonly declined = new Set<string>();
  readonly done = new Set<string>();
  readonly candidates = [
    { gateway: "north", account: "n1", keyRetentionMillis: 86_400_000 },
    { gateway: "south", account: "s1", keyRetentionMillis: 86_400_000 },
  ];
  /** By the gateway's own id. */
  readonly charges = new Map<string, Charge>();
  /** Requests that are still on their way. */
  inTransit = 0;
  /** Look-ups tell the truth from now on. */
  calm = false;
  laws!: PaymentLaws;
  readonly #answers = new Map<string, GatewayOutcome & LookUpOutcome>();
  readonly #operations = new Map<string, OperationOutcome & OperationLookUpOutcome>();
  readonly #sends = new Map<string, number>();
  readonly #notSent = new Map<string, number>();
  readonly #choices: Choices;
  readonly #run: (effect: Effect.Effect<void>) => unknown;
  readonly #fate: () => Fate;

  constructor(choices: Choices, run: (effect: Effect.Effect<void>) => unknown, fate?: () => Fate) {
    this.#choices = choices;
    this.#run = run;
    this.#fate = fate ?? (() => choices.pick(fates));
  }

  sends(key: string): number {
    return this.#sends.get(key) ?? 0;
  }

  notSent(key: string): number {
    return this.#notSent.get(key) ?? 0;
  }

  knows(key: string): boolean {
    return this.#answers.has(key) || this.#operations.has(key);
  }

  /** As a process sees them that lives as long as `alive` says; a call it made goes on without it. */
  of(alive: () => boolean): (name: string, account: string) => Gateway {
    const answer: Answering = (millis, answered) =>
      Effect.andThen(
        Effect.sleep(millis),
        Effect.suspend(() => (alive() ? Effect.succeed(answered()) : Effect.never)),
      );
    return (name, account) => ({
      name,
      account,
      start: (request) => (alive() ? this.#start(request, answer) : Effect.never),
      lookUp: ({ idempotencyKey }) =>
        alive() ? this.#lookUp(() => this.#known(idempotencyKey), answer) : Effect.never,
      operate: (request) => (alive() ? this.#operate(request, answer) : Effect.never),
      lookUpOperation: ({ idempotencyKey }) =>
        alive() ? this.#lookUp(() => this.#operations.get(idempotencyKey), answer) : Effect.never,
    });
  }

  #start(request: StartRequest, answer: Answering): Effect.Effect<GatewayOutcome> {
    const { idempotencyKey: key } = request;
    return this.#send<GatewayOutcome>(key, answer, {
      act: (fate) => this.#act(request, fate),
      answered: () => this.#answers.get(key)!,
    });
  }

  #operate(request: OperationRequest, answer: Answering): Effect.Effect<OperationOutcome> {
    const { idempotencyKey: key } = request;
    return this.#send<OperationOutcome>(key, answer, {
      act: (fate) => this.#book(request, fate),
      answered: () => this.#operations.get(key)!,
    });
  }

  /** One request under a key: what becomes of it is its fate, what the gateway does about it is the same for all. */
  #send<Outcome>(
    key: string,
    answer: Answering,
    { act, answered }: { readonly act: (fate: Fate) => void; readonly answered: () => Outcome },
  ): Effect.Effect<Outcome | typeof lost | typeof notSent> {
    const fate = this.#fate();
    const millis = this.#choices.between(2, this.#choices.chance(0.2) ? 1_500 : 200);
    this.#sends.set(key, this.sends(key) + 1);
    this.laws.note(`  sent: ${fate} in ${millis} ms`);
    this.laws.sent(key);
    switch (fate) {
      case "throwsAtOnce":
        throw new Error("the adapter is broken");
      case "notSent":
        return answer(millis, () => {
          this.#notSent.set(key, this.notSent(key) + 1);
          return notSent;
        });
      case "requestLost":
        return answer(millis, () => lost);
      case "late":
        this.#arrive(millis + this.#choices.between(1, 3_000), () => act(fate));
        return answer(millis, () => lost);
      case "answerLost":
        this.#arrive(millis / 2, () => act(fate));
        return answer(millis, () => lost);
      case "diesAfterAnswer":
        this.#arrive(millis / 2, () => act(fate));
        return Effect.andThen(
          answer(millis, () => undefined),
          Effect.die(new Error("the adapter died")),
        );
      default:
        this.#arrive(millis / 2, () => act(fate));
        return answer(millis, answered);
    }
  }

  #arrive(millis: number, act: () => void): void {
    this.inTransit++;
    const arrived = Effect.sync(() => {
      this.inTransit--;
      act();
    });
    this.#run(Effect.andThen(Effect.sleep(millis), arrived));
  }

  #act({ idempotencyKey, amount, reference, capture }: StartRequest, fate: Fate): void {
    if (this.#answers.has(idempotencyKey)) return;
    const declines = fate === "declined" || fate === "declinedForGood";
    if (declines || (fate !== "approved" && this.#choices.chance(0.3))) {
      const tryAnotherGateway = fate === "declined" || this.#choices.chance(0.5);
      this.declined.add(idempotencyKey);
      this.#answers.set(idempotencyKey, { _tag: "Declined", code: "declined", message: "no", tryAnotherGateway });
      return;
    }
    const gatewayTransactionId = `t${this.charges.size + 1}`;
    const charge: Charge = {
      reference,
      amount,
      captured: 0,
      refunded: 0,
      isWaiting: fate === "challenged",
      isVoided: false,
    };
    this.charges.set(gatewayTransactionId, charge);
    const [merchant = "", paymentId = ""] = reference.split("/");
    const approve = () => {
      this.charged.add(idempotencyKey);
      charge.captured = capture === "manual" ? 0 : amount.value;
      const status = capture === "manual" ? "authorized" : "succeeded";
      this.#answers.set(idempotencyKey, { _tag: "Approved", gatewayTransactionId, status, amount });
      this.laws.charged({ merchant, paymentId } satisfies PaymentRef);
    };
    if (!charge.isWaiting) return approve();
    const nextAction = { type: "redirect", url: "https://bank.example" } as const;
    this.#answers.set(idempotencyKey, { _tag: "ActionRequired", gatewayTransactionId, nextAction });
    const passes = this.#choices.chance(0.6);
    this.#arrive(this.#choices.between(100, 6_000), () => {
      if (charge.isVoided) return;
      charge.isWaiting = false;
      if (passes) return approve();
      this.declined.add(idempotencyKey);
      const code = this.#choices.pick(["authentication_failed", "declined"]);
      this.#answers.set(idempotencyKey, { _tag: "Declined", code, message: "no", tryAnotherGateway: false });
    });
  }

  /** A capture, void or refund, once under its key; the gateway does not do what there is no money for. */
  #book({ idempotencyKey, gatewayTransactionId, kind, amount }: OperationRequest, fate: Fate): void {
    if (this.#operations.has(idempotencyKey)) return;
    const charge = this.charges.get(gatewayTransactionId);
    const value = amount?.value ?? 0;
    const isOpen = charge !== undefined && !charge.isVoided && (kind === "void" || !charge.isWaiting);
    const left = isOpen ? charge.amount.value - charge.captured : 0;
    const isRefused = fate === "declined" || fate === "declinedForGood" || charge === undefined;
    const fits =
      kind === "refund" ? (charge?.captured ?? 0) - (charge?.refunded ?? 0) >= value : left >= Math.max(value, 1);
    // A void may come too late for what was taken meanwhile; nothing else is asked for that is not there.
    this.laws.require(isRefused || fits || kind === "void", `a ${kind} is more than there is at the gateway`);
    if (isRefused || !fits) {
      this.declined.add(idempotencyKey);
      this.#operations.set(idempotencyKey, { _tag: "Refused", code: "refused", message: "no" });
      return;
    }
    if (kind === "capture") charge.captured += value;
    else if (kind === "refund") charge.refunded += value;
    else Object.assign(charge, { isVoided: true, isWaiting: false });
    this.done.add(idempotencyKey);
    const { currency } = charge.amount;
    const moved = { value: kind === "void" ? left : value, currency };
    this.#operations.set(idempotencyKey, { _tag: "Done", operationId: `o${this.done.size}`, amount: moved });
  }

  #known(key: string): LookUpOutcome | undefined {
    const known = this.#answers.get(key);
    if (known?._tag !== "Approved" && known?._tag !== "ActionRequired") return known;
    const charge = this.charges.get(known.gatewayTransactionId)!;
    const { gatewayTransactionId } = known;
    return charge.isVoided && charge.captured === 0 ? { _tag: "Released", gatewayTransactionId } : known;
  }

  #lookUp<Outcome extends { readonly _tag: string }>(known: () => Outcome | undefined, answer: Answering) {
    const millis = this.#choices.between(2, 150);
    const isUnknown = !this.calm && this.#choices.chance(0.3);
    // Some gateways cannot be asked, and answer only the same request under its key: these remember theirs for ever.
    const silence = isUnknown && this.#choices.chance(0.5) ? { ...lost, sameKeyAnswers: true as const } : lost;
    const seen = answer(millis / 2, () => (isUnknown ? silence : (known() ?? ({ _tag: "NotFound" } as const))));
    return Effect.flatMap(seen, (outcome) =>
      answer(millis / 2, () => {
        this.laws.note(`  look-up: ${outcome._tag}`);
        return outcome;
      }),
    );
  }
}
