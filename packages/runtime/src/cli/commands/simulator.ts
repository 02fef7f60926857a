/** `aegispay simulator`: the gateway simulator alone. */
import { startSimulator, type SimulatorStartError } from "@aegispay/gateways/simulator/SimulatorServer";
import { Config, Effect, Option } from "effect";
import { Command, Flag } from "effect/cli";
import { jsonFlag } from "../connection.ts";
import { printJson, printResult, Refused, runUntilTold, WrongUsage } from "../output.ts";

/** A simulator that cannot start, with the flag that helps. */
export const nameFlag =
  (flag: string) =>
  (error: SimulatorStartError): Refused =>
    new Refused({
      message:
        error.reason === "PortTaken"
          ? `${error.message}: choose another with ${flag} (0 takes any free one)`
          : error.message,
    });

export const simulator = Command.make(
  "simulator",
  {
    port: Flag.Int("port").pipe(
      Flag.withDescription("Port to listen on; 0 = any free one (default 8081)"),
      Flag.withDefault(8081),
    ),
    dataDir: Flag.String("data-dir").pipe(
      Flag.withDescription("Folder of its ledger (default .aegispay/simulator)"),
      Flag.withDefault(".aegispay/simulator"),
    ),
    webhookUrl: Flag.String("webhook-url").pipe(
      Flag.withDescription(
        "Where to send signed webhooks (AEGISPAY_SIMULATOR_WEBHOOK_URL); AEGISPAY_SIMULATOR_WEBHOOK_SECRET signs them",
      ),
      Flag.withFallbackConfig(Config.String("AEGISPAY_SIMULATOR_WEBHOOK_URL")),
      Flag.optional,
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ port, dataDir, webhookUrl, json }) {
    const secret = process.env["AEGISPAY_SIMULATOR_WEBHOOK_SECRET"] ?? "";
    if (Option.isSome(webhookUrl) && secret === "") {
      return yield* new WrongUsage({ message: "--webhook-url needs AEGISPAY_SIMULATOR_WEBHOOK_SECRET to sign with" });
    }
    const webhooks = Option.isSome(webhookUrl) ? { webhooks: { url: webhookUrl.value, secret } } : {};
    const run = Effect.gen(function* () {
      const { url } = yield* Effect.mapError(startSimulator({ port, dataDir, ...webhooks }), nameFlag("--port"));
      yield* json ? printJson({ ready: true, simulator: url }) : printResult(`the gateway simulator listens on ${url}`);
      return yield* runUntilTold;
    });
    return yield* Effect.scoped(run);
  }),
).pipe(Command.withDescription("Run the gateway simulator alone"));
