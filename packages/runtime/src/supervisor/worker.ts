/**
 * The entry point of a worker process: one node. Its primary gives it its options, hears how it is doing, and ends it with
 * SIGTERM; when the primary dies, or NATS has turned the connection away for good, the worker ends by itself.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime";
import { Effect, Logger } from "effect";
import { layerNode, type NodeOptions } from "../Node.ts";
import { ShardOwner } from "../shard/ShardOwner.ts";
import { workerOptionsVariable, type WorkerStatus } from "./Workers.ts";

/** Between two reports to the primary, in milliseconds. */
const reportMillis = 200;

const options = JSON.parse(process.env[workerOptionsVariable] ?? "{}") as NodeOptions;
delete process.env[workerOptionsVariable];

const primaryGone = Effect.callback<void>((resume) => {
  process.once("disconnect", () => resume(Effect.void));
});

const program = Effect.gen(function* () {
  const owner = yield* ShardOwner;
  const report = Effect.sync(() => {
    const status: WorkerStatus = { type: "status", ...owner.status() };
    if (process.connected) process.send?.(status);
  });
  yield* Effect.forkChild(Effect.forever(Effect.andThen(report, Effect.sleep(reportMillis))));
  yield* Effect.raceFirst(primaryGone, owner.connectionLost);
}).pipe(Effect.provide(layerNode(options)), Effect.scoped, Effect.provideService(Logger.LogToStderr, true));

NodeRuntime.runMain(program, {
  teardown: (exit, onExit) => onExit(exit._tag === "Success" || isInterrupt(exit.cause) ? 0 : 1),
});

function isInterrupt(cause: { readonly reasons: ReadonlyArray<{ readonly _tag: string }> }): boolean {
  return cause.reasons.every((reason) => reason._tag === "Interrupt");
}
