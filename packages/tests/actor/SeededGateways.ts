/**
 * Two gateways that take money as real ones do: by key, once; a lost answer charges, a late request charges late. What they
 * do is the seed's choice, or a script's. Owns the ledger; it outlives every process.
 */
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import type { GatewayOutcome, LookUpOutcome } from "@aegispay/core/payment/GatewayOutcome";
import type { Gateway, StartRequest } from "@aegispay/gateways/Gateway";
import { Effect } from "effect";
import type { Choices } from "./Choices.ts";
import type { Ledger, PaymentLaws } from "./PaymentLaws.ts";

/** What becomes of one request to charge. */
export type Fate =
  | "approved"
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

export class SeededGateways implements Ledger {
  readonly charged = new Set<string>();
  readonly declined = new Set<string>();
  readonly candidates = [
    { gateway: "north", account: "n1" },
    { gateway: "south", account: "s1" },
  ];
  /** Requests that are still on their way. */
  inTransit = 0;
  /** Look-ups tell the truth from now on. */
  calm = false;
  laws!: PaymentLaws;
  readonly #answers = new Map<string, GatewayOutcome & LookUpOutcome>();
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

  /** As a process sees them that lives as long as `alive` says; a call it made goes on without it. */
  of(alive: () => boolean): (name: string, account: string) => Gateway {
    const answer = <Answer>(millis: number, answered: () => Answer): Effect.Effect<Answer> =>
      Effect.andThen(
        Effect.sleep(millis),
        Effect.suspend(() => (alive() ? Effect.succeed(answered()) : Effect.never)),
      );
    return (name, account) => ({
      name,
      account,
      start: (request) => (alive() ? this.#start(request, answer) : Effect.never),
      lookUp: (key) => (alive() ? this.#lookUp(key, answer) : Effect.never),
    });
  }

  #start(request: StartRequest, answer: <Answer>(millis: number, of: () => Answer) => Effect.Effect<Answer>) {
    const key = request.idempotencyKey;
    const fate = this.#fate();
    const millis = this.#choices.between(2, this.#choices.chance(0.2) ? 1_500 : 200);
    this.#sends.set(key, this.sends(key) + 1);
    this.laws.note(`  start: ${fate} in ${millis} ms`);
    this.laws.sent(key);
    const act = () => this.#act(request, fate);
    switch (fate) {
      case "throwsAtOnce":
        throw new Error("the adapter is broken");
      case "notSent":
        return answer(millis, (): GatewayOutcome => {
          this.#notSent.set(key, this.notSent(key) + 1);
          return { _tag: "NotSent", reason: "refused" };
        });
      case "requestLost":
        return answer(millis, (): GatewayOutcome => lost);
      case "late":
        this.#arrive(millis + this.#choices.between(1, 3_000), act);
        return answer(millis, (): GatewayOutcome => lost);
      case "answerLost":
        this.#arrive(millis / 2, act);
        return answer(millis, (): GatewayOutcome => lost);
      case "diesAfterAnswer":
        this.#arrive(millis / 2, act);
        return Effect.andThen(
          answer(millis, () => undefined),
          Effect.die(new Error("the adapter died")),
        );
      default:
        this.#arrive(millis / 2, act);
        return answer(millis, () => this.#answers.get(key)!);
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

  #act({ idempotencyKey, amount, reference }: StartRequest, fate: Fate): void {
    if (this.#answers.has(idempotencyKey)) return;
    const declines = fate === "declined" || fate === "declinedForGood";
    if (declines || (fate !== "approved" && this.#choices.chance(0.3))) {
      const tryAnotherGateway = fate === "declined" || this.#choices.chance(0.5);
      this.declined.add(idempotencyKey);
      this.#answers.set(idempotencyKey, { _tag: "Declined", code: "declined", message: "no", tryAnotherGateway });
      return;
    }
    this.charged.add(idempotencyKey);
    const gatewayTransactionId = `t${this.charged.size}`;
    this.#answers.set(idempotencyKey, { _tag: "Approved", gatewayTransactionId, status: "succeeded", amount });
    const [merchant = "", paymentId = ""] = reference.split("/");
    this.laws.charged({ merchant, paymentId } satisfies PaymentRef);
  }

  #lookUp(key: string, answer: <Answer>(millis: number, of: () => Answer) => Effect.Effect<Answer>) {
    const millis = this.#choices.between(2, 150);
    const isUnknown = !this.calm && this.#choices.chance(0.3);
    const seen = answer(millis / 2, (): LookUpOutcome =>
      isUnknown ? lost : (this.#answers.get(key) ?? { _tag: "NotFound" }),
    );
    return Effect.flatMap(seen, (outcome) =>
      answer(millis / 2, () => {
        this.laws.note(`  look-up: ${outcome._tag}`);
        return outcome;
      }),
    );
  }
}
