/** What is parked, in a real stream: what the window of duplicates and rivals for one entry must not do. */
import { DeadLetters, type DeadLetter } from "@aegispay/runtime/dead/DeadLetters";
import { lastDeadId, readDead, removeDead, scanDead } from "@aegispay/runtime/dead/NatsDeadStore";
import { layerNatsDeadLetters } from "@aegispay/runtime/dead/NatsDeadLetters";
import { forgive } from "@aegispay/runtime/dead/NatsForgiveness";
import { holdingsOf } from "@aegispay/runtime/debts/NatsHoldings";
import { Nats } from "@aegispay/runtime/nats/NatsConnection";
import { Deployment } from "@aegispay/runtime/nats/NatsTopology";
import { openSuspects } from "@aegispay/runtime/shard/NatsSuspects";
import { shardOf } from "@aegispay/runtime/shard/shardOf";
import { expect, layer } from "@effect/vitest";
import { Effect, Layer, Stream } from "effect";
import { deploy, layerConnected, shards } from "../contracts/natsDeployment.ts";
import { layerNatsServer, NatsServer } from "../contracts/natsServer.ts";

const layerOperator = Layer.unwrap(
  Effect.gen(function* () {
    const { url } = yield* NatsServer;
    yield* deploy(url);
    return Layer.provideMerge(layerNatsDeadLetters, layerConnected(url));
  }),
).pipe(Layer.provideMerge(layerNatsServer));

const letter = (paymentId: string): DeadLetter => ({
  payment: { merchant: "shop", paymentId },
  source: "log",
  verb: "halted",
  code: "EventContinuity",
  reason: "a gap",
  message: `shop/${paymentId}/1/a gap`,
  at: "2026-01-02T03:04:05.000Z",
});

const idsOf = (paymentId: string) =>
  scanDead({ merchant: "shop", paymentId }).pipe(
    Stream.map(({ entry }) => entry.id),
    Stream.runCollect,
  );

layer(layerOperator, { excludeTestServices: true, timeout: "30 seconds" })("what is parked", (it) => {
  it.effect("is stored once, however often it is parked, and again after an operator has taken it out", () =>
    Effect.gen(function* () {
      const { park } = yield* DeadLetters;
      yield* park(letter("p1"));
      yield* park(letter("p1"));
      const [first, ...more] = yield* idsOf("p1");
      expect(more).toEqual([]);
      yield* removeDead(first!);
      yield* park(letter("p1"));
      const [second] = yield* idsOf("p1");
      expect(second).toBeGreaterThan(first!);
      expect(yield* readDead(second!)).toMatchObject({ id: second, letter: letter("p1") });
      expect(yield* readDead(first!)).toBeUndefined();
      yield* removeDead(first!);
    }),
  );

  it.effect("is read page by page, and no further than it went when the reading began", () =>
    Effect.gen(function* () {
      const { park } = yield* DeadLetters;
      for (let index = 0; index < 60; index++) yield* park({ ...letter("p2"), message: String(index) });
      const until = yield* lastDeadId;
      yield* park({ ...letter("p2"), message: "later" });
      const scanned = yield* Stream.runCollect(scanDead({ paymentId: "p2" }, 1, until));
      expect(scanned.map(({ entry }) => entry.letter.message)).toEqual(
        Array.from({ length: 60 }, (_, index) => String(index)),
      );
      expect(scanned.map(({ following }) => following)).toEqual(Array.from({ length: 60 }, (_, index) => 60 - index));
    }),
  );

  it.effect("is forgiven without losing what rivals write to the same entry meanwhile", () =>
    Effect.gen(function* () {
      const suspects = yield* openSuspects;
      const ids = Array.from({ length: 40 }, (_, index) => `f${index}`);
      const payments = ids.map((paymentId) => ({ merchant: "shop", paymentId }));
      const ofShard = payments.filter((payment) => shardOf(payment, shards) === 0);
      yield* suspects.update(
        0,
        new Map([...ofShard.map(({ paymentId }) => [`shop/${paymentId}`, 3] as const), ["a/b", 1]]),
      );
      yield* Effect.forEach(ofShard, forgive, { concurrency: 8, discard: true });
      expect([...(yield* suspects.read(0)).marks]).toEqual([["a/b", 1]]);
    }),
  );

  it.effect("is found as a holder of its payment's debt, beside commands and timers of any shard", () =>
    Effect.gen(function* () {
      const { jetstream } = yield* Nats;
      const { addresses } = yield* Deployment;
      const { park } = yield* DeadLetters;
      // More payments than shards, so that each shard is met: the queues store them where the server's partition() says.
      for (const paymentId of ["h1", "h2", "h3", "h4"]) {
        const payment = { merchant: "shop", paymentId };
        expect(yield* holdingsOf(payment)).toEqual([]);
        const subjects = [
          addresses.command(payment, "create"),
          addresses.internal(payment, "resume"),
          addresses.due(payment, "round", 4),
          addresses.timer(payment, "round", 5),
        ];
        for (const subject of subjects) yield* Effect.promise(() => jetstream.publish(subject, "{}"));
        yield* park(letter(paymentId));
        const kinds = new Set((yield* holdingsOf(payment)).map(({ by, version }) => `${by} ${version ?? ""}`.trim()));
        expect([...kinds].toSorted()).toEqual(["command", "due", "internal", "parked", "timer 5"]);
      }
    }),
  );
});
