/** `aegispay webhooks list | show | again`: what gateways have sent, what was refused, and taking it once more. */
import { isToken } from "@aegispay/core/identity/Identity";
import { isoTime } from "@aegispay/core/payment/Given";
import { makeReloadingGateways } from "@aegispay/gateways/ReloadingGateways";
import { Effect, Option } from "effect";
import { Argument, Command, Flag } from "effect/cli";
import { layerNats } from "../../nats/NatsConnection.ts";
import { layerDeployment } from "../../nats/NatsTopology.ts";
import { listRefused, listWebhooks, type KeptWebhook } from "../../webhooks/NatsWebhookArchive.ts";
import { receiveWebhooks } from "../../webhooks/receiveWebhooks.ts";
import { checkRoot, jsonFlag, natsAddress, natsFlags } from "../connection.ts";
import { gatewayFlags, readGateways } from "../gatewaysFile.ts";
import { printJson, printResult, Refused, table, WrongUsage } from "../output.ts";

const chosenFlags = {
  ...natsFlags,
  gateway: Flag.String("gateway").pipe(Flag.withDescription("Only of this gateway, by its name"), Flag.optional),
  refused: Flag.Boolean("refused").pipe(
    Flag.withDescription("Of those instead that were refused lately, since no secret of ours signed them"),
    Flag.withDefault(false),
  ),
  json: jsonFlag,
};

interface Chosen {
  readonly root: string;
  readonly gateway: Option.Option<string>;
  readonly refused: boolean;
}

const read = Effect.fnUntraced(function* ({ gateway, refused }: Chosen, after: number, limit: number) {
  const name = Option.getOrElse(gateway, () => "*");
  if (name !== "*" && !isToken(name)) return yield* new WrongUsage({ message: "no gateway has such a name" });
  return refused ? yield* listRefused(name) : yield* listWebhooks(name, after, limit);
});

const inDeployment =
  (flags: Chosen & Parameters<typeof natsAddress>[0]) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.andThen(checkRoot(flags.root), effect).pipe(
      Effect.provide(layerDeployment(flags.root)),
      Effect.provide(layerNats(natsAddress(flags, "aegispay-webhooks"))),
    );

const rowOf = ({ id, verdict, reason, raw }: KeptWebhook) => ({
  id,
  gateway: raw.gateway,
  verdict,
  receivedAt: isoTime(raw.receivedAt),
  bytes: raw.rawBody.length,
  ...(reason === undefined ? {} : { reason }),
});

const list = Command.make(
  "list",
  {
    ...chosenFlags,
    after: Flag.Int("after").pipe(Flag.withDescription("Only those after this id"), Flag.withDefault(0)),
    limit: Flag.Int("limit").pipe(
      Flag.withDescription("The most that are shown (default 50)"),
      Flag.filter(
        (limit) => limit >= 1 && limit <= 1_000,
        () => "a whole number from 1 to 1000",
      ),
      Flag.withDefault(50),
    ),
  },
  Effect.fnUntraced(function* (flags) {
    const rows = (yield* inDeployment(flags)(read(flags, flags.after, flags.limit))).map(rowOf);
    if (flags.json) return yield* printJson(rows);
    if (rows.length === 0) return yield* printResult(flags.refused ? "no webhook was refused" : "no webhook is kept");
    const cells = rows.map((row) => [
      String(row.id),
      row.gateway,
      row.verdict,
      row.receivedAt,
      String(row.bytes),
      row.reason ?? "",
    ]);
    yield* printResult(table(["id", "gateway", "verdict", "received", "bytes", "reason"], cells));
  }),
).pipe(Command.withDescription("List what gateways have sent, oldest first"));

const idOf = Argument.Int("id").pipe(Argument.withDescription("Id as `webhooks list` shows it"));

const readOne = Effect.fnUntraced(function* (chosen: Chosen, id: number) {
  const found = (yield* read(chosen, id - 1, 1)).find((one) => one.id === id);
  if (found !== undefined) return found;
  return yield* new Refused({ message: `no webhook ${id} is kept: \`aegispay webhooks list\` shows what there is` });
});

const show = Command.make(
  "show",
  { ...chosenFlags, id: idOf },
  Effect.fnUntraced(function* (flags) {
    const found = yield* inDeployment(flags)(readOne(flags, flags.id));
    const { headers, rawBody } = found.raw;
    const body = Buffer.from(rawBody).toString("utf8");
    if (flags.json) return yield* printJson({ ...rowOf(found), headers, body });
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    yield* printResult([...lines, "", body].join("\n"));
  }),
).pipe(Command.withDescription("Show one as it came: its headers and its body"));

const again = Command.make(
  "again",
  { ...chosenFlags, ...gatewayFlags, id: idOf },
  Effect.fnUntraced(function* (flags) {
    const { config } = yield* readGateways(flags.gateways, flags.simulatorUrl);
    const take = Effect.gen(function* () {
      const { raw } = yield* readOne(flags, flags.id);
      const { gateways } = yield* makeReloadingGateways(config);
      const intake = yield* receiveWebhooks(flags.root, gateways);
      return yield* intake.receive(raw);
    });
    const received = yield* Effect.scoped(inDeployment(flags)(take));
    if (received !== "accepted" && received !== "duplicate" && received !== "ignored") {
      return yield* new Refused({ message: `webhook ${flags.id} is ${received.replaceAll("_", " ")}` });
    }
    yield* flags.json ? printJson({ id: flags.id, result: received }) : printResult(`webhook ${flags.id}: ${received}`);
  }),
).pipe(
  Command.withDescription(
    "Take one once more, as if it came at the moment when it did: after a wrong secret was put right, for one",
  ),
);

export const webhooks = Command.make("webhooks").pipe(
  Command.withDescription("Look at what gateways have sent, and take it once more"),
  Command.withSubcommands([list, show, again]),
);
