/**
 * Clients, processes that end, and payments, over a seeded world on the test clock. Two phases: in the first everything may
 * go wrong; in the second nothing does any more, and every payment must come to its end, every asker to an answer.
 */
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import { paymentKey } from "@aegispay/core/identity/Identity";
import { captured, refunded } from "@aegispay/core/payment/reservations";
import { errandsOf } from "@aegispay/core/payment/intents";
import { isAtRest, isHeld } from "@aegispay/core/payment/PaymentState";
import type { Gateways } from "@aegispay/gateways/Gateway";
import { defaultSettings, type RuntimeSettings } from "@aegispay/runtime/config/RuntimeSettings";
import type { CrashPoints } from "@aegispay/runtime/seam/CrashPoints";
import type { Hooks } from "@aegispay/runtime/hooks/Hooks";
import { Clock, Effect, type Scope } from "effect";
import { TestClock } from "effect/testing";
import { startProcess } from "./actorProcess.ts";
import { Choices } from "./Choices.ts";
import { DurableWorld, type Life } from "./DurableWorld.ts";
import { PaymentLaws } from "./PaymentLaws.ts";
import { unprotected, type Protecting } from "./seededProtection.ts";
import { SeededGateways, type Fate } from "./SeededGateways.ts";
import { askedValue, SimulatedClients } from "./SimulatedClients.ts";

export interface Simulated {
  readonly seed: number;
  readonly payments?: number;
  /** Whether processes end, at any moment of their lives. */
  readonly kills?: boolean;
  /** What a gateway does with the next request; the seed's choice where it is left out. */
  readonly fate?: () => Fate;
  /** May throw: a defect in the middle of an actor's work. */
  readonly reach?: CrashPoints["Service"]["reach"];
  /** Whether what is parked is parked at the first try. */
  readonly parksAtOnce?: boolean;
  /** Whether calls are held back now and then, and what waits is crowded out. */
  readonly holdsBack?: boolean;
  /** Whether a gateway is taken out of the configuration now and then, and put in again; never all of them. */
  readonly takesOut?: boolean;
  /** Whether clients come with what they have asked for before, with something else, or for more. */
  readonly repeats?: boolean;
  /** What a process asks before a payment begins, which goes on asking after its end, as all that it has begun. */
  readonly hooks?: (simulation: ActorSimulation, isAlive: () => boolean) => Hooks;
}

const beginning = Date.parse("2026-01-02T03:04:05.000Z");
const stormMillis = 15_000;
const calmMillis = 60_000;
const takenOutMillis = 700;

export class ActorSimulation {
  readonly choices: Choices;
  readonly laws: PaymentLaws;
  readonly world: DurableWorld;
  readonly gateways: SeededGateways;
  readonly clients: SimulatedClients;
  kills = 0;
  readonly #options: Simulated;
  readonly #settings: RuntimeSettings;
  readonly #now: () => number;
  readonly #start: (life: Life) => void;
  readonly #aheadMillis: number;
  #lives = 0;
  #dead = true;
  #calm = false;

  constructor(
    options: Simulated,
    clock: Clock.Clock,
    run: (effect: Effect.Effect<void, never, Scope.Scope>) => unknown,
  ) {
    this.#options = options;
    const choices = new Choices(options.seed);
    this.choices = choices;
    this.#aheadMillis = choices.chance(0.4) ? choices.between(-2_000, 2_000) : 0;
    const maxRetries = choices.between(2, 5);
    this.#now = () => clock.currentTimeMillisUnsafe();
    this.#settings = {
      ...defaultSettings,
      timerFromMillis: 1_000,
      // Payments that are held back wait on timers; with one place for them others are read again.
      ...(options.holdsBack === true ? { passiveActors: choices.pick([1, 1_000]) } : {}),
      actorRestartMillis: 100,
      policy: {
        ...defaultSettings.policy,
        maxRetries,
        retryDelaysMillis: [choices.pick([200, 900, 1_100, 2_000]), 1_200, 1_500],
        heldBackDelaysMillis: [200, 900, 2_000],
        lookUpDelaysMillis: [0, 3_000, choices.pick([500, 2_000]), 2_000, 4_000],
        reviewEveryMillis: 5_000,
        customerWaitMillis: choices.pick([2_000, 6_000]),
        authorizationForMillis: choices.pick([3_000, 10_000, 7 * 86_400_000]),
        expireAgainMillis: 4_000,
      },
    };
    const runInTime = run as (effect: Effect.Effect<void>) => unknown;
    this.world = new DurableWorld(choices, this.#now, runInTime, {
      moment: () => this.#mayEnd(0.01),
      armed: (payment, dueMillis) => this.#comeAround(payment, dueMillis),
    });
    this.world.parkingFailures = options.parksAtOnce === true || choices.chance(0.7) ? 0 : choices.between(1, 3);
    this.gateways = new SeededGateways(choices, runInTime, options.fate);
    this.laws = new PaymentLaws(() => this.#now() - beginning, this.gateways, this.world.holdings, maxRetries);
    this.world.laws = this.laws;
    this.gateways.laws = this.laws;
    this.clients = new SimulatedClients(choices, this.world, this.laws);
    this.#start = (life) => void run(this.#process(life));
  }

  readonly run = Effect.gen({ self: this }, function* () {
    yield* TestClock.setTime(beginning);
    this.#begin();
    this.#schedule();
    yield* TestClock.adjust(stormMillis);
    this.#calm = true;
    this.world.calm = true;
    this.gateways.calm = true;
    if (this.#dead) this.#begin();
    this.world.resumeParked();
    yield* this.settle;
    this.#everyEnd();
    this.clients.askAgain();
    yield* this.settle;
    if (!this.#forgets) this.clients.everyoneIsAnswered();
    this.clients.theLastAreAnswered();
    this.clients.nobodyWasToldTwoThings();
  });

  /** Nothing goes wrong any more. */
  get isCalm(): boolean {
    return this.#calm;
  }

  readonly settle = Effect.gen({ self: this }, function* () {
    for (let passed = 0; passed < calmMillis; passed += 500) {
      yield* TestClock.adjust(500);
      if (this.laws.broken.length > 0 || (this.world.messages.size === 0 && this.#restless().length === 0)) return;
      this.world.resumeParked();
    }
  });

  /** Payments that have not come to their end. What the gateway knows nothing of may stay in review. */
  #restless(): ReadonlyArray<string> {
    if (this.gateways.inTransit > 0) return ["a request is on its way"];
    return this.laws.payments.flatMap(({ payment, state }) => {
      const asked = errandsOf(state).filter(({ round }) => round !== undefined);
      const isAsked = asked.some(({ idempotencyKey }) => this.gateways.knows(idempotencyKey));
      // Whoever waits for the customer is given up before long.
      const hasEnded = state.name !== "REQUIRES_ACTION" && isAtRest(state) && asked.length === 0;
      const isDone = state.name === "NEEDS_REVIEW" ? !isAsked : hasEnded;
      return isDone ? [] : [`${payment.paymentId} is ${state.name}`];
    });
  }

  #process(life: Life): Effect.Effect<void, never, Scope.Scope> {
    const started = startProcess({
      life,
      world: this.world,
      settings: this.#settings,
      gateways: this.#configured(life),
      protecting: this.#options.holdsBack === true ? this.#protecting : unprotected,
      answer: ({ token }, reply) => this.clients.answered(token, reply),
      crashPoints: {
        reach: (...at) => {
          this.#mayEnd(0.01);
          if (!this.#calm) this.#options.reach?.(...at);
        },
      },
      onCall: (payment, intent) => {
        this.laws.callLeaves(payment, intent, life.number);
        if (this.#calm) return;
        // In the middle of a call somebody comes with something else.
        if (this.#comes(0.5)) this.world.after(this.choices.between(0, 300), () => this.#come(payment));
        this.#mayEnd(0.02);
      },
      random: this.choices.fraction,
      ...(this.#options.hooks === undefined ? {} : { hooks: this.#options.hooks(this, life.alive) }),
      aheadMillis: this.#aheadMillis,
    });
    return Effect.map(started, (ingress) => this.world.begin({ ...life, take: ingress.take }));
  }

  /** As every process of the moment has them. */
  #configured({ alive }: Life): Gateways["Service"] {
    const find = this.gateways.of(alive);
    const all = this.gateways.candidates;
    const isOut = (name: string): boolean => {
      if (this.#options.takesOut !== true || this.#calm) return false;
      const turn = Math.floor((this.#now() - beginning) / takenOutMillis) + this.#options.seed;
      return turn % 3 === all.findIndex(({ gateway }) => gateway === name);
    };
    return {
      get candidates() {
        return all.filter(({ gateway }) => !isOut(gateway));
      },
      find: (name, account) => (isOut(name) ? undefined : find(name, account)),
    };
  }

  get #protecting(): Protecting {
    const millis = () => this.choices.pick([0, 300, 900, 1_100, 4_000]);
    return {
      heldBackMillis: () => (!this.#calm && this.choices.chance(0.4) ? millis() : undefined),
      isCrowded: () => !this.#calm && this.choices.chance(0.3),
    };
  }

  #begin(): void {
    const number = ++this.#lives;
    this.#dead = false;
    this.laws.note(`process ${number} begins`);
    this.#start({ number, alive: () => number === this.#lives && !this.#dead, take: () => undefined });
  }

  #mayEnd(probability: number): void {
    if (this.#options.kills !== true || this.#calm || this.#dead || !this.choices.chance(probability)) return;
    this.kill();
  }

  kill(): void {
    this.#dead = true;
    this.kills++;
    this.laws.note("KILLED");
    this.world.after(this.choices.between(1, 800), () => {
      if (this.#dead && !this.#calm) this.#begin();
    });
  }

  #schedule(): void {
    for (let index = 0; index < (this.#options.payments ?? 2); index++) {
      const payment = { merchant: "shop", paymentId: `p${index}` };
      this.world.after(this.choices.between(0, 300), () => this.clients.create(payment, askedValue));
      if (this.#options.repeats === false) continue;
      for (let count = this.choices.between(0, 12); count > 0; count--) {
        const soon = this.choices.chance(0.5) ? 2_000 : stormMillis - 1_000;
        this.world.after(this.choices.between(0, soon), () => this.#come(payment));
      }
    }
  }

  #comes(probability: number): boolean {
    return this.#options.repeats !== false && !this.#calm && this.choices.chance(probability);
  }

  /** Shortly before or after a timer is due. */
  #comeAround(payment: PaymentRef, dueMillis: number): void {
    if (!this.#comes(0.5)) return;
    const within = this.choices.chance(0.5) ? 120 : 1_100;
    const at = dueMillis + this.choices.between(-within, 120);
    if (at - beginning < stormMillis) this.world.after(Math.max(0, at - this.#now()), () => this.#come(payment));
  }

  #come(payment: PaymentRef): void {
    if (this.choices.chance(0.4)) this.clients.create(payment);
    else this.clients.further(payment);
  }

  /** Who asked is remembered by the process and its actors only; whoever is forgotten with them asks again. */
  get #forgets(): boolean {
    return this.kills > 0 || this.#options.reach !== undefined || this.#settings.passiveActors === 1;
  }

  /** The second phase has brought every payment to its end, and nobody who asked was forgotten. */
  #everyEnd(): void {
    const { laws, world } = this;
    laws.require(world.messages.size === 0, `still in the queue: ${[...world.messages.keys()].join(", ")}`);
    laws.require(this.#restless().length === 0, `never ended: ${this.#restless().join(", ")}`);
    for (const { payment, state, keys } of laws.payments) {
      // What people look at may still be anything.
      if (state.name === "ABSENT" || state.name === "NEEDS_REVIEW") continue;
      const taken = [...keys].filter((key) => this.gateways.charged.has(key)).length;
      const isEnded = state.name === "VOIDED" || state.name === "EXPIRED";
      laws.require(isEnded || taken === (isHeld(state) ? 1 : 0), `${state.name} with ${taken} charges`);
      const charges = [...this.gateways.charges.values()].filter(({ reference }) => reference === paymentKey(payment));
      const sum = (of: "captured" | "refunded") => charges.reduce((all, charge) => all + charge[of], 0);
      laws.require(sum("captured") === captured(state), `${sum("captured")} were captured, not ${captured(state)}`);
      laws.require(sum("refunded") === refunded(state), `${sum("refunded")} were refunded, not ${refunded(state)}`);
    }
    if (!this.#forgets) this.clients.everyoneIsAnswered();
  }
}

/** Runs one, and answers it when it has ended. */
export const simulate = (options: Simulated): Promise<ActorSimulation> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock;
    const context = yield* Effect.context<Scope.Scope>();
    const simulation = new ActorSimulation(options, clock, Effect.runForkWith(context));
    yield* simulation.run;
    return simulation;
  }).pipe(Effect.provide(TestClock.layer()), Effect.scoped, Effect.runPromise);

/** What is wrong with it, with the seed and what happened last; undefined where all is well. */
export const complaintOf = ({ laws }: ActorSimulation, { seed }: Simulated): string | undefined =>
  laws.broken.length === 0
    ? undefined
    : [
        `seed ${seed}: ${laws.broken[0]}`,
        ...laws.trace.slice(0, laws.trace.findIndex((line) => line.includes("BROKEN")) + 1).slice(-60),
      ].join("\n");
