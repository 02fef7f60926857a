/** `aegispay payment show | events`. */
import { Effect, Stream } from "effect";
import { Command, Flag } from "effect/cli";
import { AegisClient } from "../../../client/AegisClient.ts";
import { checkRoot, jsonFlag, natsFlags } from "../../connection.ts";
import { printJson, printResult } from "../../output.ts";
import { describe } from "./description.ts";
import { clientLayer, readTarget, target } from "./target.ts";

export const show = Command.make(
  "show",
  { ...natsFlags, ...target, json: jsonFlag },
  Effect.fnUntraced(function* (flags) {
    yield* checkRoot(flags.root);
    const ref = yield* readTarget(flags);
    const get = Effect.gen(function* () {
      const client = yield* AegisClient;
      return yield* client.get(ref);
    });
    const payment = yield* Effect.provide(get, clientLayer(flags));
    yield* flags.json ? printJson(payment) : printResult(describe(payment));
  }),
).pipe(Command.withDescription("Show a payment's state"));

export const events = Command.make(
  "events",
  {
    ...natsFlags,
    ...target,
    from: Flag.Int("from").pipe(Flag.withDescription("First version to show"), Flag.withDefault(1)),
    follow: Flag.Boolean("follow").pipe(
      Flag.withDescription("Go on with what is still to come"),
      Flag.withDefault(false),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* (flags) {
    yield* checkRoot(flags.root);
    const payment = yield* readTarget(flags);
    const { from, follow } = flags;
    const read = Effect.gen(function* () {
      const client = yield* AegisClient;
      const log = client.events(payment, { from, follow });
      // One document when the log ends; one a line when it is followed.
      if (flags.json && !follow) return yield* printJson(yield* Stream.runCollect(log));
      yield* Stream.runForEach(log, (event) =>
        flags.json
          ? printJson(event)
          : printResult(
              `${String(event.version).padStart(4)}  ${event.at}  ${event.type}  ${JSON.stringify(event.data)}`,
            ),
      );
    });
    yield* Effect.provide(read, clientLayer(flags));
  }),
).pipe(Command.withDescription("Show, or follow, a payment's log"));
