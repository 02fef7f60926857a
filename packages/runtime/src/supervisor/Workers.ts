/**
 * The primary's side of its workers. Owns the processes it forks: respawns one that ended, with back-off and a limit,
 * restarts them one after the other when asked to, and deletes the leases of the dead, so that their shards are free at
 * once and not only when the leases expire.
 *
 * Invariants:
 * 1. A worker's id has at most one process: the next one is forked only after the one before was reaped and buried.
 * 2. What a worker has said counts only while that very process lives.
 * 3. When the scope closes, or one worker is given up, every other one is told to end and waited for.
 */
import type { GatewaysConfig } from "@aegispay/gateways/GatewaysConfig";
import { Clock, Data, Deferred, Effect, Exit, Scope } from "effect";
import cluster, { type Worker } from "node:cluster";
import { fileURLToPath } from "node:url";
import { mergeMetrics } from "../metrics/prometheusText.ts";
import { Nats, type NatsConnectionLost } from "../nats/NatsConnection.ts";
import type { NodeOptions } from "../Node.ts";
import { buryWorker } from "../shard/NatsBurial.ts";
import { renderPrimaryMetrics } from "./primaryMetrics.ts";
import { isServing, readinessOf, type NodeReadiness, type WorkerReport } from "./readiness.ts";
import { defaultRespawnLimit, respawnAfter } from "./respawn.ts";
import { workerOptionsVariable, type PrimaryMessage, type WorkerMessage } from "./WorkerMessage.ts";

export interface WorkerInfo {
  readonly node: string;
  readonly pid: number;
}

export type WorkersFailed = WorkerKeepsEnding | NatsConnectionLost;

export interface Workers {
  /** Forks the workers and keeps them alive until the scope closes; done when each has been serving once. Once only. */
  readonly start: Effect.Effect<void, WorkersFailed, Scope.Scope | Nats>;
  /** Fails when there is no sense in going on: whoever started the workers then ends, with this as the reason. */
  readonly failed: Effect.Effect<never, WorkersFailed>;
  /** Those that are up now, in the order of their ids. */
  readonly list: () => ReadonlyArray<WorkerInfo>;
  /** How each of those is doing. */
  readonly nodes: () => ReadonlyArray<NodeReadiness>;
  /** Whether every worker is up and serves what belongs to it. */
  readonly areReady: () => boolean;
  /** Shards that are served by these workers. */
  readonly served: () => number;
  /** Metrics of all of them and of the primary, as Prometheus reads them. */
  readonly metrics: () => string;
  /**
   * Ends each worker in turn, and goes on to the next when all serve again. Done when all are done, or when one does not
   * come back in time: then the others stay as they are.
   */
  readonly rollingRestart: Effect.Effect<void>;
  /** Gives all workers another configuration, and those that are started later too. */
  readonly configure: (config: GatewaysConfig) => Effect.Effect<void>;
  readonly expected: number;
}

/** A worker that cannot start, or cannot stay: something is wrong that respawning does not mend. */
export class WorkerKeepsEnding extends Data.TaggedError("WorkerKeepsEnding")<{
  readonly node: string;
  readonly times: number;
  /** Exit code or signal of its last end. */
  readonly ending: string;
}> {
  override get message(): string {
    return (
      `worker ${this.node} has ended ${this.times} times in a row without serving, at last with ${this.ending}: ` +
      `its reason stands above; the primary ends, after the other workers`
    );
  }
}

/** What a worker needs beyond `drainMillis` to end, in milliseconds: handing its shards over, closing its connection. */
const endGraceMillis = 5_000;
/** After which whoever waits for the end of a worker is told what for, in milliseconds. */
const sayAfterMillis = 5_000;
/** How long a rolling restart waits for a worker to serve again, in milliseconds: longer than a lease lives. */
const servesAgainMillis = 60_000;
const pollMillis = 50;
/**
 * Room for a worker's young objects, in MiB (twice that at most in memory). With Node's own 16 what a payment needs while
 * it waits for its commit is copied, and often grows old, before it is done; with 64 a worker that holds back more than a
 * thousand payments a second had 80 MiB more at its peak.
 */
const youngGenerationMiB = 32;
/**
 * By how much of what is alive the heap may grow before it is cleaned, in percent. Node's own lets it grow to several times
 * that: such a worker had 610 MiB instead of 430 at a young generation of 64.
 */
const heapGrowthPercent = 50;

export interface WorkersOptions {
  readonly count: number;
  readonly node: NodeOptions;
  /** What a worker process runs; tests run workers of another composition. Default: `worker.ts`. */
  readonly entry?: URL;
  /** What became of changes of the configuration, counted by whoever follows its file. */
  readonly reloads?: ReadonlyMap<string, number>;
  /** Ends in a row, without serving, until the primary gives up. */
  readonly respawnLimit?: number;
}

/** One process of a worker. */
interface Life {
  readonly worker: Worker;
  report?: WorkerReport;
  /** Monotonic; when it first said that it serves. */
  servingSinceMillis?: number;
  metrics: string;
  /** Told to end by a rolling restart. */
  restarting: boolean;
}

/** Makes the workers' supervision; nothing is forked before `start`, so that who serves their health can begin first. */
export const makeWorkers = Effect.fnUntraced(function* (options: WorkersOptions) {
  const { settings } = options.node;
  const { entry = new URL("./worker.ts", import.meta.url), respawnLimit = defaultRespawnLimit } = options;
  const clock = yield* Clock.Clock;
  const nats = yield* Nats;
  const gaveUp = yield* Deferred.make<never, WorkerKeepsEnding>();
  const failed = Effect.raceFirst(Deferred.await(gaveUp), nats.lost);
  const names = Array.from({ length: options.count }, (_, index) => `${settings.nodeId}-${index + 1}`);
  const lives = new Map<string, Life>();
  const restarts = new Map(names.map((node) => [node, 0]));
  const reloads = options.reloads === undefined ? {} : { reloads: options.reloads };
  let phase: "new" | "starting" | "running" | "stopping" = "new";
  let rolling = false;
  let { gateways } = options.node;
  /** Called at each report. */
  const watchers = new Set<() => void>();
  const now = (): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6;

  const reports = () => names.flatMap((node) => lives.get(node)?.report ?? []);
  const nodes = () => reports().map((report) => readinessOf(report, now()));
  const list = () => reports().map(({ node, pid }) => ({ node, pid }));
  const areReady = () =>
    phase !== "stopping" && reports().length === options.count && nodes().every(({ serving }) => serving);
  const served = () => reports().reduce((sum, { status }) => sum + status.served, 0);
  const metrics = () =>
    mergeMetrics([
      { text: renderPrimaryMetrics({ up: reports().length, expected: options.count, restarts, ...reloads }) },
      ...names.map((node) => ({ node, text: lives.get(node)?.metrics ?? "" })),
    ]);

  const endWorker = (worker: Worker) => {
    const killedAfterMillis = settings.drainMillis + endGraceMillis;
    const stillThere = `worker pid ${worker.process.pid} was told to end ${sayAfterMillis} ms ago; it is killed after ${killedAfterMillis} ms`;
    const say = Effect.logInfo(stillThere).pipe(Effect.delay(sayAfterMillis), Effect.andThen(Effect.never));
    return Effect.raceFirst(endProcess(worker, killedAfterMillis), say);
  };

  /** One life of a worker, to its end. */
  const live = (node: string, onServing: () => void) =>
    Effect.callback<{ readonly life: Life; readonly pid: number; readonly code: string }>((resume) => {
      const nodeOptions: NodeOptions = {
        ...options.node,
        gateways,
        nats: { ...options.node.nats, name: node },
        settings: { ...settings, nodeId: node },
      };
      const worker = cluster.fork({ [workerOptionsVariable]: JSON.stringify(nodeOptions) });
      const { pid = 0 } = worker.process;
      const life: Life = { worker, metrics: "", restarting: false };
      lives.set(node, life);
      const ended = (code: string): void => {
        lives.delete(node);
        resume(Effect.succeed({ life, pid, code }));
      };
      worker.on("message", (message: WorkerMessage) => {
        if (worker.isDead()) return;
        if (message.type === "metrics") return void (life.metrics = message.text);
        life.report = { node, pid, status: message, atMillis: now() };
        if (isServing(message)) {
          life.servingSinceMillis ??= now();
          onServing();
        }
        for (const look of watchers) look();
      });
      worker.once("exit", (code, signal) => ended(signal ?? String(code)));
      // A process that could not be made has no exit.
      worker.on("error", (error) => (pid === 0 ? ended(error.message) : undefined));
      return pid === 0 ? Effect.void : endWorker(worker);
    });

  const keepAlive = Effect.fnUntraced(function* (node: string, firstServed: Deferred.Deferred<void>) {
    let failures = 0;
    for (;;) {
      const { life, pid, code } = yield* live(node, () => Deferred.doneUnsafe(firstServed, Effect.void));
      if (phase === "stopping") return;
      const end = {
        servedMillis: life.servingSinceMillis === undefined ? 0 : now() - life.servingSinceMillis,
        clean: code === "0",
        restarting: life.restarting,
        natsConnected: nats.isConnected(),
      };
      const next = respawnAfter(failures, end, respawnLimit);
      failures = next.failures;
      const what = `worker ${node} (pid ${pid}) ended with ${code}`;
      if (next._tag === "AtOnce") yield* Effect.logInfo(`${what}, it starts again`);
      if (next._tag === "After") yield* Effect.logWarning(`${what}, it starts again in ${next.millis} ms`);
      yield* Effect.ignore(buryWorker(settings.root, node, pid, settings.leaseTtlMillis));
      if (next._tag === "GiveUp") {
        const reason = new WorkerKeepsEnding({ node, times: next.failures, ending: code });
        yield* Effect.logError(`${what}; ${reason.message}`);
        return yield* Deferred.fail(gaveUp, reason);
      }
      if (next._tag === "After") yield* Effect.sleep(next.millis);
      while (!nats.isConnected()) yield* Effect.sleep(pollMillis);
      restarts.set(node, restarts.get(node)! + 1);
    }
  });

  const start = Effect.gen(function* () {
    phase = "starting";
    const heap = [`--max-semi-space-size=${youngGenerationMiB}`, `--heap-growing-percent=${heapGrowthPercent}`];
    const execArgv = [...process.execArgv, ...heap];
    cluster.setupPrimary({ exec: fileURLToPath(entry), args: [], execArgv, silent: false });
    // All at once: one after the other would hand each one's shards to those that are to end next.
    const loops = yield* Scope.make("parallel");
    yield* Effect.addFinalizer(() => {
      phase = "stopping";
      return Scope.close(loops, Exit.void);
    });
    const eachServed = yield* Effect.forEach(names, () => Deferred.make<void>());
    for (const [index, node] of names.entries()) {
      // A loop that ends by a mistake of ours must not leave its worker away for ever.
      const loop = Effect.onError(keepAlive(node, eachServed[index]!), (cause) => Deferred.failCause(gaveUp, cause));
      yield* Effect.forkIn(loop, loops);
    }
    const allServed = Effect.forEach(eachServed, Deferred.await, { concurrency: "unbounded", discard: true });
    yield* Effect.raceFirst(allServed, failed);
    phase = "running";
  });

  /** Done at the report that makes it true, so that whoever sees it in `/readyz` may ask for the next restart at once. */
  const serveAgain = (node: string, before: Life | undefined) =>
    Effect.callback<void>((resume) => {
      const look = (): void => {
        if (lives.get(node) === before || !areReady()) return;
        watchers.delete(look);
        resume(Effect.void);
      };
      watchers.add(look);
      look();
      return Effect.sync(() => void watchers.delete(look));
    }).pipe(Effect.timeoutOption(servesAgainMillis));

  const roll = Effect.gen(function* () {
    yield* Effect.logInfo(`rolling restart of ${names.length} worker(s)`);
    for (const [index, node] of names.entries()) {
      const life = lives.get(node);
      if (life !== undefined) {
        life.restarting = true;
        yield* endWorker(life.worker);
      }
      if ((yield* serveAgain(node, life))._tag === "None") {
        const left = names.length - index - 1;
        return yield* Effect.logError(
          `rolling restart: not all workers serve ${servesAgainMillis} ms after ${node} was restarted; ${left} of them stay as they are`,
        );
      }
      yield* Effect.logInfo(`rolling restart: ${node} serves again (pid ${lives.get(node)?.worker.process.pid})`);
    }
    return yield* Effect.logInfo("rolling restart done");
  });

  const rollingRestart = Effect.suspend(() => {
    if (phase !== "running") return Effect.logWarning("no rolling restart: the workers are not running yet");
    if (rolling) return Effect.logWarning("no second rolling restart: one is under way");
    rolling = true;
    return Effect.ensuring(
      roll,
      Effect.sync(() => void (rolling = false)),
    );
  });

  const configure = (config: GatewaysConfig) =>
    Effect.sync(() => {
      gateways = config;
      const message: PrimaryMessage = { type: "configuration", config };
      // One that is ending just now is started again with the new one.
      for (const { worker } of lives.values()) if (worker.isConnected()) worker.send(message, () => undefined);
    });

  const workers: Workers = {
    start,
    failed,
    list,
    nodes,
    areReady,
    served,
    metrics,
    rollingRestart,
    configure,
    expected: options.count,
  };
  return workers;
});

/** The workers, when each has been serving once. */
export const startWorkers = (options: WorkersOptions) => Effect.tap(makeWorkers(options), (workers) => workers.start);

/** SIGTERM, then SIGKILL for one that does not end in time. */
const endProcess = (worker: Worker, graceMillis: number): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (worker.isDead()) return resume(Effect.void);
    const timer = setTimeout(() => worker.process.kill("SIGKILL"), graceMillis);
    worker.once("exit", () => {
      clearTimeout(timer);
      resume(Effect.void);
    });
    worker.process.kill("SIGTERM");
  });
