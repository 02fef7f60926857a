/** Fail-over between two gateways with real processes: when the second is asked, when it never is, and what the log says. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { noBreaker, startGatewayPair, type GatewayPair } from "../support/gatewayPair.ts";
import { orderFaults, readLedger } from "../support/ledger.ts";
import { createBody, insist, publish } from "../support/plainClient.ts";

let pair: GatewayPair;
beforeAll(async () => {
  const nobody = { name: "nobody", type: "simulator", url: "http://127.0.0.1:1", resilience: noBreaker };
  // Silent as north is made here, it would soon be as good as dead, and not be chosen at all.
  const health = { floor: 0 };
  const rules = [{ name: "to-nobody", when: { currency: ["CHF"] }, prefer: ["nobody", "south"] }];
  pair = await startGatewayPair({ workers: 2, others: [nobody], routing: { rules, health } });
}, 90_000);
afterEach(() => pair.clearFaults());
afterAll(() => pair?.stop());

const create = (payment: string, token = "tok_visa", currency = "USD") =>
  insist(pair.cluster.connection, {
    payment,
    body: { ...createBody(token, 100), amount: { value: 100, currency } },
  });

const begin = (payment: string, token = "tok_visa") =>
  publish(pair.cluster.connection, { payment, body: createBody(token, 100) });

const isUnknown = ({ state }: { readonly state: string }): boolean => state === "OUTCOME_UNKNOWN";
const hasSucceeded = ({ state }: { readonly state: string }): boolean => state === "SUCCESS";

describe("the next gateway", () => {
  it("is tried after a decline that it may overcome, and the log says why each was chosen", async () => {
    await orderFaults(pair.north().url, { declineRate: 1, declineCode: "try_again_later" });
    expect(await create("moved")).toMatchObject({ ok: true, payment: { state: "SUCCESS", gateway: "south" } });
    const [first, second] = await pair.starts("moved");
    expect(first).toMatchObject({ attempt: 1, gateway: "north", why: "first" });
    expect(first?.route).toMatchObject({
      strategy: "order",
      order: [{ gateway: "north" }, { gateway: "south" }, { gateway: "nobody" }],
      skipped: [],
    });
    expect(second).toMatchObject({ attempt: 2, gateway: "south", why: expect.stringContaining("after ") });
    expect(second?.route).toMatchObject({
      order: [{ gateway: "south" }, { gateway: "nobody" }],
      skipped: [{ gateway: "north", why: "it was tried" }],
    });
    expect(await pair.taken("moved")).toBe(100);
  });

  it("is not tried after a decline that no gateway would overcome", async () => {
    expect(await create("for-good", "tok_insufficient_funds")).toMatchObject({ payment: { state: "FAILURE" } });
    expect(await pair.charges("for-good")).toMatchObject({ north: [{ status: "declined" }], south: [] });
  });

  it("is tried when nothing was sent for certain, after the first one's retries", async () => {
    expect(await create("refused", "tok_visa", "CHF")).toMatchObject({
      payment: { state: "SUCCESS", gateway: "south" },
    });
    const [first, second] = await pair.starts("refused");
    expect(first).toMatchObject({ gateway: "nobody", route: { rule: "to-nobody" } });
    expect(second).toMatchObject({ gateway: "south", why: "after gateway_unavailable" });
    expect(await pair.charges("refused")).toMatchObject({ north: [], south: [{ captured: 100 }] });
  });
});

describe("a gateway that charges and loses the answer", () => {
  /** Everything that is asked of it is done, and nothing is answered in time. */
  const goSilent = () => orderFaults(pair.north().url, { timeoutRate: 1, timeoutDelayMs: 60_000 });

  it("is asked about the charge, and no other gateway is", async () => {
    await orderFaults(pair.north().url, { partialFailureRate: 1 });
    expect(await create("dropped")).toMatchObject({ payment: { state: "SUCCESS", gateway: "north" } });
    expect(await pair.charges("dropped")).toMatchObject({ north: [{ captured: 100 }], south: [] });
    await pair.clearFaults();
    expect(await create("lost", "tok_lost_answer")).toMatchObject({ payment: { state: "SUCCESS", gateway: "north" } });
    expect(await pair.charges("lost")).toMatchObject({ north: [{ captured: 100 }], south: [] });
  });

  it("is the only one until it is known what it did, however often it gives no answer", async () => {
    await goSilent();
    await begin("silent");
    await pair.until("silent", "an unknown outcome", isUnknown);
    await eventually(
      "several look-ups in vain",
      async () => (await pair.until("silent", "it", isUnknown)).version >= 12,
    );
    expect(await pair.charges("silent")).toMatchObject({ north: [{ captured: 100 }], south: [] });
    await pair.clearFaults();
    expect(await pair.until("silent", "its end", hasSucceeded)).toMatchObject({ gateway: "north" });
    expect(await pair.taken("silent")).toBe(100);
    expect(await pair.starts("silent")).toHaveLength(1);
  });

  it("stays the only one when the process that had asked it is killed meanwhile", async () => {
    await goSilent();
    await begin("killed-worker");
    await pair.until("killed-worker", "an unknown outcome", isUnknown);
    for (const { pid } of await pair.cluster.members()) process.kill(pid, "SIGKILL");
    const version = (await pair.until("killed-worker", "new owners", isUnknown)).version;
    await pair.until(
      "killed-worker",
      "a look-up of a new owner",
      (found) => isUnknown(found) && found.version > version,
    );
    expect(await pair.charges("killed-worker")).toMatchObject({ north: [{ captured: 100 }], south: [] });
    await pair.clearFaults();
    await pair.until("killed-worker", "its end", hasSucceeded);
    expect(await pair.charges("killed-worker")).toMatchObject({ north: [{ captured: 100 }], south: [] });
  });

  it("stays the only one while it is down, and has charged once when it is back", async () => {
    await goSilent();
    await begin("down");
    await pair.until("down", "an unknown outcome", isUnknown);
    process.kill(pair.north().pid, "SIGKILL");
    const version = (await pair.until("down", "it", isUnknown)).version;
    // Refused connections: certain of a look-up that it was not sent, and no evidence about the charge.
    await pair.until("down", "look-ups in vain", (found) => isUnknown(found) && found.version >= version + 3);
    await pair.restartNorth();
    expect(await pair.until("down", "its end", hasSucceeded)).toMatchObject({ gateway: "north" });
    expect(await pair.charges("down")).toMatchObject({ north: [{ captured: 100 }], south: [] });
  });

  it("is left for the next one once it says that it has declined", async () => {
    const faults = { timeoutRate: 1, timeoutDelayMs: 60_000, declineRate: 1, declineCode: "try_again_later" };
    await orderFaults(pair.north().url, faults);
    await begin("declined-late");
    const { version } = await pair.until("declined-late", "an unknown outcome", isUnknown);
    await pair.until("declined-late", "look-ups in vain", (found) => found.version >= version + 2);
    expect(await pair.charges("declined-late")).toMatchObject({ north: [{ status: "declined" }], south: [] });
    await pair.clearFaults();
    expect(await pair.until("declined-late", "its end", hasSucceeded)).toMatchObject({ gateway: "south" });
    expect(await pair.taken("declined-late")).toBe(100);
  });
});

describe("the two ledgers together", () => {
  it("show one charge of each payment at most, after all that", async () => {
    const charges = [...(await readLedger(pair.north().url)), ...(await readLedger(pair.south().url))];
    const taken = new Map<string, number>();
    for (const { reference, captured } of charges) taken.set(reference, (taken.get(reference) ?? 0) + captured);
    expect(taken.size).toBeGreaterThanOrEqual(8);
    for (const [reference, sum] of taken) expect([reference, sum <= 100]).toEqual([reference, true]);
  });
});
