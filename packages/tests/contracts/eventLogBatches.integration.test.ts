import type { NewCommit } from "@aegispay/runtime/log/EventLog";
import { expect, layer } from "@effect/vitest";
import type { Msg } from "@nats-io/nats-core";
import { Effect, Fiber, Result } from "effect";
import { commitAfter, newPayment, until } from "./eventLogHarness.ts";
import { deploy, observe, openEventLog } from "./natsDeployment.ts";
import { layerNatsServer, NatsServer } from "./natsServer.ts";
import { tcpProxy } from "./tcpProxy.ts";

const concurrently = { concurrency: "unbounded" } as const;

layer(layerNatsServer, { excludeTestServices: true, timeout: "30 seconds" })("what leaves the event log", (it) => {
  it.effect("as an event is what was committed, exactly and in order, and nothing that was refused", () =>
    Effect.gen(function* () {
      const server = yield* NatsServer;
      yield* deploy(server.url);
      const [{ log }, { log: rival }] = [yield* openEventLog(server.url), yield* openEventLog(server.url)];
      const { nats, addresses, log: reader } = yield* openEventLog(server.url);
      const republished = yield* observe(nats.connection, "payments.event.>");
      const payments = Array.from({ length: 20 }, newPayment);
      for (let round = 0; round < 8; round++) {
        const race = Effect.fnUntraced(function* (payment: NewCommit["payment"]) {
          const last = (yield* reader.read(payment)).at(-1)?.sequence ?? 0;
          // Refused by one of the two logs, and one more that is stale from the beginning.
          const attempts = [log.append(commitAfter(payment, last)), rival.append(commitAfter(payment, last))];
          if (last > 0) attempts.push(log.append(commitAfter(payment, 0)));
          const results = yield* Effect.forEach(attempts, (attempt) => Effect.result(attempt), concurrently);
          expect(results.filter(Result.isSuccess).length).toBe(1);
        });
        yield* Effect.forEach(payments, race, concurrently);
      }
      // What was sent before this has been seen once this is seen.
      const end = newPayment();
      yield* log.append(commitAfter(end, 0));
      yield* until(
        "the last event is seen",
        Effect.sync(() => republished.at(-1)?.subject === addresses.event(end)),
      );

      expect(republished.length).toBe(20 * 8 + 1);
      for (const payment of payments) {
        const stored = (yield* reader.read(payment, { atLeader: true })).map(({ sequence, commitId, body }) => ({
          sequence: String(sequence),
          commitId,
          body: Buffer.from(body).toString("utf8"),
        }));
        const seen = republished
          .filter(({ subject }) => subject === addresses.event(payment))
          .map((message) => ({
            sequence: message.headers!.get("Nats-Sequence"),
            commitId: message.headers!.get("Aegis-Commit"),
            body: message.string(),
          }));
        expect(seen).toEqual(stored);
      }
    }),
  );

  it.effect("carries what other programs read of it without opening it", () =>
    Effect.gen(function* () {
      const server = yield* NatsServer;
      const { log, nats, addresses } = yield* openEventLog(server.url);
      const payment = newPayment();
      const republished = yield* observe(nats.connection, addresses.event(payment));
      yield* log.append({ ...commitAfter(payment, 0), version: 3, traceparent: "00-aa-bb-01" });
      yield* until(
        "the event is seen",
        Effect.sync(() => republished.length === 1),
      );
      const headers = republished[0]!.headers!;
      const read = ["ce-specversion", "ce-id", "ce-type", "ce-source", "ce-time", "traceparent"].map((name) =>
        headers.get(name),
      );
      expect(read).toEqual([
        "1.0",
        `${payment.merchant}/${payment.paymentId}/3`,
        "aegispay.payment.PROCESSING.v1",
        "aegispay",
        "2026-01-02T03:04:05.000Z",
        "00-aa-bb-01",
      ]);
      expect(headers.get("Nats-Msg-Id")).toBe("");
    }),
  );

  it.effect("sends a few waiting commits one by one, and many together", () =>
    Effect.gen(function* () {
      const server = yield* NatsServer;
      const { log, nats } = yield* openEventLog(server.url, { batchFromCommits: 4 });
      const published = yield* observe(nats.connection, "payments.append.*.*");
      const batched = () => published.filter(({ headers }) => headers?.get("Nats-Batch-Id") !== "").length;
      const appendAtOnce = (count: number) =>
        Effect.forEach(
          Array.from({ length: count }, () => commitAfter(newPayment(), 0)),
          (commit) => log.append(commit),
          concurrently,
        );
      yield* appendAtOnce(3);
      expect([published.length, batched()]).toEqual([3, 0]);
      yield* appendAtOnce(4);
      expect([published.length, batched()]).toEqual([7, 4]);
    }),
  );

  const finishedFirst = "finishes what was begun before it begins more";

  it.effect(`${finishedFirst}, when both wait`, () =>
    Effect.gen(function* () {
      const server = yield* NatsServer;
      const { log } = yield* openEventLog(server.url, { batchesInFlight: 1, batchMaxCommits: 4 });
      const begun = yield* Effect.forEach(Array.from({ length: 6 }, newPayment), (payment) =>
        Effect.map(log.append(commitAfter(payment, 0)), ({ sequence }) => ({ payment, sequence })),
      );
      const beginning = Array.from({ length: 9 }, () => commitAfter(newPayment(), 0));
      const continuing = begun.map(({ payment, sequence }) => commitAfter(payment, sequence));
      const stored = yield* Effect.forEach([...beginning, ...continuing], (commit) => log.append(commit), concurrently);
      const sequences = stored.map(({ sequence }) => sequence);
      expect(Math.max(...sequences.slice(9))).toBeLessThan(Math.min(...sequences.slice(0, 9)));
    }),
  );

  it.effect(`${finishedFirst}, also when the next to be finished is too large for the batch`, () =>
    Effect.gen(function* () {
      const server = yield* NatsServer;
      const { log } = yield* openEventLog(server.url, { batchesInFlight: 1, batchMaxBytes: 4_000 });
      const large = `{"pad":"${"x".repeat(3_000)}"}`;
      const begun = yield* Effect.forEach([newPayment(), newPayment()], (payment) =>
        Effect.map(log.append(commitAfter(payment, 0)), ({ sequence }) => commitAfter(payment, sequence, large)),
      );
      const stored = yield* Effect.forEach(
        [commitAfter(newPayment(), 0), ...begun],
        (commit) => log.append(commit),
        concurrently,
      );
      const [beginning, ...continuing] = stored.map(({ sequence }) => sequence);
      expect(Math.max(...continuing)).toBeLessThan(beginning!);
    }),
  );

  it.effect("leaves alone when it is alone, and otherwise in batches of bounded commits, bytes and number", () =>
    Effect.gen(function* () {
      const server = yield* NatsServer;
      const { proxy, url } = yield* tcpProxy(server.port);
      const bounds = {
        batchMaxCommits: 5,
        batchMaxBytes: 8_000,
        batchesInFlight: 2,
        appendTimeoutMillis: 1_000,
        lossConfirmMillis: 300,
      };
      const { log, nats: sender } = yield* openEventLog(url, bounds);
      const { nats } = yield* openEventLog(server.url);
      const published = yield* observe(nats.connection, ">");
      const batchOf = (message: Msg) => message.headers?.get("Nats-Batch-Id") ?? "";
      const appended = () => published.filter(({ subject }) => subject.startsWith("payments.append."));
      yield* log.append(commitAfter(newPayment(), 0));
      yield* until(
        "it is sent",
        Effect.sync(() => appended().length === 1),
      );
      expect(batchOf(appended()[0]!)).toBe("");

      proxy.swallowAnswers();
      const sizes = [10, 10, 10, 10, 10, 10, 3_000, 3_000, 3_000, 3_000, 10, 10, 9_000, 10, 10, 10, 10, 10, 10, 10];
      const commits = sizes.map((size) => commitAfter(newPayment(), 0, `{"pad":"${"x".repeat(size)}"}`));
      const appending = yield* Effect.forkChild(Effect.forEach(commits, (commit) => log.append(commit), concurrently));
      yield* until(
        "two batches are sent",
        Effect.sync(() => new Set(appended().map(batchOf)).size === 3),
      );
      // The same connection delivers in order: a third batch would have been seen before this.
      sender.connection.publish("marker");
      yield* until(
        "the marker is seen",
        Effect.sync(() => published.some(({ subject }) => subject === "marker")),
      );
      expect(new Set(appended().map(batchOf)).size).toBe(3);
      proxy.cut();
      expect((yield* Fiber.join(appending)).length).toBe(sizes.length);

      const batches = Map.groupBy(
        appended().filter((message) => batchOf(message) !== ""),
        batchOf,
      );
      expect(batches.size).toBeGreaterThan(2);
      for (const members of batches.values()) {
        expect(members.length).toBeLessThanOrEqual(5);
        expect(members.reduce((sum, { data }) => sum + data.length, 0)).toBeLessThanOrEqual(8_000);
      }
      for (const { payment } of commits) expect((yield* log.read(payment)).length).toBe(1);
    }),
  );

  it.effect("never waits for ever with a commit that no server takes, and lets its neighbours through", () =>
    Effect.gen(function* () {
      const server = yield* NatsServer;
      const { log } = yield* openEventLog(server.url);
      const tooLarge = commitAfter(newPayment(), 0, `{"pad":"${"x".repeat(1_100_000)}"}`);
      const commits = [commitAfter(newPayment(), 0), tooLarge, commitAfter(newPayment(), 0)];
      const outcomes = yield* Effect.forEach(commits, (commit) => Effect.exit(log.append(commit)), concurrently);
      expect(outcomes.map(({ _tag }) => _tag)).toEqual(["Success", "Failure", "Success"]);
    }),
  );
});
