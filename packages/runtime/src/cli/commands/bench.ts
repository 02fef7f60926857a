/** `aegispay bench`: what the runtime does, held against the bare messages of a payment on the same machine. */
import { Clock, Effect, Option } from "effect";
import { Command, Flag } from "effect/cli";
import { runPeers } from "../../bench/peers/runPeers.ts";
import { benchReport, type BenchReport } from "../../bench/report.ts";
import { runBench } from "../../bench/runBench.ts";
import { gatewayKinds, syncs, type Workload } from "../../bench/settings.ts";
import { jsonFlag } from "../connection.ts";
import { peersTable } from "../peersTable.ts";
import { printJson, printProgress, printResult, table } from "../output.ts";
import { natsServerFlag } from "./node.ts";

/** What is measured where nothing is left out. */
const allWorkloads: ReadonlyArray<Workload> = gatewayKinds.flatMap((gateway) =>
  syncs.flatMap((sync) => [1, 2, 4].map((workers) => ({ sync, gateway, replicas: 1, workers }))),
);

const wholeFlag = (name: string, what: string, otherwise: number) =>
  Flag.Int(name).pipe(
    Flag.withDescription(`${what} (default ${otherwise})`),
    Flag.filter(
      (given) => given >= 1,
      () => "a whole number from 1",
    ),
    Flag.withDefault(otherwise),
  );

const showReport = ({ machine, settings, medians }: BenchReport): string =>
  [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB; node ${machine.node}, ${machine.natsServer}`,
    `${settings.payments} payments a round, ${settings.inFlight} in flight, after ${settings.warmUpPayments} to warm up; medians`,
    "",
    table(
      ["sync", "gateway", "replicas", "workers", "bare/s", "runtime/s", "ratio", "from", "to", "p50 ms", "p99 ms"],
      medians.map((line) =>
        [
          line.sync,
          line.gateway,
          line.replicas,
          line.workers,
          line.bare,
          line.runtime,
          line.ratio.toFixed(2),
          line.ratioRange[0].toFixed(2),
          line.ratioRange[1].toFixed(2),
          line.p50,
          line.p99,
        ].map(String),
      ),
    ),
  ].join("\n");

export const bench = Command.make(
  "bench",
  {
    payments: wholeFlag("payments", "Payments of one side of a round", 20_000),
    rounds: wholeFlag("rounds", "Rounds of each workload, bare and runtime in turn", 3),
    inFlight: wholeFlag("in-flight", "Payments under way at once", 512),
    sync: Flag.Literals("sync", syncs).pipe(Flag.withDescription("Only this sync_interval"), Flag.optional),
    gateway: Flag.Literals("gateway", gatewayKinds).pipe(Flag.withDescription("Only this gateway"), Flag.optional),
    workers: Flag.Int("workers").pipe(Flag.withDescription("Only this many workers: 1, 2 or 4"), Flag.optional),
    peers: Flag.Boolean("peers").pipe(
      Flag.withDescription("Also measure Restate, DBOS and Effect's workflow engine; fetches them on first use"),
    ),
    natsServer: natsServerFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* (flags) {
    const { rounds, natsServer, json } = flags;
    const load = { payments: flags.payments, inFlight: flags.inFlight };
    const isMeant = <A>(only: Option.Option<A>, value: A) => Option.isNone(only) || only.value === value;
    const workloads = allWorkloads.filter(
      ({ sync, gateway, workers }) =>
        isMeant(flags.sync, sync) && isMeant(flags.gateway, gateway) && isMeant(flags.workers, workers),
    );
    const at = new Date(yield* Clock.currentTimeMillis).toISOString();
    const done = yield* runBench({ ...load, workloads, rounds, natsServer, onProgress: printProgress });
    const report = benchReport(at, done, load, natsServer);
    if (!flags.peers) return yield* json ? printJson(report) : printResult(`\n${showReport(report)}`);
    const gateways = gatewayKinds.filter((gateway) => workloads.some((workload) => workload.gateway === gateway));
    const peers = yield* runPeers({ ...load, gateways, rounds, onProgress: printProgress });
    return yield* json
      ? printJson({ ...report, peers })
      : printResult(`\n${showReport(report)}\n\n${peersTable(peers, report.medians)}`);
  }),
).pipe(Command.withDescription("Measure the runtime against bare NATS on this machine"));
