/** `aegispay debts`: what payments owe, and what holds it. Exit 1 where something is held by nothing. */
import { Effect, Layer } from "effect";
import { Command } from "effect/cli";
import { defaultSettings, Settings } from "../../config/RuntimeSettings.ts";
import { checkDebts } from "../../debts/checkDebts.ts";
import { isForgotten, type DebtRow } from "../../debts/Debts.ts";
import { natsDebtSources } from "../../debts/NatsDebts.ts";
import { layerNatsEventLog } from "../../log/NatsEventLog.ts";
import { layerNats } from "../../nats/NatsConnection.ts";
import { layerDeployment } from "../../nats/NatsTopology.ts";
import { checkRoot, jsonFlag, natsAddress, natsFlags } from "../connection.ts";
import { colour, FailedQuietly, printJson, printProgress, printResult, table } from "../output.ts";
import { settingsOf } from "../settings.ts";

/** Held debts that people are shown; all of the forgotten ones are. */
const shownHeld = 100;

const check = Effect.gen(function* () {
  return yield* checkDebts(yield* natsDebtSources(printProgress), printProgress);
});

const tableOf = (rows: ReadonlyArray<DebtRow>): string => {
  const cells = rows.map((row) => [
    `${row.merchant}/${row.paymentId}`,
    row.state,
    row.owes,
    row.due ?? "-",
    isForgotten(row) ? "FORGOTTEN" : row.heldBy.join(" "),
  ]);
  return table(["payment", "state", "owes", "due", "held by"], cells);
};

export const debts = Command.make(
  "debts",
  { ...natsFlags, json: jsonFlag },
  Effect.fnUntraced(function* (flags) {
    yield* checkRoot(flags.root);
    const settings = yield* settingsOf(defaultSettings.nodeId, flags.root);
    const layer = layerNatsEventLog.pipe(
      Layer.provideMerge(layerDeployment(flags.root)),
      Layer.provideMerge(layerNats(natsAddress(flags, "aegispay-debts"))),
      Layer.provide(Layer.succeed(Settings, settings)),
    );
    const rows = yield* Effect.provide(check, layer);
    const forgotten = rows.filter(isForgotten).length;
    if (flags.json) yield* printJson(rows);
    else if (rows.length === 0) yield* printResult("no payment owes anything");
    else {
      yield* printResult(tableOf(rows.slice(0, forgotten + shownHeld)));
      const left = rows.length - forgotten - shownHeld;
      if (left > 0) yield* printProgress(`and ${left} more that are held; --json has all of them`);
    }
    if (forgotten === 0) return;
    yield* printProgress(
      `${colour.red("FORGOTTEN:", process.stderr)} ${forgotten} ${forgotten === 1 ? "payment owes" : "payments owe"} something ` +
        `that nothing holds. Publishing an empty message to ${flags.root}.internal.<merchant>.<payment>.resume has each looked at`,
    );
    yield* new FailedQuietly();
  }),
).pipe(Command.withDescription("Check that nothing in flight is forgotten: what payments owe, and what holds it"));
