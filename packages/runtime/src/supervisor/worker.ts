/**
 * The entry point of a worker process: one node. Its primary gives it its options, hears that it is ready, and ends it
 * with SIGTERM; when the primary dies, the worker ends by itself.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime";
import { Effect } from "effect";
import { layerNode, type NodeOptions } from "../Node.ts";
import { ShardOwner } from "../shard/ShardOwner.ts";
import { workerOptionsVariable, type WorkerReady } from "./Workers.ts";

const options = JSON.parse(process.env[workerOptionsVariable] ?? "{}") as NodeOptions;
delete process.env[workerOptionsVariable];

const primaryGone = Effect.callback<void>((resume) => {
  process.once("disconnect", () => resume(Effect.void));
});

const program = Effect.gen(function* () {
  const owner = yield* ShardOwner;
  const ready: WorkerReady = { type: "up", node: options.settings.nodeId, pid: process.pid };
  process.send?.(ready);
  yield* Effect.forkChild(
    Effect.andThen(
      owner.ready,
      Effect.sync(() => void process.send?.({ ...ready, type: "owning" })),
    ),
  );
  yield* primaryGone;
}).pipe(Effect.provide(layerNode(options)), Effect.scoped);

NodeRuntime.runMain(program, {
  teardown: (exit, onExit) => onExit(exit._tag === "Success" || isInterrupt(exit.cause) ? 0 : 1),
});

function isInterrupt(cause: { readonly reasons: ReadonlyArray<{ readonly _tag: string }> }): boolean {
  return cause.reasons.every((reason) => reason._tag === "Interrupt");
}
