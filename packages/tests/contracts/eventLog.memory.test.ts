import { makeAddressBook } from "@aegispay/core/addresses/AddressBook";
import { EventLog } from "@aegispay/runtime/log/EventLog";
import { layerMemoryEventLog, MemoryEventLogFaults } from "@aegispay/runtime/log/MemoryEventLog";
import { Context, Effect, Exit, Layer, Scope } from "effect";
import { eventLogContract } from "./eventLog.contract.ts";
import { EventLogHarness } from "./eventLogHarness.ts";
import { replayContract } from "./replay.contract.ts";

const harness = Effect.gen(function* () {
  const log = yield* EventLog;
  const faults = yield* MemoryEventLogFaults;
  return EventLogHarness.of({
    log,
    rival: log,
    addresses: makeAddressBook("payments"),
    inject: (payment, body) => Effect.sync(() => faults.inject(payment, body)),
    losingAnswers: (count, appends, areStored) =>
      Effect.gen(function* () {
        faults.loseAnswers = count;
        const settled = yield* appends;
        yield* areStored;
        return settled;
      }),
    closable: Effect.gen(function* () {
      const scope = yield* Scope.make();
      const context = yield* Layer.buildWithScope(Layer.fresh(layerMemoryEventLog), scope);
      const closed = Context.get(context, EventLog);
      return { log: closed, close: Scope.close(scope, Exit.void), reader: closed };
    }),
  });
});

const layerHarness = Layer.provide(Layer.effect(EventLogHarness, harness), layerMemoryEventLog);

eventLogContract("memory", layerHarness);
replayContract("memory", layerHarness);
