import { EventLog } from "@aegispay/runtime/log/EventLog";
import { layerNatsEventLog } from "@aegispay/runtime/log/NatsEventLog";
import { expect, layer } from "@effect/vitest";
import { Context, Effect, Exit, Fiber, Layer, Result, Scope } from "effect";
import { bodiesOf, bodyOf, commitAfter, newPayment, until } from "./eventLogHarness.ts";
import { deploy, layerConnected, observe, openEventLog } from "./natsDeployment.ts";
import { layerNatsServer, NatsServer } from "./natsServer.ts";
import { tcpProxy } from "./tcpProxy.ts";

type Log = EventLog["Service"];

const concurrently = { concurrency: "unbounded" } as const;

/** Payments that each append again as soon as they are answered: what was acknowledged, in order. */
const busyPayments = (log: Log, count: number) =>
  Effect.gen(function* () {
    const chains = Array.from({ length: count }, () => ({
      payment: newPayment(),
      bodies: [] as Array<string>,
      last: 0,
    }));
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
          return Effect.raceFirst(
            until(
              "appends go on",
              Effect.sync(() => acknowledged >= enough),
            ),
            Effect.asVoid(Fiber.join(fiber)),
          );
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
      yield* until(
        "it is sent three times",
        Effect.sync(() => published.length >= 3),
      );
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
        const commits = Array.from({ length: 20 }, () =>
          commitAfter(newPayment(), 0, `{"pad":"${"x".repeat(2_000)}"}`),
        );
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
        const unheard = Effect.map(stored, (bodies) =>
          bodies.some(({ length }, index) => length > busy.chains[index]!.bodies.length),
        );
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
      const appending = yield* Effect.forkChild(
        Effect.forEach(commits, (commit) => Effect.result(log.append(commit)), concurrently),
      );
      yield* until(
        "they are sent",
        Effect.sync(() => published.length >= 5),
      );
      yield* Scope.close(scope, Exit.void);
      const settled = yield* Fiber.join(appending);
      expect(settled.map((result) => Result.isFailure(result) && result.failure._tag)).toEqual(
        Array(5).fill("LogClosed"),
      );
    }),
  );
});
