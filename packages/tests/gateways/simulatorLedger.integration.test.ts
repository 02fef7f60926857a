import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, readFile, stat, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { startSimulator } from "@aegispay/gateways/simulator/SimulatorServer";
import { describe, expect, it } from "@effect/vitest";
import { Effect } from "effect";
import { droppedConnection, eventually, plainClient, runningSimulator, scratchDirectory } from "./simulatorHarness.ts";

const simulatorProcess = (dataDir: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const child = spawn(process.execPath, [fileURLToPath(new URL("simulatorProcess.ts", import.meta.url)), dataDir], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const [url] = (await once(createInterface(child.stdout), "line")) as [string];
      return { child, url };
    }),
    ({ child }) => Effect.sync(() => child.kill("SIGKILL")),
  );

describe("the ledger", () => {
  it.live("survives SIGKILL under load: whatever was answered is there, once", () =>
    Effect.gen(function* () {
      const dataDir = yield* scratchDirectory;
      const { child, url } = yield* simulatorProcess(dataDir);
      const victim = plainClient(url);
      const answered = new Map<string, string>();
      let sent = 0;
      const client = Effect.gen(function* () {
        while (true) {
          const key = `key-${(sent += 1)}`;
          const answer = yield* victim.tryCharge(key);
          if (answer === droppedConnection) return;
          answered.set(key, answer.body.id);
          if (answered.size === 400) child.kill("SIGKILL");
        }
      });
      yield* Effect.all(
        Array.from({ length: 16 }, () => client),
        { concurrency: "unbounded" },
      );

      const simulator = yield* runningSimulator({ dataDir });
      const { charges, requests } = yield* simulator.ledger;
      const idsByKey = new Map(charges.map(({ id, idempotencyKeys }) => [idempotencyKeys[0], id]));
      expect(answered.size).toBeGreaterThanOrEqual(400);
      expect(new Map([...answered].map(([key]) => [key, idsByKey.get(key)]))).toEqual(answered);
      expect(idsByKey.size).toBe(charges.length);
      expect(requests).toBeGreaterThanOrEqual(answered.size);
      expect(charges.every((charge) => charge.requests === 1)).toBe(true);
      // And its memory is whole: a repeat of each key is a replay, also of those whose answer was lost.
      const repeats = yield* Effect.forEach([...idsByKey.keys()], (key) => simulator.charge(key!), { concurrency: 16 });
      expect(repeats.every(({ headers }) => headers.get("idempotent-replayed") === "true")).toBe(true);
    }),
  );

  it.live("survives SIGKILL under captures and refunds: no money moved twice, none forgotten", () =>
    Effect.gen(function* () {
      const dataDir = yield* scratchDirectory;
      const { child, url } = yield* simulatorProcess(dataDir);
      const victim = plainClient(url);
      const answered = new Map<string, number>();
      const lane = (n: number) =>
        Effect.gen(function* () {
          const charge = yield* victim.tryCharge(`charge-${n}`, { amount: 100_000, capture: "manual" });
          if (charge === droppedConnection) return;
          for (let step = 0; ; step++) {
            const kind = step % 2 === 0 ? "capture" : "refund";
            const key = `${kind}-${n}-${step}`;
            const answer = yield* victim.tryOperate(charge.body.id, kind, key, { amount: kind === "capture" ? 20 : 5 });
            if (answer === droppedConnection) return;
            answered.set(key, answer.body.operations.at(-1).amount);
            if (answered.size === 300) child.kill("SIGKILL");
          }
        });
      yield* Effect.forEach(
        Array.from({ length: 8 }, (_, n) => n),
        lane,
        { concurrency: "unbounded" },
      );

      const { charges } = yield* (yield* runningSimulator({ dataDir })).ledger;
      const recorded = charges.flatMap(({ operations }) => operations);
      const amounts = new Map(recorded.map(({ key, amount }) => [key, amount]));
      expect(answered.size).toBeGreaterThanOrEqual(300);
      expect(new Map([...answered].map(([key]) => [key, amounts.get(key)]))).toEqual(answered);
      expect(amounts.size).toBe(recorded.length);
      for (const { operations, captured, refunded } of charges) {
        const sum = (kind: string) =>
          operations.filter((one) => one.kind === kind).reduce((all, one) => all + one.amount, 0);
        expect([captured, refunded]).toEqual([sum("capture"), sum("refund")]);
      }
    }),
  );

  it.live("is the same after a restart: charges, operations, declines, counters, first requests", () =>
    Effect.gen(function* () {
      const dataDir = yield* scratchDirectory;
      const before = yield* Effect.scoped(
        Effect.gen(function* () {
          const simulator = yield* runningSimulator({ dataDir });
          const { body } = yield* simulator.charge("key-1", { capture: "manual" });
          yield* simulator.operate(body.id, "capture", "key-2", { amount: 500 });
          yield* simulator.operate(body.id, "refund", "key-3");
          yield* simulator.charge("key-4", { token: "tok_declined" });
          yield* simulator.tryCharge("key-5", { token: "tok_reset" });
          const { body: charge } = yield* simulator.get(`/v1/charges/${body.id}`);
          return { ledger: yield* simulator.ledger, charge };
        }),
      );
      const simulator = yield* runningSimulator({ dataDir });
      expect(yield* simulator.ledger).toEqual(before.ledger);
      expect((yield* simulator.get(`/v1/charges/${before.charge.id}`)).body).toEqual(before.charge);
      const refund = yield* simulator.operate(before.charge.id, "refund", "key-3");
      expect(refund.headers.get("idempotent-replayed")).toBe("true");
      expect((yield* simulator.charge("key-5", { token: "tok_reset" })).status).toBe(200);
    }),
  );

  it.live("loses a torn last line, which was never answered, and nothing else", () =>
    Effect.gen(function* () {
      const dataDir = yield* scratchDirectory;
      const path = `${dataDir}/ledger.ndjson`;
      yield* Effect.scoped(Effect.flatMap(runningSimulator({ dataDir }), (simulator) => simulator.charge("key-1")));
      const whole = yield* Effect.promise(() => readFile(path, "utf8"));
      yield* Effect.promise(() => appendFile(path, '{"type":"charge","charge":{"id":"ch_torn","reference":"caf\u00e9'));
      const simulator = yield* runningSimulator({ dataDir });
      expect((yield* simulator.ledger).charges).toHaveLength(1);
      expect((yield* Effect.promise(() => stat(path))).size).toBe(Buffer.byteLength(whole));
      yield* simulator.charge("key-2");
      const lines = (yield* Effect.promise(() => readFile(path, "utf8"))).trimEnd().split("\n");
      expect(lines.map((line) => JSON.parse(line).type)).toEqual(["request", "charge", "request", "charge"]);
    }),
  );

  it.live("that was written before charges could be disputed, delayed or authenticated is still read", () =>
    Effect.gen(function* () {
      const dataDir = yield* scratchDirectory;
      const charge = {
        id: "ch_old",
        key: "key-1",
        reference: "shop/order-1",
        amount: 1000,
        currency: "USD",
        token: "tok_visa",
        capture: "manual",
        status: "authorized",
        captured: 0,
        refunded: 0,
        operations: [],
      };
      const operation = { key: "key-2", kind: "capture", amount: 400, requested: 400, status: "succeeded" };
      const records = [
        { type: "request", key: "key-1" },
        { type: "charge", charge },
        { type: "request", key: "key-2" },
        { type: "operation", chargeId: "ch_old", operation },
      ];
      const lines = records.map((record) => `${JSON.stringify(record)}\n`).join("");
      yield* Effect.promise(() => writeFile(`${dataDir}/ledger.ndjson`, lines));
      const simulator = yield* runningSimulator({ dataDir });
      expect((yield* simulator.ledger).charges).toMatchObject([{ status: "partially_captured", captured: 400 }]);
      expect((yield* simulator.charge("key-1", { amount: 1000, capture: "manual" })).body.status).toBe("authorized");
      expect((yield* simulator.operate("ch_old", "capture", "key-2", { amount: 400 })).status).toBe(200);
      expect(yield* simulator.operationsByKey("key-2")).toMatchObject([{ amount: 400, status: "succeeded" }]);
    }),
  );

  it.live("that cannot be read keeps the simulator from starting, and names the line", () =>
    Effect.gen(function* () {
      const dataDir = yield* scratchDirectory;
      yield* Effect.promise(() => writeFile(`${dataDir}/ledger.ndjson`, '{"type":"request"}\n{"type":"charge"}\n'));
      const error = yield* Effect.flip(startSimulator({ port: 0, dataDir }));
      expect(error.reason).toBe("LedgerUnusable");
      expect(error.message).toContain("ledger.ndjson, line 2");
    }),
  );
});

describe("the simulator", () => {
  it.live("says which port is taken", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const port = Number(new URL(simulator.url).port);
      const error = yield* Effect.flip(startSimulator({ port, dataDir: yield* scratchDirectory }));
      expect(error.reason).toBe("PortTaken");
      expect(error.message).toContain(String(port));
      const outOfRange = yield* Effect.flip(startSimulator({ port: 70_000, dataDir: yield* scratchDirectory }));
      expect(outOfRange.reason).toBe("CannotListen");
    }),
  );

  it.live("keeps connections open between requests", () =>
    Effect.gen(function* () {
      const simulator = yield* runningSimulator();
      const { headers } = yield* simulator.charge("key-1");
      expect(headers.get("connection")).toBe("keep-alive");
    }),
  );

  it.live("goes down at once, even while it holds answers back", () =>
    Effect.gen(function* () {
      const dataDir = yield* scratchDirectory;
      const began = performance.now();
      yield* Effect.scoped(
        Effect.gen(function* () {
          const simulator = yield* runningSimulator({ dataDir });
          yield* simulator.faults({ timeoutRate: 1, timeoutDelayMs: 3_600_000 });
          yield* Effect.forkDetach(Effect.ignoreCause(simulator.tryCharge("key-1")));
          yield* eventually(simulator.ledger, ({ charges }) => charges.length === 1);
        }),
      );
      expect(performance.now() - began).toBeLessThan(5_000);
    }),
  );
});
