/**
 * The store of Effect's circuit breaker over circuits that all nodes share. It counts successes as well as failures: Effect's
 * own stores close after the first success, the guide wants two.
 */
import { Clock, Context, Duration, Effect, Layer } from "effect";
import { CircuitBreaker } from "effect/persistence";
import type { Circuit } from "./Breakers.ts";
import { mayProbe, probing, recorded, type CircuitRules } from "./circuit.ts";
import { CircuitReplica } from "./CircuitReplica.ts";
import { SharedCircuits } from "./SharedCircuits.ts";

const { CircuitBreakerError, CircuitBreakerStore, CircuitHalfOpen, CircuitOpen } = CircuitBreaker;

export interface CircuitStoreOptions {
  /** The node that writes. */
  readonly node: string;
  /** What holds for the circuit now; asked each time, since a configuration may be replaced. */
  readonly rulesOf: (key: string) => CircuitRules;
  /** How long a probe keeps its slot at most, in milliseconds: longer than a call may take. */
  readonly probeForMillis: number;
  readonly onMoved: (key: string, before: Circuit, after: Circuit) => void;
  readonly onReached: (isReached: boolean) => void;
}

/** The circuits as this node acts on them. */
export class Circuits extends Context.Service<
  Circuits,
  {
    /** Undefined: it has never failed as far as this node knows. */
    readonly find: (key: string) => Circuit | undefined;
    readonly all: () => ReadonlyMap<string, Circuit>;
  }
>()("@aegispay/runtime/Circuits") {}

const transitionOf = (
  key: string,
  before: Circuit,
  after: Circuit,
  openFor: Duration.Duration,
): CircuitBreaker.Transition | undefined => {
  if (before.state === after.state && after.generation === before.generation) return undefined;
  switch (after.state) {
    case "OPEN":
      return {
        key,
        from: before.state === "CLOSED" ? "Closed" : "HalfOpen",
        to: "Open",
        retryAfter: openFor,
        consecutiveOpenings: 0,
      };
    case "HALF_OPEN":
      return before.state === "OPEN" ? { key, from: "Open", to: "HalfOpen" } : undefined;
    case "CLOSED":
      return { key, from: "HalfOpen", to: "Closed" };
  }
};

const make = Effect.fnUntraced(function* (options: CircuitStoreOptions) {
  const { node, rulesOf, probeForMillis, onMoved, onReached } = options;
  const shared = yield* SharedCircuits;
  const clock = yield* Clock.Clock;
  const scope = yield* Effect.scope;
  const forkHere = Effect.runForkWith(yield* Effect.context());
  const now = (): number => clock.currentTimeMillisUnsafe();
  const replicas = new Map<string, CircuitReplica>();

  const replicaOf = (key: string): CircuitReplica => {
    const known = replicas.get(key);
    if (known !== undefined) return known;
    const made = new CircuitReplica({
      key,
      shared,
      now,
      lastsMillis: (state) => (state === "OPEN" ? rulesOf(key).openForMillis : probeForMillis),
      fork: (effect) => void forkHere(Effect.forkIn(effect, scope)),
      onMoved,
      onReached,
    });
    replicas.set(key, made);
    return made;
  };

  const reject = (key: string, circuit: Circuit) =>
    new CircuitBreakerError({
      reason:
        circuit.state === "OPEN"
          ? new CircuitOpen({ key, retryAfter: Duration.millis(Math.max(0, (circuit.untilMillis ?? 0) - now())) })
          : new CircuitHalfOpen({ key }),
    });

  const admission = ({ generation }: Circuit, probe: boolean, transition?: CircuitBreaker.Transition) => ({
    generation,
    probe,
    consecutiveOpenings: 0,
    transition,
  });

  /** The slot of the probe is taken before the call, and only one node's writing can have taken it. */
  const probe = Effect.fnUntraced(function* (key: string, replica: CircuitReplica) {
    const before = replica.circuit;
    const act = { atMillis: now(), by: node };
    yield* replica.changed((circuit) => probing(circuit, probeForMillis, act));
    const { circuit } = replica;
    if (circuit.state === "CLOSED") return admission(circuit, false);
    const isMine =
      circuit.state === "HALF_OPEN" && circuit.by === node && circuit.untilMillis === act.atMillis + probeForMillis;
    if (!isMine) return yield* reject(key, circuit);
    return admission(circuit, true, transitionOf(key, before, circuit, Duration.zero));
  });

  const store = CircuitBreakerStore.of({
    admit: (key) =>
      Effect.suspend(() => {
        const replica = replicas.get(key);
        const circuit = replica?.circuit;
        if (replica === undefined || circuit === undefined || circuit.state === "CLOSED") {
          return Effect.succeed(admission(circuit ?? replicaOf(key).circuit, false));
        }
        return mayProbe(circuit, now()) ? probe(key, replica) : Effect.fail(reject(key, circuit));
      }),
    record: ({ key, generation, outcome, tripPolicy, openFor }) =>
      Effect.sync(() => {
        const replica = replicaOf(key);
        const before = replica.circuit;
        const rules: CircuitRules = {
          failureThreshold: tripPolicy._tag === "Consecutive" ? tripPolicy.failures : rulesOf(key).failureThreshold,
          successThreshold: rulesOf(key).successThreshold,
          // Effect asks its schedule only where the outcome may open the circuit.
          openForMillis: Duration.toMillis(openFor),
        };
        const act = { atMillis: now(), by: node };
        replica.change((circuit) => recorded(circuit, { generation, outcome }, rules, act));
        return transitionOf(key, before, replica.circuit, openFor);
      }),
    state: (key) =>
      Effect.sync((): CircuitBreaker.State => {
        const circuit = replicas.get(key)?.circuit;
        if (circuit === undefined || circuit.state === "CLOSED") return { _tag: "Closed", key };
        const leftMillis = Math.max(0, (circuit.untilMillis ?? 0) - now());
        return circuit.state === "OPEN"
          ? { _tag: "Open", key, retryAfter: Duration.millis(leftMillis), consecutiveOpenings: 0 }
          : { _tag: "HalfOpen", key, probing: leftMillis > 0, consecutiveOpenings: 0 };
      }),
  });

  const lookAtAll = Effect.matchEffect(shared.keys, {
    onFailure: () => Effect.sync(() => onReached(false)),
    onSuccess: (keys) =>
      Effect.sync(() => {
        for (const key of keys) replicaOf(key);
        for (const replica of replicas.values()) replica.look();
      }),
  });
  const stopListening = shared.onChange((key) => {
    if (key === undefined) forkHere(Effect.forkIn(lookAtAll, scope));
    else replicaOf(key).look();
  });
  yield* Effect.addFinalizer(() => Effect.sync(stopListening));
  yield* lookAtAll;

  const circuits = Circuits.of({
    find: (key) => replicas.get(key)?.circuit,
    all: () => new Map([...replicas].map(([key, replica]) => [key, replica.circuit])),
  });
  return Context.make(CircuitBreakerStore, store).pipe(Context.add(Circuits, circuits));
});

export const layerCircuitStore = (options: CircuitStoreOptions) => Layer.effectContext(make(options));
