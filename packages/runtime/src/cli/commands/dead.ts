/** `aegispay dead list | show | retry | discard`: what is parked, put back or removed by an operator. */
import { isToken, paymentKey } from "@aegispay/core/identity/Identity";
import { Effect, Layer, Option, Stream } from "effect";
import { Argument, Command, Flag } from "effect/cli";
import { defaultSettings, Settings } from "../../config/RuntimeSettings.ts";
import type { DeadEntry } from "../../dead/DeadEntry.ts";
import { lastDeadId, readDead, scanDead, type DeadFilter } from "../../dead/NatsDeadStore.ts";
import { discardDead, retryDead } from "../../dead/resolveDead.ts";
import { layerNatsEventLog } from "../../log/NatsEventLog.ts";
import { layerNats } from "../../nats/NatsConnection.ts";
import { layerDeployment } from "../../nats/NatsTopology.ts";
import { checkRoot, jsonFlag, natsAddress, natsFlags } from "../connection.ts";
import { FailedQuietly, printJson, printProgress, printResult, Refused, table, WrongUsage } from "../output.ts";
import { settingsOf } from "../settings.ts";

type ConnectionFlags = Parameters<typeof natsAddress>[0] & { readonly root: string };

const layerOf = (flags: ConnectionFlags) =>
  Layer.unwrap(
    Effect.gen(function* () {
      yield* checkRoot(flags.root);
      const settings = yield* settingsOf(defaultSettings.nodeId, flags.root);
      return layerNatsEventLog.pipe(
        Layer.provideMerge(layerDeployment(flags.root)),
        Layer.provideMerge(layerNats(natsAddress(flags, "aegispay-dead"))),
        Layer.provide(Layer.succeed(Settings, settings)),
      );
    }),
  );

const filterFlags = {
  merchant: Flag.String("merchant").pipe(Flag.withDescription("Only this merchant's"), Flag.optional),
  payment: Flag.String("payment").pipe(Flag.withDescription("Only of this payment id"), Flag.optional),
  code: Flag.String("code").pipe(
    Flag.withDescription("Only those with this code (Parked, InvalidCommand)"),
    Flag.optional,
  ),
};

interface FilterFlags {
  readonly merchant: Option.Option<string>;
  readonly payment: Option.Option<string>;
  readonly code: Option.Option<string>;
}

const readFilter = ({ merchant, payment, code }: FilterFlags): Effect.Effect<DeadFilter, WrongUsage> => {
  const wrong = [...Option.toArray(merchant), ...Option.toArray(payment)].find((token) => !isToken(token));
  if (wrong !== undefined) {
    return new WrongUsage({
      message: `${JSON.stringify(wrong)}: merchant and payment id have 1 to 128 characters of [A-Za-z0-9_-]`,
    });
  }
  return Effect.succeed({
    ...(Option.isSome(merchant) ? { merchant: merchant.value } : {}),
    ...(Option.isSome(payment) ? { paymentId: payment.value } : {}),
    ...(Option.isSome(code) ? { code: code.value } : {}),
  });
};

const readOne = Effect.fnUntraced(function* (id: number) {
  const entry = yield* readDead(id);
  if (entry !== undefined) return entry;
  return yield* new Refused({ message: `there is no parked entry ${id}: \`aegispay dead list\` shows what there is` });
});

const rowOf = ({ id, letter }: DeadEntry) => {
  const { payment, source, verb, code, reason, at } = letter;
  return { id, ...payment, source, verb, code, reason, at };
};

const reasonShown = 80;
const shorten = (text: string): string => {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length > reasonShown ? `${line.slice(0, reasonShown)}…` : line;
};

const list = Command.make(
  "list",
  {
    ...natsFlags,
    ...filterFlags,
    limit: Flag.Int("limit").pipe(
      Flag.withDescription("The most that are shown (default 100)"),
      Flag.filter(
        (limit) => limit >= 1 && limit <= 10_000,
        () => "a whole number from 1 to 10000",
      ),
      Flag.withDefault(100),
    ),
    after: Flag.Int("after").pipe(
      Flag.withDescription("Only those after this id, for the next page"),
      Flag.withDefault(0),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* (flags) {
    const filter = yield* readFilter(flags);
    const scan = scanDead(filter, flags.after + 1).pipe(Stream.take(flags.limit), Stream.runCollect);
    const scanned = yield* Effect.provide(scan, layerOf(flags));
    const rows = scanned.map(({ entry }) => rowOf(entry));
    if (flags.json) yield* printJson(rows);
    else if (rows.length === 0) yield* printResult("nothing is parked");
    else {
      const cells = rows.map((row) => [
        String(row.id),
        paymentKey(row),
        row.source,
        row.verb,
        row.code,
        row.at,
        shorten(row.reason),
      ]);
      yield* printResult(table(["id", "payment", "source", "verb", "code", "at", "reason"], cells));
    }
    const last = scanned.at(-1);
    if (last === undefined || last.following === 0 || scanned.length < flags.limit) return;
    const more = filter.code === undefined ? `${last.following} more` : `up to ${last.following} more`;
    yield* printProgress(`${more}: --after ${last.entry.id} shows them`);
  }),
).pipe(Command.withDescription("List what is parked, oldest first"));

const idOf = Argument.Int("id").pipe(Argument.withDescription("Id of the entry, as `dead list` shows it"));

const describe = ({ id, letter }: DeadEntry): string => {
  const { payment, source, verb, code, reason, at, message, headers = {}, body, stack } = letter;
  const lines = [
    `entry ${id}: ${paymentKey(payment)}, ${source} ${verb}`,
    `  parked at ${at}`,
    `  ${code}: ${reason}`,
    ...(message === "" ? [] : [`  it was message ${message}`]),
    ...Object.entries(headers).map(([name, value]) => `  ${name}: ${value}`),
    ...(body === undefined ? [] : ["", body]),
    ...(stack === undefined ? [] : ["", stack]),
  ];
  return lines.join("\n");
};

const show = Command.make(
  "show",
  { ...natsFlags, id: idOf, json: jsonFlag },
  Effect.fnUntraced(function* (flags) {
    const entry = yield* Effect.provide(readOne(flags.id), layerOf(flags));
    const { payment, ...rest } = entry.letter;
    yield* flags.json ? printJson({ id: entry.id, ...payment, ...rest }) : printResult(describe(entry));
  }),
).pipe(Command.withDescription("Show a parked entry with its body, its headers and, of a crash, its stack"));

const chosenFlags = {
  id: Argument.optional(idOf),
  all: Flag.Boolean("all").pipe(Flag.withDescription("Every entry that the filters mean"), Flag.withDefault(false)),
  ...filterFlags,
};

interface Chosen extends FilterFlags {
  readonly id: Option.Option<number>;
  readonly all: boolean;
}

const checkChosen = Effect.fnUntraced(function* (chosen: Chosen) {
  const filter = yield* readFilter(chosen);
  if (Option.isSome(chosen.id) === chosen.all) {
    return yield* new WrongUsage({ message: "say which entry is meant: its id, or --all, but not both" });
  }
  if (!chosen.all && Object.keys(filter).length > 0) {
    return yield* new WrongUsage({ message: "--merchant, --payment and --code choose among --all" });
  }
  return filter;
});

/**
 * Does it to one entry, or to all that are there when it begins: what is put back and parked again is a new entry, and
 * must not be met again in the same run.
 */
const resolve = Effect.fnUntraced(function* <E, R>(
  chosen: Chosen & { readonly json: boolean },
  filter: DeadFilter,
  done: "retried" | "discarded",
  act: (entry: DeadEntry) => Effect.Effect<string | undefined, E, R>,
) {
  const resolved: Array<number> = [];
  const refused: Array<{ readonly id: number; readonly reason: string }> = [];
  const actOn = Effect.fnUntraced(function* (entry: DeadEntry) {
    const reason = yield* act(entry);
    if (reason === undefined) resolved.push(entry.id);
    else refused.push({ id: entry.id, reason });
    if (reason !== undefined) return yield* printProgress(reason);
    if (!chosen.json) yield* printResult(`${done} ${entry.id} (${paymentKey(entry.letter.payment)})`);
  });
  if (Option.isSome(chosen.id)) {
    const reason = yield* act(yield* readOne(chosen.id.value));
    if (reason !== undefined) return yield* new Refused({ message: reason });
    resolved.push(chosen.id.value);
    if (!chosen.json) yield* printResult(`${done} ${chosen.id.value}`);
  } else {
    const until = yield* lastDeadId;
    yield* Stream.runForEach(scanDead(filter, 1, until), ({ entry }) => actOn(entry));
    if (!chosen.json && resolved.length + refused.length === 0) yield* printResult("nothing of that is parked");
  }
  if (chosen.json) yield* printJson({ [done]: resolved, refused });
  if (refused.length > 0) yield* new FailedQuietly();
});

const retry = Command.make(
  "retry",
  { ...natsFlags, ...chosenFlags, json: jsonFlag },
  Effect.fnUntraced(function* (flags) {
    const filter = yield* checkChosen(flags);
    yield* Effect.provide(resolve(flags, filter, "retried", retryDead), layerOf(flags));
  }),
).pipe(Command.withDescription("Put parked commands and payments back to work; what fails again is parked again"));

const discard = Command.make(
  "discard",
  {
    ...natsFlags,
    ...chosenFlags,
    yes: Flag.Boolean("yes").pipe(
      Flag.withDescription("It is meant: an entry is gone for ever"),
      Flag.withDefault(false),
    ),
    evenIfOwed: Flag.Boolean("even-if-owed").pipe(
      Flag.withDescription("Also where its payment still owes something to a gateway, which is forgotten then"),
      Flag.withDefault(false),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* (flags) {
    const filter = yield* checkChosen(flags);
    if (!flags.yes) {
      return yield* new WrongUsage({
        message: "what is discarded is gone for ever: look at it with `aegispay dead show`, then say --yes",
      });
    }
    const act = (entry: DeadEntry) => discardDead(entry, flags.evenIfOwed);
    yield* Effect.provide(resolve(flags, filter, "discarded", act), layerOf(flags));
  }),
).pipe(Command.withDescription("Remove parked entries for ever"));

export const dead = Command.make("dead").pipe(
  Command.withDescription("Look at what is parked, put it back to work, or remove it"),
  Command.withSubcommands([list, show, retry, discard]),
);
