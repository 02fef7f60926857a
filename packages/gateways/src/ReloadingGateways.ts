/**
 * The gateways of a configuration that may be replaced while payments run. Owns the adapters: each is made of one entry,
 * and lives for as long as that entry stands unchanged.
 *
 * Invariants:
 * 1. A configuration is in force as a whole or not at all: where an adapter cannot be made, everything stays as it was.
 * 2. What holds of an entry that has not changed is kept: its adapter, its connections, its calls.
 * 3. An adapter that is no longer configured is found by nobody any more, and is closed when its last call has ended.
 * 4. Of two reloads at the same time one waits.
 */
import type { Candidate } from "@aegispay/core/payment/Given";
import { Effect, Exit, Layer, Scope, Semaphore } from "effect";
import type { SecretMissing } from "./configuration/Secret.ts";
import { retryKnobsOf, surroundingsOf } from "./configuration/surroundings.ts";
import { Gateways, type Gateway } from "./Gateway.ts";
import { adapterOf, type GatewayEntry, type GatewaysConfig } from "./GatewaysConfig.ts";

export interface ReloadingGateways {
  readonly gateways: typeof Gateways.Service;
  /** The configuration in force. */
  readonly current: () => GatewaysConfig;
  /**
   * Replaces the configuration; where it fails the one before stays in force. `inForce` is called in the same moment, for what
   * else must change with it.
   */
  readonly reload: (config: GatewaysConfig, inForce?: () => void) => Effect.Effect<void, SecretMissing>;
}

interface Adapted {
  /** The entry, as text: what has another text is another gateway. */
  readonly text: string;
  readonly gateway: Gateway;
  readonly candidate: Candidate;
  readonly close: Effect.Effect<void>;
  callsUnderWay: number;
  /** It is configured no more. */
  isRetired: boolean;
}

/** The gateway, with its calls counted, so that nobody closes it under them. */
const counted = (gateway: Gateway, onBegin: () => void, onEnd: Effect.Effect<void>): Gateway => {
  const count = <Outcome>(call: Effect.Effect<Outcome>): Effect.Effect<Outcome> =>
    Effect.suspend(() => {
      onBegin();
      return Effect.ensuring(call, onEnd);
    });
  const { finishAction } = gateway;
  return {
    ...gateway,
    start: (request) => count(Effect.suspend(() => gateway.start(request))),
    lookUp: (request) => count(Effect.suspend(() => gateway.lookUp(request))),
    operate: (request) => count(Effect.suspend(() => gateway.operate(request))),
    lookUpOperation: (request) => count(Effect.suspend(() => gateway.lookUpOperation(request))),
    ...(finishAction === undefined
      ? {}
      : { finishAction: (request, brought) => count(Effect.suspend(() => finishAction(request, brought))) }),
  };
};

/** Its connections close at `close`, or with the scope around all. */
const adapt = Effect.fnUntraced(function* (entry: GatewayEntry, text: string, all: Scope.Scope) {
  const scope = yield* Scope.fork(all);
  const close = Scope.close(scope, Exit.void);
  const adapter = adapterOf(entry);
  const made = yield* Scope.provide(adapter.make(entry), scope).pipe(Effect.onError(() => close));
  const adapted: Adapted = {
    text,
    gateway: counted(
      made,
      () => void adapted.callsUnderWay++,
      Effect.suspend(() => {
        adapted.callsUnderWay--;
        return adapted.isRetired && adapted.callsUnderWay === 0 ? close : Effect.void;
      }),
    ),
    candidate: {
      gateway: entry.name,
      account: entry.account ?? "default",
      keyRetentionMillis: entry.keyRetentionMillis ?? adapter.keyRetentionMillis,
      ...(made.finishAction === undefined ? {} : { finishesActions: true as const }),
      ...retryKnobsOf(entry),
    },
    close,
    callsUnderWay: 0,
    isRetired: false,
  };
  return adapted;
});

type Surroundings = ReturnType<typeof surroundingsOf>;

const keptIfEqual = <Value>(before: Value, now: Value): Value =>
  JSON.stringify(before) === JSON.stringify(now) ? before : now;

/** What surrounds a gateway is the same object for as long as it is the same: whoever counts for it goes on counting. */
const keepingEquals = (before: Surroundings, now: Surroundings, candidates: ReadonlyArray<Candidate>): Surroundings => {
  const kept = new Map(
    candidates.map(({ gateway, account }) => [
      `${gateway}/${account}`,
      keptIfEqual(before.resilience(gateway, account), now.resilience(gateway, account)),
    ]),
  );
  const limits = keptIfEqual(before.limits(), now.limits());
  return { resilience: (name, account) => kept.get(`${name}/${account}`), limits: () => limits };
};

const retire = (adapted: Adapted): Effect.Effect<void> =>
  Effect.suspend(() => {
    adapted.isRetired = true;
    return adapted.callsUnderWay === 0 ? adapted.close : Effect.void;
  });

/** The gateways of the configuration, until they are reloaded; all are closed with the scope. */
export const makeReloadingGateways: (
  config: GatewaysConfig,
) => Effect.Effect<ReloadingGateways, SecretMissing, Scope.Scope> = Effect.fnUntraced(function* (config) {
  const scope = yield* Scope.Scope;
  const turn = yield* Semaphore.make(1);
  let inForce = config;
  let adapted: ReadonlyArray<Adapted> = [];
  let candidates: ReadonlyArray<Candidate> = [];
  let surroundings = surroundingsOf(config, adapterOf);

  const replace = Effect.fnUntraced(function* (next: GatewaysConfig, inForceToo: () => void) {
    const kept = new Set<Adapted>();
    const made: Array<Adapted> = [];
    const following: Array<Adapted> = [];
    const all = Effect.forEach(
      next.gateways,
      Effect.fnUntraced(function* (entry) {
        const text = JSON.stringify(entry);
        const before = adapted.find((one) => one.text === text);
        if (before !== undefined) kept.add(before);
        const one = before ?? (yield* adapt(entry, text, scope));
        if (before === undefined) made.push(one);
        following.push(one);
      }),
      { discard: true },
    );
    yield* Effect.onError(all, () => Effect.forEach(made, retire, { discard: true }));
    const gone = adapted.filter((one) => !kept.has(one));
    adapted = following;
    candidates = following.map(({ candidate }) => candidate);
    surroundings = keepingEquals(surroundings, surroundingsOf(next, adapterOf), candidates);
    inForce = next;
    inForceToo();
    yield* Effect.forEach(gone, retire, { discard: true });
  });

  const reload = (next: GatewaysConfig, inForceToo = (): void => undefined) =>
    turn.withPermit(Effect.uninterruptible(replace(next, inForceToo)));

  yield* reload(config);

  return {
    gateways: Gateways.of({
      get candidates() {
        return candidates;
      },
      get routing() {
        return inForce.routing;
      },
      resilience: (name, account) => surroundings.resilience(name, account),
      limits: () => surroundings.limits(),
      find: (name, account) =>
        adapted.find(({ candidate }) => candidate.gateway === name && candidate.account === account)?.gateway,
    }),
    current: () => inForce,
    reload,
  };
});

/** The gateways of a configuration that stays as it is. */
export const layerFromConfig = (config: GatewaysConfig): Layer.Layer<Gateways, SecretMissing> =>
  Layer.effect(
    Gateways,
    Effect.map(makeReloadingGateways(config), ({ gateways }) => gateways),
  );
