/** The bare side of a round: its worker processes, which end with the scope. */
import { makeAddressBook } from "@aegispay/core/addresses/AddressBook";
import { Data, Effect } from "effect";
import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { defaultSettings } from "../config/RuntimeSettings.ts";
import { Nats, natsRequest } from "../nats/NatsConnection.ts";
import { bareEpoch, bareOptionsVariable, type BareWorkerOptions } from "./BareWorkerOptions.ts";
import { benchRoot, benchShards } from "./settings.ts";

export class BareWorkerEnded extends Data.TaggedError("BareWorkerEnded")<{ readonly ending: string }> {
  override get message(): string {
    return `a worker of the bare hot path ended with ${this.ending}: its reason stands above`;
  }
}

const entry = fileURLToPath(new URL("./NatsBareWorker.ts", import.meta.url));

const endBare = (child: ChildProcess) =>
  Effect.callback<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void);
    child.once("exit", () => resume(Effect.void));
    if (child.connected) child.disconnect();
    else child.kill("SIGKILL");
  });

const startOne = (options: BareWorkerOptions) =>
  Effect.gen(function* () {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => fork(entry, { env: { ...process.env, [bareOptionsVariable]: JSON.stringify(options) } })),
      endBare,
    );
    yield* Effect.callback<void, BareWorkerEnded>((resume) => {
      child.once("message", () => resume(Effect.void));
      child.once("exit", (code, signal) =>
        resume(Effect.fail(new BareWorkerEnded({ ending: String(signal ?? code) }))),
      );
    });
    /** Fails when it ends before it is told to. */
    return Effect.callback<never, BareWorkerEnded>((resume) => {
      child.once("exit", (code, signal) =>
        resume(Effect.fail(new BareWorkerEnded({ ending: String(signal ?? code) }))),
      );
    });
  });

/** Starts the workers, each with its share of the shards; answers what fails when one of them ends. */
export const startBareWorkers = Effect.fnUntraced(function* (url: string, workers: number) {
  const shards = Array.from({ length: benchShards }, (_, shard) => shard);
  const { shardWindow } = defaultSettings;
  const { manager } = yield* Nats;
  const { epochConsumer, streams } = makeAddressBook(benchRoot);
  // They would hold the shards' commands back from whoever comes next on the same servers.
  yield* Effect.addFinalizer(() =>
    Effect.forEach(shards, (shard) =>
      Effect.ignore(
        natsRequest("deleting a consumer", () =>
          manager.consumers.delete(streams.commands, epochConsumer("command", shard, bareEpoch)),
        ),
      ),
    ),
  );
  const ends = yield* Effect.forEach(
    Array.from({ length: workers }, (_, index) => shards.filter((shard) => shard % workers === index)),
    (share) => startOne({ url, shards: share, shardWindow }),
    { concurrency: "unbounded" },
  );
  return Effect.raceAllFirst(ends);
});
