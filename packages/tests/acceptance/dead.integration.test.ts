/** What is parked, as an operator looks at it, puts it back and removes it. */
import { Kvm } from "@nats-io/kv";
import { shardOf } from "@aegispay/runtime/shard/shardOf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../support/cli.ts";
import { startDeployment, type Deployment } from "../support/deployment.ts";
import { eventually } from "../support/eventually.ts";
import { clearFaults, orderFaults, takenFor } from "../support/ledger.ts";
import { createBody, publish, query } from "../support/plainClient.ts";

interface Listed {
  readonly id: number;
  readonly merchant: string;
  readonly paymentId: string;
  readonly source: string;
  readonly verb: string;
  readonly code: string;
  readonly reason: string;
  readonly at: string;
}

let deployment: Deployment;
beforeAll(async () => {
  deployment = await startDeployment({
    settings: { timerFromMillis: 200, policy: { lookUpDelaysMillis: [120_000] } },
  });
}, 90_000);
afterAll(() => deployment?.stop());

const cli = (...args: ReadonlyArray<string>) => runCli(["dead", ...args], { AEGISPAY_NATS_URL: deployment.natsUrl });

const list = async (...args: ReadonlyArray<string>): Promise<ReadonlyArray<Listed>> => {
  const result = await cli("list", "--json", ...args);
  expect(result.code).toBe(0);
  return JSON.parse(result.stdout) as ReadonlyArray<Listed>;
};

const hasMessages = async (stream: string, subjects_filter: string): Promise<boolean> => {
  const { state } = await deployment.manager.streams.info(stream, { subjects_filter });
  return Object.keys(state.subjects ?? {}).length > 0;
};

/** Waits until something of the payment is parked, and answers it. */
const parkedOf = async (payment: string) => {
  await eventually(`${payment} is parked`, () => hasMessages("PAYMENTS_DEAD", `payments.dead.shop.${payment}.*`));
  return list("--payment", payment);
};

const timersOf = (payment: string): string => `payments.timer.shop.${payment}.*.*`;
const hasTimer = (payment: string) => hasMessages("PAYMENTS_TIMERS", timersOf(payment));

/** Has the gateway's answer lost: what was asked for is unknown, and the look-up of it waits on a timer. */
const oweLookUp = async (payment: string): Promise<void> => {
  await orderFaults(deployment.simulator, { partialFailureRate: 1 });
  await publish(deployment.connection, { payment, body: createBody() });
  await eventually(`${payment} waits on a timer`, () => hasTimer(payment));
  await clearFaults(deployment.simulator);
};

const stateOf = async (payment: string) => (await query(deployment.connection, payment, "get")).payment?.state;

/** Parks an entry as a node would; answers its id. */
const park = async (paymentId: string, changes: Readonly<Record<string, unknown>> = {}): Promise<number> => {
  const letter = {
    payment: { merchant: "shop", paymentId },
    source: "command",
    verb: "create",
    code: "Parked",
    reason: "the process that tried this payment ended 3 times while it did",
    message: "1/1",
    at: new Date().toISOString(),
    headers: { "Aegis-Command-Id": `c-${paymentId}` },
    body: JSON.stringify(createBody()),
    ...changes,
  };
  const { connection } = deployment;
  const stored = await connection.request(`payments.dead.shop.${paymentId}.create`, JSON.stringify(letter));
  return stored.json<{ readonly seq: number }>().seq;
};

describe("aegispay dead list and show", () => {
  it("show a command that nobody waited for and that could not be done", async () => {
    const headers = { "Aegis-Command-Id": "teleport-1" };
    await publish(deployment.connection, { payment: "p1", verb: "teleport", body: { to: "mars" }, headers });
    const [entry] = await parkedOf("p1");
    expect(entry).toMatchObject({
      merchant: "shop",
      paymentId: "p1",
      source: "command",
      verb: "teleport",
      code: "InvalidCommand",
      reason: expect.stringContaining("unknown verb"),
    });
    const shown = await cli("show", String(entry!.id), "--json");
    expect(JSON.parse(shown.stdout)).toMatchObject({ ...entry, body: '{"to":"mars"}', headers });
    const people = await cli("show", String(entry!.id));
    expect(people.stdout).toContain('{"to":"mars"}');
    expect(people.stdout).toContain("Aegis-Command-Id: teleport-1");
    expect((await cli("list", "--payment", "p1")).stdout).toContain("teleport");
  });

  it("show a page at a time, oldest first, and say how many more there are", async () => {
    const ids: Array<number> = [];
    for (let index = 0; index < 120; index++) ids.push(await park("many", { merchant: "shop", code: "Overloaded" }));
    const first = await cli("list", "--json", "--payment", "many");
    expect((JSON.parse(first.stdout) as ReadonlyArray<Listed>).map(({ id }) => id)).toEqual(ids.slice(0, 100));
    expect(first.stderr).toContain(`20 more: --after ${ids[99]}`);
    const rest = await cli("list", "--json", "--payment", "many", "--after", String(ids[99]));
    expect((JSON.parse(rest.stdout) as ReadonlyArray<Listed>).map(({ id }) => id)).toEqual(ids.slice(100));
    expect(rest.stderr).toBe("");
    expect(await list("--merchant", "nobody")).toEqual([]);
    const discarded = await cli("discard", "--all", "--payment", "many", "--code", "Overloaded", "--yes", "--json");
    expect(JSON.parse(discarded.stdout)).toEqual({ discarded: ids, refused: [] });
    expect(await list("--payment", "many")).toEqual([]);
  });
});

describe("aegispay dead retry", () => {
  it("has a command done whose cause is gone, once, under the identity it had", async () => {
    const id = await park("r1");
    expect(await cli("retry", String(id))).toMatchObject({ code: 0 });
    await eventually("the payment succeeds", async () => (await stateOf("r1")) === "SUCCESS");
    expect(await list("--payment", "r1")).toEqual([]);
    expect(await takenFor(deployment.simulator, "shop/r1")).toHaveLength(1);
    const { events } = await query(deployment.connection, "r1", "events");
    expect(events![0]!.data).toMatchObject({ commandId: "c-r1" });
    // As if the first run had ended before it removed the entry.
    expect(await cli("retry", String(await park("r1")))).toMatchObject({ code: 0 });
    expect(await takenFor(deployment.simulator, "shop/r1")).toHaveLength(1);
  });

  it("parks again what fails again", async () => {
    await publish(deployment.connection, { payment: "r2", verb: "teleport", body: {} });
    const [entry] = await parkedOf("r2");
    expect(await cli("retry", String(entry!.id))).toMatchObject({ code: 0 });
    const [again] = await parkedOf("r2");
    expect(again!.id).toBeGreaterThan(entry!.id);
    expect(again).toMatchObject({ verb: "teleport", code: "InvalidCommand" });
  });

  it("forgives a payment that was marked for ending its process, and only that", async () => {
    const bucket = await new Kvm(deployment.connection).open("payments_suspects");
    const payment = { merchant: "shop", paymentId: "r3" };
    const key = `shard-${shardOf(payment, 16)}`;
    await bucket.put(key, JSON.stringify({ marks: { "shop/r3": 3, "shop/neighbour": 1 }, ends: [] }));
    await cli("retry", String(await park("r3")));
    await eventually("the payment succeeds", async () => (await stateOf("r3")) === "SUCCESS");
    expect((await bucket.get(key))?.json()).toEqual({ marks: { "shop/neighbour": 1 }, ends: [] });
  });

  it("refuses what cannot be published again, and keeps it", async () => {
    const id = await park("r4", { code: "CardDataRefused", body: undefined });
    const refused = await cli("retry", String(id), "--json");
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { message: expect.stringContaining("no body") } });
    const kept = await cli("retry", "--all", "--code", "CardDataRefused", "--json");
    expect([kept.code, JSON.parse(kept.stdout)]).toMatchObject([1, { retried: [], refused: [{ id }] }]);
    expect(await list("--payment", "r4")).toHaveLength(1);
    expect(await cli("discard", String(id), "--yes")).toMatchObject({ code: 0 });
    expect(await list("--payment", "r4")).toEqual([]);
  });

  it("has a payment looked at that was parked as a due timer when its process had ended", async () => {
    await oweLookUp("r5");
    const [worker] = await deployment.workers();
    process.kill(worker!.pid, "SIGKILL");
    await deployment.manager.streams.purge("PAYMENTS_TIMERS", { filter: timersOf("r5") });
    await cli("retry", String(await park("r5", { source: "due", verb: "round", body: undefined })));
    await eventually("its timer is armed again", () => hasTimer("r5"));
    expect(await list("--payment", "r5")).toEqual([]);
  });
});

describe("aegispay dead discard", () => {
  it("removes a refused command, and says which of all it has removed", async () => {
    for (const payment of ["d1", "d2"]) {
      await publish(deployment.connection, { payment, verb: "teleport", body: {} });
      await parkedOf(payment);
    }
    const [entry] = await parkedOf("d1");
    expect(await cli("discard", String(entry!.id), "--yes")).toMatchObject({ code: 0 });
    expect(await list("--payment", "d1")).toEqual([]);
    expect(await list("--payment", "d2")).toHaveLength(1);
  });

  it("refuses to forget what a payment owes, unless that is meant", async () => {
    await oweLookUp("d3");
    const id = String(await park("d3", { source: "due", verb: "round", body: undefined }));
    const refused = await cli("discard", id, "--yes");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("OUTCOME_UNKNOWN and owes lookUp 1/1");
    expect(refused.stderr).toContain("--even-if-owed");
    expect(await list("--payment", "d3")).toHaveLength(1);
    expect(await cli("discard", id, "--yes", "--even-if-owed")).toMatchObject({ code: 0 });
    expect(await list("--payment", "d3")).toEqual([]);
  });
});

describe("wrong usage of aegispay dead", () => {
  it.each([
    [["retry"]],
    [["retry", "1", "--all"]],
    [["retry", "1", "--merchant", "shop"]],
    [["discard", "--all"]],
    [["list", "--merchant", "*"]],
  ])("%o exits 2", async (args) => {
    const result = await cli(...args);
    expect([result.code, result.stdout]).toEqual([2, ""]);
  });

  it.each([[["show", "999999"]], [["retry", "999999"]]])(
    "%o names the id that is not there and exits 1",
    async (args) => {
      const result = await cli(...args);
      expect(result.code).toBe(1);
      expect(result.stderr).toContain("no parked entry 999999");
    },
  );
});
