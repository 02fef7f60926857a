import { EventLog, type NewCommit } from "@aegispay/runtime/log/EventLog";
import { layerNatsEventLog } from "@aegispay/runtime/log/NatsEventLog";
import { expect, layer } from "@effect/vitest";
import type { Msg, NatsConnection } from "@nats-io/nats-core";
import { Context, Effect, Exit, Fiber, Layer, Result, Scope } from "effect";
import { bodiesOf, bodyOf, commitAfter, newPayment, until } from "./eventLogHarness.ts";
import { deploy, layerConnected, openEventLog } from "./natsDeployment.ts";
import { layerNatsServer, NatsServer } from "./natsServer.ts";
import { tcpProxy } from "./tcpProxy.ts";

type Log = EventLog["Service"];

/** Everything published under a pattern from now on, as a plain subscriber sees it. */
const observe = (connection: NatsConnection, pattern: string) =>
  Effect.promise(async () => {
    const seen: Array<Msg> = [];
    connection.subscribe(pattern, { callback: (_error, message) => void seen.push(message) });
    await connection.flush();
    return seen;
  });

const concurrently = { concurrency: "unbounded" } as const;

/** Payments that each append again as soon as they are answered: what was acknowledged, in order. */
const busyPayments = (log: Log, count: number) =>
  Effect.gen(function* () {
    const chains = Array.from({ length: count }, () => ({ payment: newPayment(), bodies: [] as Array<string>, last: 0 }));
    let acknowledged = 0;
    let stopping = false;
    const work = Effect.forEach(
      chains,
      (chain) =>
        Effect.gen(function* () {
          while (!stopping) {
            const commit = commitAfter(chain.payment, chain.last);
            chain.last = (yield* log.append(commit)).sequence;
            chain.bodies.push(bodyOf(commit));
            acknowledged++;
          }
        }),
      concurrently,
    );
    const fiber = yield* Effect.forkChild(work);
    return {
      chains,
      /** Waits for so many more acknowledgements; a payment that fails ends the wait. */
      more: (commits: number) =>
        Effect.suspend(() => {
          const enough = acknowledged + commits;
          return Effect.raceFirst(until("appends go on", Effect.sync(() => acknowledged >= enough)), Effect.asVoid(Fiber.join(fiber)));
        }),
      stop: Effect.suspend(() => {
        stopping = true;
        return Fiber.join(fiber);
      }),
    };
  });

layer(layerNatsServer, { excludeTestServices: true, timeout: "30 seconds" })("the event log and its network", (it) => {
  it.effect("sends a commit again, the same under the same condition, until it is answered", () =>
    Effect.gen(function* () {
      const server = yield* NatsServer;
      yield* deploy(server.url);
      const { proxy, url } = yield* tcpProxy(server.port);
      const { log } = yield* openEventLog(url, { appendTimeoutMillis: 100 });
      const { nats, addresses, log: reader } = yield* openEventLog(server.url);
      const payment = newPayment();
      const published = yield* observe(nats.connection, addresses.append(payment));
      proxy.swallowAnswers();
      const commit = commitAfter(payment, 0);
      const appending = yield* Effect.forkChild(log.append(commit));
      yield* until("it is sent three times", Effect.sync(() => published.length >= 3));
      proxy.cut();
      const { sequence } = yield* Fiber.join(appending);
      const ids = new Set(published.map(({ headers }) => headers?.get("Aegis-Commit")));
      const conditions = new Set(published.map(({ headers }) => headers?.get("Nats-Expected-Last-Subject-Sequence")));
      expect([...conditions]).toEqual(["0"]);
      expect(yield* reader.read(payment)).toMatchObject([{ sequence, commitId: [...ids][0] }]);
      expect(ids.size).toBe(1);
    }),
  );

  it.effect("stores each commit of a batch once that was cut off in the middle of being sent", () =>
    Effect.gen(function* () {
      const server = yield* NatsServer;
      yield* deploy(server.url);
      const { proxy, url } = yield* tcpProxy(server.port);
      const { log } = yield* openEventLog(url, { appendTimeoutMillis: 200 });
      const { log: reader } = yield* openEventLog(server.url);
      for (const bytes of [10_000, 1, 25_000]) {
        const commits = Array.from({ length: 20 }, () => commitAfter(newPayment(), 0, `{"pad":"${"x".repeat(2_000)}"}`));
        proxy.cutAfter(bytes);
        const stored = yield* Effect.forEach(commits, (commit) => log.append(commit), concurrently);
        for (const [index, { payment, body }] of commits.entries()) {
          expect(yield* bodiesOf(reader, payment)).toEqual([body]);
          expect((yield* reader.read(payment))[0]!.sequence).toBe(stored[index]!.sequence);
        }
      }
    }),
  );

  it.effect("goes on through cuts and lost answers: every log is exactly what was acknowledged, in order", () =>
    Effect.gen(function* () {
      const server = yield* NatsServer;
      yield* deploy(server.url);
      const { proxy, url } = yield* tcpProxy(server.port);
      const { log } = yield* openEventLog(url, { appendTimeoutMillis: 200, batchMaxCommits: 6 });
      const { log: reader } = yield* openEventLog(server.url);
      const busy = yield* busyPayments(log, 12);
      for (const bytes of [0, 500, 5_000, 12_000]) {
        yield* busy.more(60);
        proxy.cut();
        yield* busy.more(60);
        proxy.cutAfter(bytes);
        yield* busy.more(60);
        proxy.swallowAnswers();
        const stored = Effect.forEach(busy.chains, ({ payment }) => bodiesOf(reader, payment));
        const unheard = Effect.map(stored, (bodies) => bodies.some(({ length }, index) => length > busy.chains[index]!.bodies.length));
        yield* until("something is stored that nobody has heard of", unheard);
        proxy.cut();
      }
      yield* busy.stop;
      for (const { payment, bodies } of busy.chains) expect(yield* bodiesOf(reader, payment)).toEqual(bodies);
    }),
  );

  it.effect("loses nothing that was acknowledged, and settles what was not, when the server is killed", () =>
    Effect.gen(function* () {
      const server = yield* NatsServer;
      yield* deploy(server.url);
      const { log } = yield* openEventLog(server.url);
      const busy = yield* busyPayments(log, 12);
      for (let kills = 0; kills < 3; kills++) {
        yield* busy.more(100);
        yield* server.kill;
        yield* server.startAgain;
      }
      yield* busy.more(100);
      yield* busy.stop;
      for (const { payment, bodies } of busy.chains) expect(yield* bodiesOf(log, payment)).toEqual(bodies);
    }),
  );

  it.effect("halts a payment whose acknowledged commit a restored backup does not have", () =>
    Effect.gen(function* () {
      const server = yield* NatsServer;
      yield* deploy(server.url);
      const { log } = yield* openEventLog(server.url);
      const [payment, other] = [newPayment(), newPayment()];
      const { sequence: first } = yield* log.append(commitAfter(payment, 0));
      const { sequence: kept } = yield* log.append(commitAfter(other, 0));
      yield* server.kill;
      yield* server.backUp;
      yield* server.startAgain;
      const { sequence: lost } = yield* log.append(commitAfter(payment, first));
      yield* server.kill;
      yield* server.restore;
      yield* server.startAgain;
      const error = yield* Effect.flip(log.append(commitAfter(payment, lost)));
      expect(error).toMatchObject({ _tag: "EventContinuityError", payment });
      expect((yield* log.append(commitAfter(other, kept))).sequence).toBeGreaterThan(kept);
    }),
  );

  it.effect("closes although no answer comes, and leaves what is open to the next owner", () =>
    Effect.gen(function* () {
      const server = yield* NatsServer;
      yield* deploy(server.url);
      const { proxy, url } = yield* tcpProxy(server.port);
      const { nats, addresses } = yield* openEventLog(server.url);
      const scope = yield* Scope.make();
      const context = yield* Layer.buildWithScope(Layer.provide(layerNatsEventLog, layerConnected(url)), scope);
      const log = Context.get(context, EventLog);
      const published = yield* observe(nats.connection, addresses.patterns.appends);
      proxy.swallowAnswers();
      const commits = Array.from({ length: 5 }, () => commitAfter(newPayment(), 0));
      const appending = yield* Effect.forkChild(Effect.forEach(commits, (commit) => Effect.result(log.append(commit)), concurrently));
      yield* until("they are sent", Effect.sync(() => published.length >= 5));
      yield* Scope.close(scope, Exit.void);
      const settled = yield* Fiber.join(appending);
      expect(settled.map((result) => Result.isFailure(result) && result.failure._tag)).toEqual(Array(5).fill("LogClosed"));
    }),
  );
});

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
      yield* until("the last event is seen", Effect.sync(() => republished.at(-1)?.subject === addresses.event(end)));

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
      yield* until("the event is seen", Effect.sync(() => republished.length === 1));
      const headers = republished[0]!.headers!;
      const read = ["ce-specversion", "ce-id", "ce-type", "ce-source", "ce-time", "traceparent"].map((name) => headers.get(name));
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
      const stored = yield* Effect.forEach([commitAfter(newPayment(), 0), ...begun], (commit) => log.append(commit), concurrently);
      const [beginning, ...continuing] = stored.map(({ sequence }) => sequence);
      expect(Math.max(...continuing)).toBeLessThan(beginning!);
    }),
  );

  it.effect("leaves alone when it is alone, and otherwise in batches of bounded commits, bytes and number", () =>
    Effect.gen(function* () {
      const server = yield* NatsServer;
      const { proxy, url } = yield* tcpProxy(server.port);
      const bounds = { batchMaxCommits: 5, batchMaxBytes: 8_000, batchesInFlight: 2, appendTimeoutMillis: 1_000 };
      const { log, nats: sender } = yield* openEventLog(url, bounds);
      const { nats } = yield* openEventLog(server.url);
      const published = yield* observe(nats.connection, ">");
      const batchOf = (message: Msg) => message.headers?.get("Nats-Batch-Id") ?? "";
      const appended = () => published.filter(({ subject }) => subject.startsWith("payments.append."));
      yield* log.append(commitAfter(newPayment(), 0));
      yield* until("it is sent", Effect.sync(() => appended().length === 1));
      expect(batchOf(appended()[0]!)).toBe("");

      proxy.swallowAnswers();
      const sizes = [10, 10, 10, 10, 10, 10, 3_000, 3_000, 3_000, 3_000, 10, 10, 9_000, 10, 10, 10, 10, 10, 10, 10];
      const commits = sizes.map((size) => commitAfter(newPayment(), 0, `{"pad":"${"x".repeat(size)}"}`));
      const appending = yield* Effect.forkChild(Effect.forEach(commits, (commit) => log.append(commit), concurrently));
      yield* until("two batches are sent", Effect.sync(() => new Set(appended().map(batchOf)).size === 3));
      // The same connection delivers in order: a third batch would have been seen before this.
      sender.connection.publish("marker");
      yield* until("the marker is seen", Effect.sync(() => published.some(({ subject }) => subject === "marker")));
      expect(new Set(appended().map(batchOf)).size).toBe(3);
      proxy.cut();
      expect((yield* Fiber.join(appending)).length).toBe(sizes.length);

      const batches = Map.groupBy(appended().filter((message) => batchOf(message) !== ""), batchOf);
      expect(batches.size).toBeGreaterThan(2);
      for (const members of batches.values()) {
        expect(members.length).toBeLessThanOrEqual(5);
        expect(members.reduce((sum, { data }) => sum + data.length, 0)).toBeLessThanOrEqual(8_000);
      }
      for (const { payment } of commits) expect((yield* log.read(payment)).length).toBe(1);
    }),
  );
});
