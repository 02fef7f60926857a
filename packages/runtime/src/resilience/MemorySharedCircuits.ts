/**
 * The shared circuits of several nodes in one process. A test may make them unreachable for one node, lose the answer of a
 * write, and hold back what is to be heard.
 */
import { Effect, Layer } from "effect";
import type { Circuit } from "./Breakers.ts";
import { SharedCircuits, SharedCircuitsUnavailable } from "./SharedCircuits.ts";

export class MemoryCircuitBucket {
  readonly #entries = new Map<string, { readonly circuit: Circuit; readonly revision: number }>();
  readonly #listeners = new Set<(key?: string) => void>();
  /** Nodes that cannot reach it. */
  readonly unreachableBy = new Set<string>();
  /** Nodes whose next write is taken, and its answer lost. */
  readonly losesAnswerOf = new Set<string>();
  /** Writes that were taken. */
  writes = 0;

  get(key: string): Circuit | undefined {
    return this.#entries.get(key)?.circuit;
  }

  /** It can be reached again: whoever listens hears so. */
  reachable(node: string): void {
    this.unreachableBy.delete(node);
    for (const listener of this.#listeners) listener();
  }

  portOf(node: string): typeof SharedCircuits.Service {
    const attempt = <A>(run: () => A) =>
      Effect.suspend(() => {
        if (this.unreachableBy.has(node)) return Effect.fail(new SharedCircuitsUnavailable({ cause: "unreachable" }));
        return Effect.succeed(run());
      });
    return SharedCircuits.of({
      read: (key) => attempt(() => this.#entries.get(key) ?? { circuit: undefined, revision: 0 }),
      write: (key, circuit, revision) =>
        Effect.flatMap(
          attempt(() => this.#write(key, circuit, revision)),
          (written) =>
            this.losesAnswerOf.delete(node)
              ? Effect.fail(new SharedCircuitsUnavailable({ cause: "the answer was lost" }))
              : Effect.succeed(written),
        ),
      keys: attempt(() => [...this.#entries.keys()]),
      onChange: (listener) => {
        const heard = (key?: string): void => {
          if (!this.unreachableBy.has(node)) listener(key);
        };
        this.#listeners.add(heard);
        return () => this.#listeners.delete(heard);
      },
    });
  }

  layerOf(node: string): Layer.Layer<SharedCircuits> {
    return Layer.succeed(SharedCircuits, this.portOf(node));
  }

  #write(key: string, circuit: Circuit, revision: number): number | undefined {
    if ((this.#entries.get(key)?.revision ?? 0) !== revision) return undefined;
    const written = ++this.writes;
    this.#entries.set(key, { circuit, revision: written });
    for (const listener of this.#listeners) listener(key);
    return written;
  }
}
