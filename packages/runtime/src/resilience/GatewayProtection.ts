/**
 * What surrounds a call to a gateway, from the outside in:
 *
 * 1. the shares: payments that wait for one gateway, or are of one merchant, stay below half of their shard's window;
 * 2. what the gateway asked for: it is left alone for as long as its 429 said, also by what has waited for a place meanwhile;
 * 3. the breaker: one that is open, or whose probe is under way, rejects at once;
 * 4. a place among the gateway's concurrent calls, and a turn under its rate, merchants in turn, look-ups by themselves;
 * 5. the breaker again, which admits the call and counts what comes of it.
 *
 * What does not get through in time is held back: nothing was sent, and it says when to come again. Waits in the process are
 * shorter than what a durable timer is for; what is held back is brought again by one, so that it leaves its shard's window.
 */
import { defaultLimits } from "@aegispay/gateways/configuration/Limits";
import { defaultResilience } from "@aegispay/gateways/configuration/Resilience";
import { Gateways } from "@aegispay/gateways/Gateway";
import { Clock, Context, Duration, Effect, Exit, Layer, type Scope } from "effect";
import { CircuitBreaker, RateLimiter } from "effect/persistence";
import { Settings } from "../config/RuntimeSettings.ts";
import { count, metric, set } from "../metrics/Metrics.ts";
import { Members } from "../shard/Members.ts";
import { circuitKey, type CircuitKind } from "./Breakers.ts";
import { admits } from "./circuit.ts";
import { Circuits } from "./CircuitStore.ts";
import { GatewayLane, type LaneFull } from "./GatewayLane.ts";
import type { Health } from "./health.ts";
import { ShardShares, type FullShare, type Visit } from "./ShardShares.ts";

/** One call, and whose it is. */
export interface CallSite {
  readonly gateway: string;
  readonly account: string;
  readonly circuit: CircuitKind;
  readonly merchant: string;
  readonly shard: number;
}

/** What the call came to, and what that says of the gateway. */
export interface Called<A> {
  readonly value: A;
  readonly health: Health;
  /** How long the gateway asks to be left alone, in milliseconds. */
  readonly leaveAloneMillis?: number;
}

export type HeldBackBy = FullShare | LaneFull | "leftAlone" | "breaker" | "unconfigured";

/** Nothing was sent. */
export class HeldBack {
  readonly by: HeldBackBy;
  readonly reason: string;
  /** Before it is brought again, in milliseconds. */
  readonly retryAfterMillis: number;
  constructor(by: HeldBackBy, reason: string, retryAfterMillis: number) {
    this.by = by;
    this.reason = reason;
    this.retryAfterMillis = Math.ceil(retryAfterMillis);
  }
}

export class GatewayProtection extends Context.Service<
  GatewayProtection,
  {
    /**
     * Makes the call when everything lets it through; whoever waits first, until its round is due, counts meanwhile as one
     * that waits for the gateway.
     */
    readonly around: <A>(
      site: CallSite,
      waitFirstMillis: number,
      call: Effect.Effect<Called<A>>,
    ) => Effect.Effect<A | HeldBack>;
    /** Whether what is not due yet had better wait elsewhere. */
    readonly isCrowded: (site: Omit<CallSite, "account">) => boolean;
  }
>()("@aegispay/runtime/GatewayProtection") {}

interface Guarded {
  readonly lane: GatewayLane;
  readonly breaker: CircuitBreaker.CircuitBreaker;
}

const fullNames: Readonly<Record<FullShare | LaneFull, string>> = {
  gatewayShare: "as many payments of its shard wait for the gateway as may",
  merchantShare: "as many payments of the merchant are under way in its shard as may",
  concurrency: "no place among the gateway's concurrent calls came free in time",
  rate: "the calls a second that the gateway may have are used up",
};

const recordedAs = {
  Success: CircuitBreaker.success,
  Failure: CircuitBreaker.failure(),
  Ignored: CircuitBreaker.ignored,
} as const;

/** Between two looks at how many wait, in milliseconds. */
const countMillis = 1_000;

const make = Effect.gen(function* () {
  const gateways = yield* Gateways;
  const { gatewayConcurrency, shardWindow, timerFromMillis, policy } = yield* Settings;
  const members = yield* Members;
  const circuits = yield* Circuits;
  const limiter = yield* RateLimiter.make.pipe(Effect.provide(RateLimiter.layerStoreMemory));
  const context = yield* Effect.context<CircuitBreaker.CircuitBreakerStore | Scope.Scope>();
  const clock = yield* Clock.Clock;
  const now = (): number => clock.currentTimeMillisUnsafe();
  /** Monotonic: a clock that is set back must not leave a gateway alone for longer than it asks. */
  const elapsedMillis = (): number => Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n);
  const limits = () => gateways.limits?.() ?? defaultLimits;
  const shares = new ShardShares(shardWindow, limits, now);
  const guarded = new Map<string, Guarded>();
  /** By gateway and account, as `elapsedMillis` counts. */
  const leftAloneUntil = new Map<string, number>();
  const waiting = new Map<string, { count: number }>();
  /** Long enough for a durable timer. */
  const elsewhereMillis = timerFromMillis + 1;
  /** Short enough to be waited for here. */
  const waitMillis = (): number => Math.min(limits().waitMillis, timerFromMillis * 0.8);

  /** By the knobs as they are; made anew when they were turned, while what is under way ends by the old ones. */
  const guardOf = ({ gateway, account }: CallSite): Effect.Effect<Guarded> => {
    const key = `${gateway}.${account}`;
    const resilience = gateways.resilience?.(gateway, account) ?? defaultResilience;
    const most = gateways.find(gateway, account)?.connections ?? Number.POSITIVE_INFINITY;
    const concurrentCalls = Math.min(resilience.concurrentCalls ?? gatewayConcurrency, most);
    const known = guarded.get(key);
    if (known?.lane.resilience === resilience && known.lane.concurrentCalls === concurrentCalls) {
      return Effect.succeed(known);
    }
    const liveNodes = () => members.live().size;
    const lane = new GatewayLane({ key, resilience, concurrentCalls, limiter, liveNodes });
    const made = CircuitBreaker.make({
      tripPolicy: CircuitBreaker.consecutive(resilience.failureThreshold),
      openDuration: resilience.openForMillis,
    }).pipe(
      Effect.map((breaker) => ({ lane, breaker })),
      Effect.provide(context),
    );
    return Effect.tap(made, (guard) => Effect.sync(() => guarded.set(key, guard)));
  };

  const heldBack = ({ gateway }: CallSite, by: HeldBackBy, why: string, retryAfterMillis = elsewhereMillis) => {
    count(metric.heldBack(gateway, by));
    return new HeldBack(by, `held back: ${why}`, retryAfterMillis);
  };

  const rejected = (site: CallSite, openForMillis: number | undefined) =>
    openForMillis === undefined
      ? heldBack(site, "breaker", `the breaker of ${site.gateway} is half open, and another call finds out how it is`)
      : heldBack(site, "breaker", `the breaker of ${site.gateway} is open`, openForMillis);

  /** Of several that were turned away the one that asks for most is obeyed. */
  const leaveAlone = ({ gateway, account }: CallSite, millis: number): void => {
    const key = `${gateway}.${account}`;
    const until = elapsedMillis() + Math.min(millis, policy.retryAfterMaxMillis);
    leftAloneUntil.set(key, Math.max(until, leftAloneUntil.get(key) ?? 0));
  };

  /** Goes on when the gateway may be asked again: at once, or after a wait here, or, where that is too long, later. */
  const unlessLeftAlone = <A>(site: CallSite, next: Effect.Effect<A | HeldBack>): Effect.Effect<A | HeldBack> =>
    Effect.suspend(() => {
      const { gateway, account } = site;
      const leftMillis = (leftAloneUntil.get(`${gateway}.${account}`) ?? 0) - elapsedMillis();
      if (leftMillis > waitMillis()) {
        return Effect.succeed(heldBack(site, "leftAlone", `${gateway} asks to be left alone`, leftMillis));
      }
      return leftMillis > 0 ? Effect.andThen(Effect.sleep(leftMillis), next) : next;
    });

  const admitted = <A>(site: CallSite, { breaker }: Guarded, call: Effect.Effect<Called<A>>) => {
    const key = circuitKey(site.gateway, site.account, site.circuit);
    const executed = breaker.execute(call, {
      key,
      classify: (exit) => (Exit.isSuccess(exit) ? recordedAs[exit.value.health] : recordedAs.Failure),
    });
    return Effect.matchEffect(executed, {
      onSuccess: ({ value, leaveAloneMillis = 0 }) => {
        if (leaveAloneMillis > 0) leaveAlone(site, leaveAloneMillis);
        return Effect.succeed<A | HeldBack>(value);
      },
      onFailure: ({ reason }) =>
        Effect.sync(() =>
          rejected(site, reason._tag === "CircuitOpen" ? Duration.toMillis(reason.retryAfter) : undefined),
        ),
    });
  };

  const through = <A>(site: CallSite, guard: Guarded, call: Effect.Effect<Called<A>>): Effect.Effect<A | HeldBack> => {
    const { gateway, account, merchant } = site;
    const passed = Effect.suspend((): Effect.Effect<A | HeldBack> => {
      const circuit = circuits.find(circuitKey(gateway, account, site.circuit));
      if (circuit !== undefined && !admits(circuit, now())) {
        const { state, untilMillis = 0 } = circuit;
        return Effect.succeed(rejected(site, state === "OPEN" ? untilMillis - now() : undefined));
      }
      return guard.lane.pass({
        // Look-ups take turns of their own: what is unknown does not wait behind whatever its merchant begins.
        merchant: site.circuit === "lookUp" ? `${merchant} look-ups` : merchant,
        waitMillis: waitMillis(),
        // Another call may have been turned away meanwhile.
        run: unlessLeftAlone(site, admitted(site, guard, call)),
        heldBack: (by) => heldBack(site, by, fullNames[by]),
      });
    });
    return unlessLeftAlone(site, passed);
  };

  const visitOf = ({ shard, gateway, merchant, circuit }: Omit<CallSite, "account">): Visit => ({
    shard,
    gateway,
    merchant,
    isLookUp: circuit === "lookUp",
  });

  /** Counts it among those that wait, until it is called or is held back. */
  const counted = <A>({ gateway }: CallSite, run: (onCall: () => void) => Effect.Effect<A>) =>
    Effect.suspend(() => {
      const counter = waiting.get(gateway) ?? { count: 0 };
      waiting.set(gateway, counter);
      counter.count++;
      let isCounted = true;
      const stop = () => {
        if (isCounted) counter.count--;
        isCounted = false;
      };
      return Effect.ensuring(run(stop), Effect.sync(stop));
    });

  const showWaiting = Effect.sync(() => {
    for (const [gateway, counter] of waiting) set(metric.gatewayWaiting(gateway), counter.count);
  });
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(countMillis), showWaiting)));

  return GatewayProtection.of({
    around: (site, waitFirstMillis, call) => {
      const go = counted(site, (onCall) => {
        const called = Effect.suspend(() => {
          onCall();
          return call;
        });
        return Effect.flatMap(guardOf(site), (guard) => through(site, guard, called));
      });
      const visit = visitOf(site);
      const leave = Effect.sync(() => shares.leave(visit));
      return Effect.uninterruptibleMask((restore) => {
        if (waitFirstMillis > 0) {
          shares.admit(visit);
          return Effect.ensuring(restore(Effect.andThen(Effect.sleep(waitFirstMillis), go)), leave);
        }
        return Effect.flatMap(restore(shares.enter(visit)), (full) =>
          full === undefined
            ? Effect.ensuring(restore(go), leave)
            : Effect.sync(() => heldBack(site, full, fullNames[full])),
        );
      });
    },
    isCrowded: (site) => shares.isCrowded(visitOf(site)),
  });
});

export const layerGatewayProtection = Layer.effect(GatewayProtection, make);
