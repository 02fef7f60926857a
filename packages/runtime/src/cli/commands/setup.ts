/** `aegispay setup`: creates or checks the streams and buckets of a deployment. */
import { Effect, Option } from "effect";
import { Command, Flag } from "effect/cli";
import { defaultSettings } from "../../config/RuntimeSettings.ts";
import { layerNats } from "../../nats/NatsConnection.ts";
import { setUp } from "../../nats/NatsTopology.ts";
import { checkRoot, jsonFlag, natsAddress, natsFlags } from "../connection.ts";
import { printJson, printResult } from "../output.ts";
import { settingsOf } from "../settings.ts";

export const setup = Command.make(
  "setup",
  {
    ...natsFlags,
    replicas: Flag.Int("replicas").pipe(
      Flag.withDescription(
        "Copies of each stream: 1 on a single server, 3 or 5 in a cluster (default: as it is, 1 where nothing is yet)",
      ),
      Flag.filter(
        (replicas) => [1, 3, 5].includes(replicas),
        () => "1, 3 or 5",
      ),
      Flag.optional,
    ),
    shards: Flag.Int("shards").pipe(
      Flag.withDescription("Shards the payments are spread over, fixed for ever (default 16)"),
      Flag.filter(
        (shards) => shards >= 1 && shards <= 1024,
        () => "a whole number from 1 to 1024",
      ),
      Flag.withDefault(16),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* (flags) {
    yield* checkRoot(flags.root);
    const { root, shards } = flags;
    const replicas = Option.getOrUndefined(flags.replicas);
    const settings = yield* settingsOf(defaultSettings.nodeId, root);
    const created = yield* setUp({ root, shards, replicas, leaseTtlMillis: settings.leaseTtlMillis }).pipe(
      Effect.provide(layerNats(natsAddress(flags, "aegispay-setup"))),
    );
    if (flags.json) return yield* printJson({ root, shards, created });
    yield* printResult(created.length === 0 ? "everything is there" : `created ${created.join(", ")}`);
  }),
).pipe(Command.withDescription("Create or check the streams and buckets of a deployment"));
