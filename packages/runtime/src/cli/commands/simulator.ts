/** `aegispay simulator`: the gateway simulator alone. */
import { startSimulator, type SimulatorStartError } from "@aegispay/gateways/simulator/SimulatorServer";
import { Effect } from "effect";
import { Command, Flag } from "effect/cli";
import { jsonFlag } from "../connection.ts";
import { printJson, printResult, Refused, runUntilTold } from "../output.ts";

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
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ port, dataDir, json }) {
    const run = Effect.gen(function* () {
      const { url } = yield* Effect.mapError(startSimulator({ port, dataDir }), nameFlag("--port"));
      yield* json ? printJson({ ready: true, simulator: url }) : printResult(`the gateway simulator listens on ${url}`);
      return yield* runUntilTold;
    });
    return yield* Effect.scoped(run);
  }),
).pipe(Command.withDescription("Run the gateway simulator alone"));
