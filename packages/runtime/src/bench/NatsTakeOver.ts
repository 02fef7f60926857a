/**
 * One take-over: a worker with so many payments at a gateway that answers none of them is killed, and the other brings each
 * to its end. Told by the commits themselves, as the event stream republishes them.
 */
import { nuid } from "@nats-io/nats-core";
import { Effect } from "effect";
import { layerDeployment } from "../nats/NatsTopology.ts";
import { readOverview } from "../shard/NatsOverview.ts";
import { shardOf } from "../shard/shardOf.ts";
import type { Workers } from "../supervisor/Workers.ts";
import { beginPayments, followStates } from "./NatsStates.ts";
import { benchMerchant, benchRoot, benchShards } from "./settings.ts";

export interface TakeOver {
  /** From the kill to the first and to the last payment's end being committed, in milliseconds. */
  readonly first: number;
  readonly last: number;
}

/** From the commit of an intent to its call, in milliseconds, and then some. */
const callsLeaveMillis = 300;

/** Ids of new payments of these shards, as many of each as of any other. */
const idsOf = (shards: ReadonlyArray<number>, count: number): ReadonlyArray<string> => {
  const run = nuid.next();
  const room = new Map(shards.map((shard) => [shard, Math.ceil(count / shards.length)]));
  const ids: Array<string> = [];
  for (let n = 0; ids.length < count; n++) {
    const paymentId = `${run}-${n}`;
    const shard = shardOf({ merchant: benchMerchant, paymentId }, benchShards);
    const left = room.get(shard) ?? 0;
    if (left === 0) continue;
    room.set(shard, left - 1);
    ids.push(paymentId);
  }
  return ids;
};

const shardsOf = Effect.fnUntraced(function* (pid: number) {
  const { owners } = yield* readOverview;
  return owners.filter(({ lease }) => lease?.value.pid === pid).map(({ shard }) => shard);
});

/** Kills the first worker with so many payments in flight; done when the other has brought them to their end. */
export const killInFlight = Effect.fnUntraced(function* (workers: Workers, inFlight: number) {
  const victim = workers.list()[0]!;
  const ids = idsOf(yield* Effect.provide(shardsOf(victim.pid), layerDeployment(benchRoot)), inFlight);
  const states = yield* followStates;
  yield* beginPayments(ids);
  yield* states.reached("PROCESSING", inFlight);
  yield* Effect.sleep(callsLeaveMillis);
  const killedAt = performance.now();
  process.kill(victim.pid, "SIGKILL");
  const ends = (yield* states.reached("SUCCESS", inFlight)).map((at) => at - killedAt);
  return { first: Math.min(...ends), last: Math.max(...ends) } as TakeOver;
}, Effect.scoped);
