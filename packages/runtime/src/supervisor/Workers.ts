/**
 * The primary's side of its workers: forks them, respawns one that ended without being asked to, with back-off, and
 * deletes the leases of the dead, so that its shards are free at once and not only when their leases expire.
 */
import { Data, Deferred, Effect, Exit, Scope } from "effect";
import cluster, { type Worker } from "node:cluster";
import { fileURLToPath } from "node:url";
import type { NodeOptions } from "../Node.ts";
import type { ShardStatus } from "../shard/ShardOwner.ts";
import { buryWorker } from "../shard/NatsBurial.ts";

export const workerOptionsVariable = "AEGISPAY_WORKER_OPTIONS";

/** What a worker tells its primary, several times a second. */
export interface WorkerStatus extends ShardStatus {
  readonly type: "status";
}

export interface WorkerInfo {
  readonly node: string;
  readonly pid: number;
}

export interface Workers {
  /** Those that are up now. */
  readonly list: () => ReadonlyArray<WorkerInfo>;
  /** Whether every worker is up, has its connection, and serves or stands by for each shard. */
  readonly areReady: () => boolean;
  /** Shards that are served by these workers. */
  readonly served: () => number;
  readonly expected: number;
}

/** A worker that serves, or stands by for, every shard of the deployment. */
const isServing = ({ connected, served, standby, shards }: WorkerStatus): boolean =>
  connected && served + standby === shards;

/** A worker that ended before it was ever up: something is wrong that a respawn does not mend. */
export class WorkerStartFailed extends Data.TaggedError("WorkerStartFailed")<{ readonly node: string }> {
  override get message(): string {
    return `worker ${this.node} ended while it was starting: its reason stands above`;
  }
}

const firstRespawnMillis = 100;
const longestRespawnMillis = 10_000;
/** A worker that has served this long is respawned at once when it ends: the pauses are for those that cannot start. */
const healthyMillis = 1_000;

export interface WorkersOptions {
  readonly count: number;
  readonly node: Omit<NodeOptions, "settings"> & { readonly settings: NodeOptions["settings"] };
}

/** Forks the workers and keeps them alive until the scope closes; done when each has been up once. */
export const startWorkers = Effect.fnUntraced(function* (options: WorkersOptions) {
  const { settings } = options.node;
  const up = new Map<string, WorkerInfo & { readonly status: WorkerStatus }>();
  const scope = yield* Effect.scope;
  let stopping = false;
  cluster.setupPrimary({ exec: fileURLToPath(new URL("./worker.ts", import.meta.url)), args: [], silent: false });

  /** One life of a worker. */
  const live = (node: string, onUp: () => void) =>
    Effect.callback<{ readonly pid: number; readonly code: string }>((resume) => {
      const nodeOptions: NodeOptions = {
        ...options.node,
        nats: { ...options.node.nats, name: node },
        settings: { ...settings, nodeId: node },
      };
      const worker: Worker = cluster.fork({ [workerOptionsVariable]: JSON.stringify(nodeOptions) });
      const pid = worker.process.pid!;
      worker.on("message", (status: WorkerStatus) => {
        if (worker.isDead()) return;
        up.set(node, { node, pid, status });
        if (isServing(status)) onUp();
      });
      worker.once("exit", (code, signal) => {
        up.delete(node);
        resume(Effect.succeed({ pid, code: signal ?? String(code) }));
      });
      return endWorker(worker, settings.drainMillis + 5_000);
    });

  const keepAlive = Effect.fnUntraced(function* (node: string, firstUp: Deferred.Deferred<void, WorkerStartFailed>) {
    let pause = firstRespawnMillis;
    for (;;) {
      let wasUp = false;
      let servingSince = Number.POSITIVE_INFINITY;
      const ended = yield* live(node, () => {
        if (!wasUp) servingSince = Date.now();
        wasUp = true;
        Deferred.doneUnsafe(firstUp, Effect.void);
      });
      if (stopping) return;
      if (!wasUp) yield* Deferred.fail(firstUp, new WorkerStartFailed({ node }));
      if (Date.now() - servingSince > healthyMillis) pause = firstRespawnMillis;
      yield* Effect.logWarning(
        `worker ${node} (pid ${ended.pid}) ended with ${ended.code}, it starts again in ${pause} ms`,
      );
      yield* buryWorker(settings.root, node, ended.pid).pipe(
        Effect.timeout(2_000),
        Effect.catch((error) => Effect.logWarning(`its leases will expire by themselves: ${String(error)}`)),
      );
      yield* Effect.sleep(pause);
      pause = Math.min(pause * 2, longestRespawnMillis);
    }
  });

  const loops = yield* Scope.make();
  yield* Scope.addFinalizer(
    scope,
    Effect.andThen(
      Effect.sync(() => void (stopping = true)),
      Scope.close(loops, Exit.void),
    ),
  );
  const starts: Array<Deferred.Deferred<void, WorkerStartFailed>> = [];
  for (let index = 1; index <= options.count; index++) {
    const firstUp = yield* Deferred.make<void, WorkerStartFailed>();
    starts.push(firstUp);
    yield* Effect.forkIn(keepAlive(`${settings.nodeId}-${index}`, firstUp), loops);
  }
  yield* Effect.forEach(starts, Deferred.await, { concurrency: "unbounded", discard: true });
  const areReady = () => up.size === options.count && [...up.values()].every(({ status }) => isServing(status));
  const list = () => [...up.values()].map(({ node, pid }) => ({ node, pid }));
  const served = () => [...up.values()].reduce((sum, { status }) => sum + status.served, 0);
  return { list, areReady, served, expected: options.count } satisfies Workers;
});

/** SIGTERM, then SIGKILL for one that does not end in time. */
const endWorker = (worker: Worker, graceMillis: number): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (worker.isDead()) return resume(Effect.void);
    const timer = setTimeout(() => worker.process.kill("SIGKILL"), graceMillis);
    worker.once("exit", () => {
      clearTimeout(timer);
      resume(Effect.void);
    });
    worker.process.kill("SIGTERM");
  });
