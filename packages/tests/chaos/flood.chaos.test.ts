/** Back-pressure end to end: what a silent gateway holds up waits in NATS, in the queue or on timers, never in memory. */
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { peakMemoryMebibytes, startFloodedNode, type FloodedNode } from "../support/floodedNode.ts";
import { createBody } from "../support/plainClient.ts";

const commands = 200_000;
const publishesInFlight = 1_000;
const memoryLimitMebibytes = 400;
/** 16 shards of 128 commands each: the payments a node has under way at most. */
const windowOfAllShards = 2_048;

let flooded: FloodedNode;
beforeAll(async () => void (flooded = await startFloodedNode()), 60_000);
afterAll(() => flooded?.stop(), 60_000);

const flood = async (): Promise<void> => {
  const publisher = jetstream(flooded.connection, { timeout: 30_000 });
  const body = JSON.stringify(createBody());
  let next = 0;
  const lane = async () => {
    while (next < commands) await publisher.publish(`payments.command.flood.p${next++}.create`, body);
  };
  await Promise.all(Array.from({ length: publishesInFlight }, lane));
};

it("200,000 commands with a silent gateway keep a worker below 400 MB, and each is in the queue or on a timer", async () => {
  await flood();
  const manager = await jetstreamManager(flooded.connection);
  const firstCommits = Math.max(1, flooded.gatewayConnections());
  await eventually("calls to have timed out and their outcome to be recorded as unknown", async () => {
    const { messages } = (await manager.streams.info("PAYMENTS_EVENTS")).state;
    return messages > windowOfAllShards + firstCommits;
  });
  const waiting = async (stream: string) => (await manager.streams.info(stream)).state.messages;
  // What is held back arms its timer before it leaves the queue: read in this order none is missed.
  const queued = await waiting("PAYMENTS_COMMANDS");
  const onTimers = await waiting("PAYMENTS_TIMERS");
  expect(queued + onTimers).toBeGreaterThanOrEqual(commands);
  const peak = peakMemoryMebibytes(flooded.workerPid);
  console.log(
    `${queued} commands queued, ${onTimers} on timers, worker's peak ${peak.toFixed(0)} MiB, ${flooded.gatewayConnections()} calls waiting`,
  );
  expect(peak).toBeLessThan(memoryLimitMebibytes);
});
