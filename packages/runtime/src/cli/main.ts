/** `aegispay`: the command line. Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 NATS cannot be reached. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime";
import * as NodeServices from "@effect/platform-node/NodeServices";
import { Cause, Console, Effect, Logger, Option, Runtime } from "effect";
import { CliError, CliOutput, Command } from "effect/cli";
import { bench } from "./commands/bench.ts";
import { dead } from "./commands/dead.ts";
import { debts } from "./commands/debts.ts";
import { dev } from "./commands/dev.ts";
import { gateways } from "./commands/gateways.ts";
import { node } from "./commands/node.ts";
import { nodes, shards } from "./commands/overview.ts";
import { payment } from "./commands/payment/payment.ts";
import { route } from "./commands/route.ts";
import { setup } from "./commands/setup.ts";
import { simulator } from "./commands/simulator.ts";
import { webhooks } from "./commands/webhooks.ts";
import { colour, endsWell, exitCodes } from "./output.ts";

const root = Command.make("aegispay").pipe(
  Command.withDescription("A payment runtime on NATS: charged at most once, nothing accepted is lost"),
  Command.withSubcommands([
    dev,
    setup,
    node,
    nodes,
    shards,
    gateways,
    route,
    payment,
    dead,
    debts,
    webhooks,
    simulator,
    bench,
  ]),
);

const exitCodeOf = (error: unknown): number => {
  if (CliError.isCliError(error)) {
    return error._tag === "ShowHelp" && error.errors.length === 0 ? 0 : exitCodes.usage;
  }
  if (typeof error === "object" && error !== null && "_tag" in error && error._tag === "NatsUnreachable") {
    return exitCodes.unreachable;
  }
  return Runtime.getErrorExitCode(error);
};

/** One line for an error that was expected; the whole cause for one that was not. */
const report = (cause: Cause.Cause<unknown>): void => {
  const error = Option.getOrUndefined(Cause.findErrorOption(cause));
  if (CliError.isCliError(error) || Cause.hasInterruptsOnly(cause)) return;
  const quiet = typeof error === "object" && error !== null && "_tag" in error && error._tag === "FailedQuietly";
  if (quiet) return;
  const text = error instanceof Error ? error.message : Cause.pretty(cause);
  // Whoever asked for a document gets one, also of a failure.
  if (process.argv.includes("--json")) {
    const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
    const name = typeof error === "object" && error !== null && "_tag" in error ? error._tag : "Failed";
    process.stdout.write(`${JSON.stringify({ ok: false, error: { code: code ?? name, message: text } })}\n`);
  }
  process.stderr.write(`${colour.red("error:", process.stderr)} ${text}\n`);
};

// Whoever read the output has gone (`aegispay dev | head`): end as if told to, so that everything is drained.
process.stdout.on("error", () => process.kill(process.pid, "SIGTERM"));
// What is logged may go nowhere (a terminal that was closed): payments are not left in mid-air for that.
process.stderr.on("error", () => undefined);

/** The usage that goes with an error is no result either. */
const consoleOfErrors: Console.Console = { ...console, log: console.error.bind(console) };

const program = Command.runWith(root, { version: "0.1.0" })(process.argv.slice(2)).pipe(
  Effect.tapCause((cause) => Effect.sync(() => report(cause))),
  Effect.provide(NodeServices.layer),
  // Results go to stdout, what is logged does not.
  Effect.provideService(Logger.LogToStderr, true),
  Effect.provideService(CliOutput.Presenter, {
    present: (event) =>
      event._tag === "InvalidInvocation"
        ? Effect.provideService(CliOutput.defaultPresenter.present(event), Console.Console, consoleOfErrors)
        : CliOutput.defaultPresenter.present(event),
  }),
);

NodeRuntime.runMain(program, {
  disableErrorReporting: true,
  // A service that was told to end has drained and is done; anything else that was interrupted has not done its work.
  teardown: (exit, onExit) => {
    if (exit._tag === "Success") return onExit(0);
    if (Cause.hasInterruptsOnly(exit.cause)) return onExit(endsWell() ? 0 : exitCodes.interrupted);
    onExit(exitCodeOf(Cause.squash(exit.cause)));
  },
});
