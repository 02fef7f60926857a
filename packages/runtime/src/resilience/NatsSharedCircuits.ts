/**
 * The shared circuits in the bucket `payments_breakers`. Changes are heard as what they are, messages on the bucket's
 * subjects: that something may have changed. A message may be of a write that was refused, so the bucket is read then; and
 * it may come before what it says is stored, so the bucket is read until nothing has been said of the circuit for a while.
 */
import { jetstream } from "@nats-io/jetstream";
import { Kvm, type KV } from "@nats-io/kv";
import { Clock, Effect, Layer } from "effect";
import { Nats } from "../nats/NatsConnection.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import { readCircuit } from "./Breakers.ts";
import { SharedCircuits, SharedCircuitsUnavailable } from "./SharedCircuits.ts";

/** A request that takes longer, in milliseconds, leaves the node to its own state. */
const answerWithinMillis = 1_000;

/** Between two looks at a circuit of which something was said, and for how long after the last word, in milliseconds. */
const lookMillis = 100;
const lookForMillis = 1_000;

/** The server's code for a write under a condition that does not hold. */
const wrongRevision = 10071;

const make = Effect.gen(function* () {
  const { connection, onReconnect } = yield* Nats;
  const { addresses } = yield* Deployment;
  const name = addresses.buckets.breakers;
  const impatient = jetstream(connection, { timeout: answerWithinMillis });
  /** Opened when it is needed: a deployment of an earlier version has none until it is set up again. */
  let opened: Promise<KV> | undefined;
  const bucket = (): Promise<KV> => {
    opened ??= new Kvm(impatient).open(name);
    opened.catch(() => void (opened = undefined));
    return opened;
  };
  const attempt = <A>(run: (bucket: KV) => Promise<A>) =>
    Effect.tryPromise({
      try: async () => run(await bucket()),
      catch: (cause) => new SharedCircuitsUnavailable({ cause }),
    });

  const listeners = new Set<(key?: string) => void>();
  const tell = (key?: string): void => {
    for (const listener of listeners) listener(key);
  };
  const clock = yield* Clock.Clock;
  /** Monotonic: a clock that is set back must not make it look for longer. */
  const nowMillis = (): number => Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n);
  const fork = Effect.runForkWith(yield* Effect.context());
  const scope = yield* Effect.scope;
  /** When something was last said of each circuit that is being looked at, in milliseconds. */
  const saidAtMillis = new Map<string, number>();
  const lookOn = (key: string): Effect.Effect<void> =>
    Effect.suspend(() => {
      tell(key);
      if (nowMillis() - saidAtMillis.get(key)! < lookForMillis) {
        return Effect.andThen(Effect.sleep(lookMillis), lookOn(key));
      }
      saidAtMillis.delete(key);
      return Effect.void;
    });
  const hear = (key: string): void => {
    const isLookedAt = saidAtMillis.has(key);
    saidAtMillis.set(key, nowMillis());
    if (!isLookedAt) fork(Effect.forkIn(lookOn(key), scope));
    else tell(key);
  };
  const subjectPrefix = `$KV.${name}.`;
  yield* Effect.acquireRelease(
    Effect.sync(() =>
      connection.subscribe(`${subjectPrefix}>`, {
        callback: (error, message) => {
          if (error === null) hear(message.subject.slice(subjectPrefix.length));
        },
      }),
    ),
    (subscription) => Effect.sync(() => subscription.unsubscribe()),
  );
  const stopListening = onReconnect(() => tell());
  yield* Effect.addFinalizer(() => Effect.sync(stopListening));

  return SharedCircuits.of({
    read: (key) =>
      attempt(async (open) => {
        const entry = await open.get(key);
        const circuit = entry?.operation === "PUT" ? readCircuit(entry.string()) : undefined;
        return { circuit, revision: entry?.revision ?? 0 };
      }),
    write: (key, circuit, revision) =>
      attempt(async (open) => {
        try {
          return await open.put(key, JSON.stringify(circuit), { previousSeq: revision });
        } catch (cause) {
          if (cause instanceof Error && "code" in cause && cause.code === wrongRevision) return undefined;
          throw cause;
        }
      }),
    keys: attempt(async (open) => {
      const keys: Array<string> = [];
      for await (const key of await open.keys()) keys.push(key);
      return keys;
    }),
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  });
});

export const layerNatsSharedCircuits = Layer.effect(SharedCircuits, make);
