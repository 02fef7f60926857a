/** Back-pressure end to end: what a silent gateway holds up waits in NATS, never in the process's memory. */
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

it("200,000 commands with a silent gateway keep a worker below 400 MB, and all of them stay in the queue", async () => {
  await flood();
  const manager = await jetstreamManager(flooded.connection);
  const firstCommits = Math.max(1, flooded.gatewayConnections());
  await eventually("calls to have timed out and their outcome to be recorded as unknown", async () => {
    const { messages } = (await manager.streams.info("PAYMENTS_EVENTS")).state;
    return messages > windowOfAllShards + firstCommits;
  });
  const { state } = await manager.streams.info("PAYMENTS_COMMANDS");
  expect(state.messages).toBe(commands);
  const peak = peakMemoryMebibytes(flooded.workerPid);
  console.log(
    `${commands} commands queued, worker's peak ${peak.toFixed(0)} MiB, ${flooded.gatewayConnections()} calls waiting`,
  );
  expect(peak).toBeLessThan(memoryLimitMebibytes);
});
