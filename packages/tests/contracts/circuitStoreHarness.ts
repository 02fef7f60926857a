/** What the contract of the circuits' store needs of an implementation besides itself. */
import type { Circuit } from "@aegispay/runtime/resilience/Breakers";
import type { CircuitRules } from "@aegispay/runtime/resilience/circuit";
import { layerCircuitStore } from "@aegispay/runtime/resilience/CircuitStore";
import type { SharedCircuits } from "@aegispay/runtime/resilience/SharedCircuits";
import { Context, Effect, Layer } from "effect";
import { CircuitBreaker } from "effect/persistence";

export type Store = typeof CircuitBreaker.CircuitBreakerStore.Service;

/** Short times, so that a test sees them pass. */
export const rules: CircuitRules = { failureThreshold: 3, successThreshold: 2, openForMillis: 1_000 };
export const probeForMillis = 1_500;

export class CircuitStoreHarness extends Context.Service<
  CircuitStoreHarness,
  {
    /** Two nodes that share their circuits. */
    readonly nodes: readonly [Store, Store];
    /** What is shared; undefined where nothing was ever written. */
    readonly shared: (key: string) => Effect.Effect<Circuit | undefined>;
    /** Counts writes that were taken, of all circuits. */
    readonly writes: Effect.Effect<number>;
    /** The first node cannot reach what is shared, until it is back. */
    readonly cutOff: Effect.Effect<void>;
    readonly reconnect: Effect.Effect<void>;
  }
>()("@aegispay/tests/CircuitStoreHarness") {}

/** The store of one node; it lives as long as the scope. */
export const openStore = <E, R>(node: string, shared: Layer.Layer<SharedCircuits, E, R>) =>
  Effect.map(
    Layer.build(
      layerCircuitStore({
        node,
        rulesOf: () => rules,
        probeForMillis,
        onMoved: () => undefined,
        onReached: () => undefined,
      }).pipe(Layer.provide(shared)),
    ),
    (context) => Context.get(context, CircuitBreaker.CircuitBreakerStore),
  );
