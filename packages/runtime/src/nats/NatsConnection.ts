/**
 * The connection to NATS that a process shares. It reconnects for ever; what was published or acked while it was away is
 * gone (facts: each dial clears the outbound buffer), so whoever needs certainty asks again after a reconnect.
 */
import { jetstream, jetstreamManager, type JetStreamClient, type JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection as Connection, NodeConnectionOptions } from "@nats-io/transport-node";
import { connect, credsAuthenticator, nuid } from "@nats-io/transport-node";
import { Context, Data, Effect, Layer } from "effect";
import { readFileSync } from "node:fs";
import { count, metric } from "../metrics/Metrics.ts";

/** How to reach NATS. Secrets arrive as plain text only here and are not kept. */
export interface NatsAddress {
  readonly url: string;
  readonly name: string;
  readonly credsFile?: string;
  readonly user?: string;
  readonly password?: string;
  readonly tlsCaFile?: string;
}

export class NatsUnreachable extends Data.TaggedError("NatsUnreachable")<{
  readonly url: string;
  readonly cause: unknown;
}> {
  override get message(): string {
    return `no NATS at ${this.url} (${String(this.cause)}): start one, or name another with --nats-url or AEGISPAY_NATS_URL`;
  }
}

export class NatsConnectionLost extends Data.TaggedError("NatsConnectionLost")<{ readonly cause: unknown }> {
  override get message(): string {
    return `NATS has closed the connection for good (${String(this.cause)}): check the credentials`;
  }
}

/** A request to JetStream's API that failed; `cause` says how. */
export class NatsRequestFailed extends Data.TaggedError("NatsRequestFailed")<{
  readonly doing: string;
  readonly cause: unknown;
}> {
  override get message(): string {
    return `${this.doing}: ${this.cause instanceof Error ? this.cause.message : String(this.cause)}`;
  }
}

export class Nats extends Context.Service<
  Nats,
  {
    readonly connection: Connection;
    readonly jetstream: JetStreamClient;
    readonly manager: JetStreamManager;
    /** Calls back after each reconnect; returns how to stop that. */
    readonly onReconnect: (listener: () => void) => () => void;
    readonly isConnected: () => boolean;
    /** A random token of 22 characters. */
    readonly newId: () => string;
    /** Fails when the connection has ended for good without being asked to: refused credentials, for one. */
    readonly lost: Effect.Effect<never, NatsConnectionLost>;
  }
>()("@aegispay/runtime/Nats") {}

const options = (address: NatsAddress): NodeConnectionOptions => ({
  servers: address.url.split(","),
  name: address.name,
  maxReconnectAttempts: -1,
  reconnectTimeWait: 250,
  pingInterval: 5_000,
  maxPingOut: 2,
  timeout: 5_000,
  /** A stack trace for each request, made in case it fails, that nothing here reads. */
  noAsyncTraces: true,
  /** An inbox of its own, so that permissions can keep other users from reading this process's answers. */
  inboxPrefix: `_INBOX.${nuid.next()}`,
  ...(address.user === undefined ? {} : { user: address.user }),
  ...(address.password === undefined ? {} : { pass: address.password }),
  ...(address.credsFile === undefined ? {} : { authenticator: credsAuthenticator(readFileSync(address.credsFile)) }),
  ...(address.tlsCaFile === undefined ? {} : { tls: { caFile: address.tlsCaFile } }),
});

/** Turns a promise of the NATS client into an effect whose failure says what was being done. */
export const natsRequest = <A>(doing: string, run: () => Promise<A>): Effect.Effect<A, NatsRequestFailed> =>
  Effect.tryPromise({ try: run, catch: (cause) => new NatsRequestFailed({ doing, cause }) });

const open = Effect.fnUntraced(function* (address: NatsAddress) {
  const connection = yield* Effect.acquireRelease(
    Effect.tryPromise({
      try: () => connect(options(address)),
      catch: (cause) => new NatsUnreachable({ url: address.url, cause }),
    }),
    (connected) =>
      Effect.promise(async () => {
        // A drain waits for a server that may be gone: bounded, then closed whatever is left.
        const drained = connected.drain().catch(() => undefined);
        await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, 1_000).unref())]);
        await connected.close().catch(() => undefined);
      }),
  );
  const manager = yield* Effect.tryPromise({
    try: () => jetstreamManager(connection, { checkAPI: false }),
    catch: (cause) => new NatsUnreachable({ url: address.url, cause }),
  });
  const listeners = new Set<() => void>();
  const log = Effect.runForkWith(yield* Effect.context());
  let connected = true;
  const followStatus = async () => {
    for await (const status of connection.status()) {
      if (status.type === "disconnect") {
        if (connected) log(Effect.logWarning(`NATS is away (${address.url}): tried again until it is back`));
        connected = false;
      }
      if (status.type !== "reconnect") continue;
      if (!connected) log(Effect.logInfo(`NATS is back (${address.url})`));
      connected = true;
      count(metric.natsReconnects);
      for (const listener of listeners) listener();
    }
  };
  followStatus().catch(() => void (connected = false));
  return Nats.of({
    connection,
    jetstream: jetstream(connection),
    manager,
    onReconnect: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    isConnected: () => connected && !connection.isClosed(),
    newId: () => nuid.next(),
    lost: Effect.callback((resume) => {
      void connection.closed().then((cause) => resume(Effect.fail(new NatsConnectionLost({ cause }))));
    }),
  });
});

export const layerNats = (address: NatsAddress): Layer.Layer<Nats, NatsUnreachable> =>
  Layer.effect(Nats, open(address));
