/** What every implementation of durable timers holds (Timers.ts, invariants 1 to 3). */
import type { PaymentRef } from "@aegispay/core/identity/Identity";
import type { Timer, TimerKind } from "@aegispay/runtime/timers/Timers";
import type { Delivery } from "@aegispay/runtime/ingress/CommandQueue";
import { expect, layer } from "@effect/vitest";
import { Effect, type Layer } from "effect";
import { CommandQueueHarness, nextEpoch, own, paymentsOf, type Owner } from "./commandQueueHarness.ts";
import { until } from "./eventLogHarness.ts";
import { TimersHarness } from "./timersHarness.ts";

const shard = 1;
const otherShard = 0;

const manyAtOnce = { concurrency: 256 } as const;

export const inMillis = (millis: number): string => new Date(Date.now() + millis).toISOString();

export const timerOf = (payment: PaymentRef, version = 2, kind: TimerKind = "round"): Timer => ({
  payment,
  kind,
  version,
});

const isOf =
  ({ payment, kind, version }: Timer) =>
  (delivery: Delivery): boolean =>
    delivery.payment.paymentId === payment.paymentId && delivery.verb === kind && delivery.version === version;

/** Takes what has come out of the queue so far, and acks it. */
const take = (owner: Owner): ReadonlyArray<Delivery> => {
  const taken = owner.deliveries.splice(0);
  for (const delivery of taken) owner.ack(delivery);
  return taken;
};

/** Waits until all of these have fired; answers everything that has. */
export const fired = Effect.fnUntraced(function* (owner: Owner, timers: ReadonlyArray<Timer>) {
  const deliveries: Array<Delivery> = [];
  const missing = new Map(timers.map((timer) => [`${timer.payment.paymentId}/${timer.kind}/${timer.version}`, timer]));
  yield* until(
    `${timers.length} timers have fired`,
    Effect.sync(() => {
      for (const delivery of take(owner)) {
        deliveries.push(delivery);
        missing.delete(`${delivery.payment.paymentId}/${delivery.verb}/${delivery.version}`);
      }
      return missing.size === 0;
    }),
  );
  return deliveries;
});

export const timersContract = <E>(name: string, harness: Layer.Layer<TimersHarness | CommandQueueHarness, E>) => {
  /** A shard's owner, who retires afterwards, so that the next test finds nothing left behind. */
  const ownShard = Effect.fnUntraced(function* (of: number) {
    const { queue } = yield* CommandQueueHarness;
    const epoch = nextEpoch();
    const owner = yield* own(of, epoch);
    yield* Effect.addFinalizer(() => queue.retire(of, epoch));
    return owner;
  });

  layer(harness, { excludeTestServices: true, timeout: "60 seconds" })(`${name} as durable timers`, (it) => {
    it.effect("say what they were told to say, and nothing where they were told nothing", () =>
      Effect.gen(function* () {
        const { timers } = yield* TimersHarness;
        const owner = yield* ownShard(shard);
        const [payment] = yield* paymentsOf(shard, 1);
        const said = JSON.stringify({ about: "ü\u0000" });
        yield* timers.arm({ payment: payment!, kind: "webhook-1", version: 41 }, inMillis(0), said);
        yield* timers.arm(timerOf(payment!, 42), inMillis(0));
        yield* owner.given(2);
        const found = owner.deliveries.toSorted((left, right) => left.version! - right.version!);
        expect(found.map(({ verb, body }) => [verb, Buffer.from(body).toString("utf8")])).toEqual([
          ["webhook-1", said],
          ["round", ""],
        ]);
        take(owner);
      }),
    );

    it.effect("fire into the due queue of the payment's shard, with the kind and the version that armed them", () =>
      Effect.gen(function* () {
        const { timers } = yield* TimersHarness;
        const owners = [yield* ownShard(otherShard), yield* ownShard(shard)] as const;
        for (const [of, owner] of owners.entries()) {
          const [payment] = yield* paymentsOf(of, 1);
          yield* timers.arm(timerOf(payment!, 11, "round"), inMillis(0));
          yield* timers.arm(timerOf(payment!, 12, "expiry"), inMillis(0));
          yield* owner.given(2);
          const found = owner.deliveries.toSorted((left, right) => left.version! - right.version!);
          const address = { source: "due", shard: of, payment };
          expect(found).toMatchObject([
            { ...address, verb: "round", version: 11 },
            { ...address, verb: "expiry", version: 12 },
          ]);
          take(owner);
        }
        expect(owners.map(({ deliveries }) => deliveries)).toEqual([[], []]);
      }),
    );

    it.effect("do not fire before they are due", () =>
      Effect.gen(function* () {
        const { timers } = yield* TimersHarness;
        const owner = yield* ownShard(shard);
        const due = new Map<string, number>();
        const payments = yield* paymentsOf(shard, 20);
        for (const [index, payment] of payments.entries()) {
          const at = inMillis(40 * index);
          due.set(payment.paymentId, Date.parse(at));
          yield* timers.arm(timerOf(payment), at);
        }
        const arrived = new Set<string>();
        yield* until(
          "all have fired",
          Effect.sync(() => {
            for (const { payment } of take(owner)) {
              // At least once: one of an earlier test may fire a second time just now.
              const dueAt = due.get(payment.paymentId);
              if (dueAt === undefined) continue;
              arrived.add(payment.paymentId);
              expect(Date.now()).toBeGreaterThanOrEqual(dueAt);
            }
            return arrived.size === payments.length;
          }),
        );
      }),
    );

    it.effect("fire at once when they are past due, before others that are due soon", () =>
      Effect.gen(function* () {
        const { timers } = yield* TimersHarness;
        const owner = yield* ownShard(shard);
        const [soon, late] = (yield* paymentsOf(shard, 2)).map((payment) => timerOf(payment));
        yield* timers.arm(soon!, inMillis(2_000));
        yield* timers.arm(late!, inMillis(-3_600_000));
        const deliveries = yield* fired(owner, [late!]);
        expect(deliveries.some(isOf(soon!))).toBe(false);
        yield* timers.cancel(soon!);
      }),
    );

    it.effect("fire again when they are armed again after they have fired", () =>
      Effect.gen(function* () {
        const { timers } = yield* TimersHarness;
        const owner = yield* ownShard(shard);
        const [payment] = yield* paymentsOf(shard, 1);
        const due = inMillis(0);
        for (let round = 0; round < 3; round++) {
          yield* timers.arm(timerOf(payment!), due);
          yield* fired(owner, [timerOf(payment!)]);
        }
      }),
    );

    it.effect("lose none of hundreds that are armed again and again for the same moment, also as they fire", () =>
      Effect.gen(function* () {
        const { timers } = yield* TimersHarness;
        const owner = yield* ownShard(shard);
        const all = (yield* paymentsOf(shard, 300)).map((payment) => timerOf(payment));
        const due = inMillis(800);
        const armAll = Effect.forEach(all, (timer) => timers.arm(timer, due), { ...manyAtOnce, discard: true });
        do yield* armAll;
        while (Date.now() < Date.parse(due) + 100);
        yield* fired(owner, all);
      }),
    );

    it.effect("do not fire when they are cancelled", () =>
      Effect.gen(function* () {
        const { timers } = yield* TimersHarness;
        const owner = yield* ownShard(shard);
        const [cancelled, later] = (yield* paymentsOf(shard, 2)).map((payment) => timerOf(payment));
        yield* timers.arm(cancelled!, inMillis(600));
        yield* timers.arm(later!, inMillis(900));
        yield* timers.cancel(cancelled!);
        const deliveries = yield* fired(owner, [later!]);
        expect(deliveries.some(isOf(cancelled!))).toBe(false);
      }),
    );

    it.effect("stay armed when another version, another kind or another payment's is cancelled", () =>
      Effect.gen(function* () {
        const { timers } = yield* TimersHarness;
        const owner = yield* ownShard(shard);
        const [payment, other] = yield* paymentsOf(shard, 2);
        const zombies = timerOf(payment!, 3);
        const kept = [timerOf(payment!, 30), timerOf(payment!, 5), timerOf(payment!, 3, "expiry"), timerOf(other!, 3)];
        const due = inMillis(600);
        yield* Effect.forEach([zombies, ...kept], (timer) => timers.arm(timer, due));
        yield* timers.cancel(zombies);
        // Once more, and one that was never armed: a courtesy harms nobody.
        yield* timers.cancel(zombies);
        yield* timers.cancel(timerOf(payment!, 4));
        const last = timerOf(other!, 99);
        yield* timers.arm(last, inMillis(900));
        const deliveries = yield* fired(owner, [...kept, last]);
        expect(deliveries.some(isOf(zombies))).toBe(false);
      }),
    );

    it.effect("fire while nobody owns the shard, for whoever comes to own it", () =>
      Effect.gen(function* () {
        const { timers } = yield* TimersHarness;
        const all = (yield* paymentsOf(shard, 3)).map((payment) => timerOf(payment));
        yield* Effect.forEach(all, (timer) => timers.arm(timer, inMillis(0)));
        const owner = yield* ownShard(shard);
        yield* fired(owner, all);
      }),
    );

    it.effect("come again to the next owner until they are acked", () =>
      Effect.gen(function* () {
        const { timers } = yield* TimersHarness;
        const [payment] = yield* paymentsOf(shard, 1);
        yield* timers.arm(timerOf(payment!), inMillis(0));
        const first = yield* ownShard(shard);
        yield* first.given(1);
        const second = yield* ownShard(shard);
        expect(second.leftBehind.count).toBeGreaterThan(0);
        yield* fired(second, [timerOf(payment!)]);
      }),
    );

    it.effect("all fire when two thousand are due within one second", () =>
      Effect.gen(function* () {
        const { timers } = yield* TimersHarness;
        const owners = [yield* ownShard(otherShard), yield* ownShard(shard)] as const;
        const storm = [yield* paymentsOf(otherShard, 1_000), yield* paymentsOf(shard, 1_000)].map((payments) =>
          payments.map((payment) => timerOf(payment)),
        );
        const beginning = Date.now() + 1_500;
        const dueOf = (index: number) => new Date(beginning + (index % 1_000)).toISOString();
        yield* Effect.forEach(storm.flat(), (timer, index) => timers.arm(timer, dueOf(index)), {
          ...manyAtOnce,
          discard: true,
        });
        for (const [of, owner] of owners.entries()) yield* fired(owner, storm[of]!);
      }),
    );

    it.effect("are not said to be armed while no answer comes, and can be armed afterwards", () =>
      Effect.gen(function* () {
        const { timers, whileAway } = yield* TimersHarness;
        const [payment] = yield* paymentsOf(shard, 1);
        const due = inMillis(0);
        const error = yield* whileAway(Effect.flip(timers.arm(timerOf(payment!), due)));
        expect(error._tag).toBe("ArmingFailed");
        yield* Effect.retry(timers.arm(timerOf(payment!), due), { times: 20 });
        const owner = yield* Effect.retry(ownShard(shard), { times: 20 });
        yield* fired(owner, [timerOf(payment!)]);
      }),
    );

    it.effect("let a cancellation that gets no answer pass without a word", () =>
      Effect.gen(function* () {
        const { timers, whileAway } = yield* TimersHarness;
        const [payment] = yield* paymentsOf(shard, 1);
        yield* whileAway(timers.cancel(timerOf(payment!)));
        yield* Effect.retry(timers.arm(timerOf(payment!), inMillis(0)), { times: 20 });
        const owner = yield* Effect.retry(ownShard(shard), { times: 20 });
        yield* fired(owner, [timerOf(payment!)]);
      }),
    );
  });
};
