/**
 * A worker process: one node. Its primary gives it its options, hears how it is doing, and ends it with SIGTERM; when the
 * primary dies, or NATS has turned the connection away for good, the worker ends by itself.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime";
import type { GatewaysConfig } from "@aegispay/gateways/GatewaysConfig";
import { Cause, Effect, Logger, Queue, References, type LogLevel } from "effect";
import { metric, renderMetrics, set } from "../metrics/Metrics.ts";
import { layerNode, type NodeOptions, type NodeParts } from "../Node.ts";
import { ShardOwner } from "../shard/ShardOwner.ts";
import { workerOptionsVariable, type PrimaryMessage, type WorkerMessage } from "./WorkerMessage.ts";

/** Between two reports to the primary, in milliseconds. */
const reportMillis = 200;
/** Between two renderings of the metrics, in milliseconds: more often than anybody scrapes them. */
const metricsMillis = 1_000;

/** Sends, unless what was sent before has not left yet: a primary that is frozen must not fill this process's memory. */
const makeSender = () => {
  let underWay = false;
  return (message: () => WorkerMessage): void => {
    if (underWay || !process.connected) return;
    underWay = true;
    // The callback also keeps a primary that dies just now from being an uncaught error: `primaryGone` sees to that.
    process.send!(message(), undefined, {}, () => void (underWay = false));
  };
};

const primaryGone = Effect.callback<void>((resume) => {
  process.once("disconnect", () => resume(Effect.void));
  if (!process.connected) resume(Effect.void);
});

/** What the primary sends instead of the first configuration; only the newest counts. */
const configurationsFromPrimary = Effect.gen(function* () {
  const changes = yield* Queue.sliding<GatewaysConfig>(1);
  const take = (message: PrimaryMessage): void => {
    if (message.type === "configuration") Queue.offerUnsafe(changes, message.config);
  };
  yield* Effect.acquireRelease(
    Effect.sync(() => process.on("message", take)),
    () => Effect.sync(() => process.off("message", take)),
  );
  return changes;
});

const reportTo = (owner: typeof ShardOwner.Service) => {
  const sendStatus = makeSender();
  const sendMetrics = makeSender();
  const reportStatus = Effect.sync(() => {
    const status = owner.status();
    set(metric.shardsServed, status.served);
    set(metric.shardsWanted, status.wanted);
    set(metric.natsConnected, status.connected ? 1 : 0);
    sendStatus(() => ({ type: "status", ...status }));
  });
  const reportMetrics = Effect.sync(() => sendMetrics(() => ({ type: "metrics", text: renderMetrics() })));
  return Effect.all(
    [
      Effect.forever(Effect.andThen(reportStatus, Effect.sleep(reportMillis))),
      Effect.forever(Effect.andThen(reportMetrics, Effect.sleep(metricsMillis))),
    ],
    { concurrency: "unbounded", discard: true },
  );
};

/**
 * Runs the node that the environment describes until it is told to end. `parts`: what it has instead of the usual.
 * `logFrom`: the least grave of what it logs.
 */
export const runWorker = (parts: NodeParts = {}, logFrom: LogLevel.LogLevel = "Info"): void => {
  const options = JSON.parse(process.env[workerOptionsVariable] ?? "{}") as NodeOptions;
  delete process.env[workerOptionsVariable];
  // A terminal that closes says so to every process in it; what follows from that is for the primary to say.
  process.on("SIGHUP", () => undefined);

  const serve = Effect.gen(function* () {
    const owner = yield* ShardOwner;
    yield* Effect.forkChild(reportTo(owner));
    yield* Effect.raceFirst(primaryGone, owner.connectionLost);
  });
  const program = Effect.gen(function* () {
    const configurations = yield* configurationsFromPrimary;
    yield* Effect.provide(serve, layerNode(options, { configurations, ...parts }));
  }).pipe(
    Effect.scoped,
    // Here and not in runMain, whose report would go to stdout, among the results of the primary's command.
    Effect.tapCause((cause) => (Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.logError(cause))),
    Effect.provideService(Logger.LogToStderr, true),
    Effect.provideService(References.MinimumLogLevel, logFrom),
  );
  NodeRuntime.runMain(program, {
    disableErrorReporting: true,
    teardown: (exit, onExit) => onExit(exit._tag === "Success" || Cause.hasInterruptsOnly(exit.cause) ? 0 : 1),
  });
};
