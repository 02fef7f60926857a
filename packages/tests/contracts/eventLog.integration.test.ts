import { EventLog } from "@aegispay/runtime/log/EventLog";
import { layerNatsEventLog } from "@aegispay/runtime/log/NatsEventLog";
import { Context, Effect, Exit, Fiber, Layer, Scope } from "effect";
import { eventLogContract } from "./eventLog.contract.ts";
import { EventLogHarness, until } from "./eventLogHarness.ts";
import { deploy, layerConnected, openEventLog } from "./natsDeployment.ts";
import { replayContract } from "./replay.contract.ts";
import { layerNatsServer, NatsServer } from "./natsServer.ts";
import { tcpProxy } from "./tcpProxy.ts";

const harness = Effect.gen(function* () {
  const server = yield* NatsServer;
  yield* deploy(server.url);
  const { proxy, url } = yield* tcpProxy(server.port);
  const { log } = yield* openEventLog(url);
  const { log: rival, nats, addresses } = yield* openEventLog(server.url);
  return EventLogHarness.of({
    log,
    rival,
    addresses,
    inject: (payment, body) =>
      Effect.promise(async () => (await nats.jetstream.publish(addresses.append(payment), body)).seq),
    losingAnswers: (_count, appends, areStored) =>
      Effect.gen(function* () {
        proxy.swallowAnswers();
        const settling = yield* Effect.forkChild(appends);
        yield* until("what is appended is stored", areStored);
        proxy.cut();
        return yield* Fiber.join(settling);
      }),
    closable: Effect.gen(function* () {
      const scope = yield* Scope.make();
      const context = yield* Layer.buildWithScope(Layer.provide(layerNatsEventLog, layerConnected(server.url)), scope);
      return { log: Context.get(context, EventLog), close: Scope.close(scope, Exit.void), reader: rival };
    }),
  });
});

const layerHarness = Layer.provide(Layer.effect(EventLogHarness, harness), layerNatsServer);

eventLogContract("JetStream", layerHarness);
replayContract("JetStream", layerHarness);
