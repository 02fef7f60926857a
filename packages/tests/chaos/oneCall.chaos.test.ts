/**
 * Commands that conflict with a payment under way, while it is under way: each is refused, and the payment is called
 * exactly as if they had never come. Criteria 11, 16 and 20 of facts/seed.md.
 */
import { afterEach, describe, expect, it } from "vitest";
import { auditEverything } from "../support/auditor.ts";
import { startCluster, type Cluster } from "../support/cluster.ts";
import { orderFaults, readLedger } from "../support/ledger.ts";
import { createBody, insist, publish } from "../support/plainClient.ts";

const otherBody = createBody("tok_visa", 777);

describe("a payment that conflicting commands come for", () => {
  let cluster: Cluster | undefined;
  afterEach(() => cluster?.stop());

  it("is charged by one request all the same", { timeout: 90_000 }, async () => {
    cluster = await startCluster();
    const { connection, simulator } = cluster;
    await cluster.startNodes({ nodeId: "node", workers: 2 });
    await orderFaults(simulator, { latencyMs: 20, seed: 1 });
    const ids = Array.from({ length: 300 }, (_, index) => `one-${index}`);
    for (let from = 0; from < ids.length; from += 30) {
      await Promise.all(
        ids.slice(from, from + 30).map(async (payment) => {
          const answered = insist(connection, { payment, body: createBody() });
          // Nobody waits for these, so that each is parked: a step that takes a moment, in the middle of the call.
          for (let copy = 0; copy < 3; copy++) await publish(connection, { payment, body: otherBody });
          await answered;
        }),
      );
    }
    const charges = (await readLedger(simulator)).filter(({ captured }) => captured === 1999);
    expect(charges).toHaveLength(ids.length);
    expect(charges.filter(({ requests }) => requests !== 1)).toEqual([]);
    expect((await auditEverything(connection, simulator)).violations).toEqual([]);
  });
});
