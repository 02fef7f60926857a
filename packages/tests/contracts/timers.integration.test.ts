import { layer } from "@effect/vitest";
import { Effect, Layer } from "effect";
import { own, paymentsOf } from "./commandQueueHarness.ts";
import { layerNatsQueueHarness } from "./natsQueueHarness.ts";
import { layerNatsServer, NatsServer } from "./natsServer.ts";
import { fired, inMillis, timerOf, timersContract } from "./timers.contract.ts";
import { TimersHarness } from "./timersHarness.ts";

const layerHarness = Layer.provideMerge(layerNatsQueueHarness({}), layerNatsServer);

timersContract("JetStream", layerHarness);

layer(layerHarness, { excludeTestServices: true, timeout: "60 seconds" })("timers of a server that is killed", (it) => {
  it.effect("all fire, those that were due while it was away at once when it is back", () =>
    Effect.gen(function* () {
      const { timers } = yield* TimersHarness;
      const server = yield* NatsServer;
      const all = (yield* paymentsOf(1, 300)).map((payment) => timerOf(payment));
      const beginning = Date.now() + 300;
      // A third before the kill or during it, a third while it is away, a third afterwards.
      const dueOf = (index: number) => new Date(beginning + [0, 500, 3_000][index % 3]!).toISOString();
      yield* Effect.forEach(all, (timer, index) => timers.arm(timer, dueOf(index)), {
        concurrency: 100,
        discard: true,
      });
      yield* server.kill;
      while (Date.now() < beginning + 600) yield* Effect.sleep(20);
      yield* server.startAgain;
      const owner = yield* Effect.retry(own(1), { times: 20 });
      yield* fired(owner, all);
    }),
  );

  it.effect("cannot be armed while it is away, and can be when it is back", () =>
    Effect.gen(function* () {
      const { timers } = yield* TimersHarness;
      const server = yield* NatsServer;
      const [payment] = yield* paymentsOf(0, 1);
      yield* server.kill;
      yield* Effect.flip(timers.arm(timerOf(payment!), inMillis(0)));
      yield* server.startAgain;
      yield* Effect.retry(timers.arm(timerOf(payment!), inMillis(0)), { times: 20 });
      const owner = yield* Effect.retry(own(0), { times: 20 });
      yield* fired(owner, [timerOf(payment!)]);
    }),
  );
});
