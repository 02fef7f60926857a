/** The recoveries that are kept, a few of each shard: for people and scripts, never for a decision. */
import { Kvm } from "@nats-io/kv";
import { Effect } from "effect";
import { Nats, natsRequest } from "../nats/NatsConnection.ts";
import { Deployment } from "../nats/NatsTopology.ts";
import type { RecoveryReport } from "./Recovery.ts";

/** Of all shards, newest first. */
export const readRecoveries = Effect.gen(function* () {
  const { connection } = yield* Nats;
  const { addresses } = yield* Deployment;
  const reports = yield* natsRequest("reading the recovery reports", async () => {
    const bucket = await new Kvm(connection).open(addresses.buckets.recoveries);
    const found: Array<RecoveryReport> = [];
    for await (const entry of await bucket.history()) {
      if (entry.operation === "PUT") found.push(entry.json<RecoveryReport>());
    }
    return found;
  });
  return reports.toSorted((left, right) => right.at.localeCompare(left.at) || left.shard - right.shard);
});
