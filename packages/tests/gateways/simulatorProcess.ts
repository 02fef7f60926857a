/** A simulator as a process of its own, to be killed: `node simulatorProcess.ts <data directory>` prints its url. */
import { startSimulator } from "@aegispay/gateways/simulator/SimulatorServer";
import { Effect } from "effect";

const dataDir = process.argv[2];
if (dataDir === undefined) throw new Error("the data directory is missing");

Effect.runFork(
  Effect.scoped(
    Effect.gen(function* () {
      const { url } = yield* startSimulator({ port: 0, dataDir });
      process.stdout.write(`${url}\n`);
      return yield* Effect.never;
    }),
  ),
);
