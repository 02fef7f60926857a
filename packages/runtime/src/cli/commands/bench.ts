/** `aegispay bench`: what the runtime does, held against the bare messages of a payment on the same machine. */
import { Clock, Effect, Option } from "effect";
import { Command, Flag } from "effect/cli";
import { writeFileSync } from "node:fs";
import { largestGrowth, smallestGrowth } from "../../bench/measurements/growth.ts";
import { benchPage } from "../../bench/page/benchPage.ts";
import { runPeers } from "../../bench/peers/runPeers.ts";
import { benchReport, thisMachine } from "../../bench/report.ts";
import { runBench } from "../../bench/runBench.ts";
import { copies, gatewayKinds, parts, syncs, type Part, type Workload } from "../../bench/settings.ts";
import { benchTables } from "../benchTables.ts";
import { jsonFlag } from "../connection.ts";
import { printJson, printProgress, printResult, Refused, WrongUsage } from "../output.ts";
import { natsServerFlag } from "./node.ts";

const workerCounts = [1, 2, 4];

/** What is measured where nothing is left out. Three servers and an HTTP gateway on one machine say little about either. */
const allWorkloads: ReadonlyArray<Workload> = gatewayKinds.flatMap((gateway) =>
  syncs.flatMap((sync) =>
    copies.flatMap((replicas) => workerCounts.map((workers) => ({ sync, gateway, replicas, workers }))),
  ),
);
const isUsual = ({ gateway, replicas }: Workload): boolean => gateway === "instant" || replicas === 1;

/** What each measurement is about, and how long it takes with the defaults on two cores. */
const about: Readonly<Record<Part, string>> = {
  saturation: "bare and runtime by sync, gateway, replicas and workers (30 minutes)",
  mixed: "declines and lost answers among the payments (4 minutes)",
  openLoop: "latency when idle, and at 25, 50 and 75 % of saturation (6 minutes)",
  takeOver: "from a worker's death to the end of what it had in flight (3 minutes)",
  replay: "commits a second from the log to states (1 minute)",
  memory: "what a live, a passive and a finished payment costs (1 minute)",
  growth: "all of it as the log grows (6 minutes; 12 with --growth 1000000)",
};

const wholeFlag = (name: string, what: string, otherwise: number, least = 1, most = Number.MAX_SAFE_INTEGER) =>
  Flag.Int(name).pipe(
    Flag.withDescription(`${what} (default ${otherwise})`),
    Flag.filter(
      (given) => given >= least && given <= most,
      () =>
        most === Number.MAX_SAFE_INTEGER ? `a whole number from ${least}` : `a whole number from ${least} to ${most}`,
    ),
    Flag.withDefault(otherwise),
  );

const oneOfFlag = (name: string, values: ReadonlyArray<number>, what: string) =>
  Flag.Int(name).pipe(
    Flag.withDescription(`Only ${what}: ${values.join(", ")}`),
    Flag.filter(
      (given) => values.includes(given),
      () => `one of ${values.join(", ")}`,
    ),
    Flag.optional,
  );

const write = (file: string, page: string, flag: "w" | "a" = "w") =>
  Effect.try({
    try: () => writeFileSync(file, page, { flag }),
    catch: (cause) => new Refused({ message: `the page cannot be written: ${String(cause)}` }),
  });

const lookAtMachine = (natsServer: string) =>
  Effect.try({
    try: () => thisMachine(natsServer),
    catch: () =>
      new Refused({
        message: `${natsServer} cannot be run: name a nats-server with --nats-server or AEGISPAY_NATS_SERVER`,
      }),
  });

/** Before an hour of measuring, and not after. What is in the file stays until there is another page. */
const checkWritable = (file: Option.Option<string>) =>
  Option.isNone(file)
    ? Effect.void
    : Effect.mapError(write(file.value, "", "a"), ({ message }) => new WrongUsage({ message: `--html: ${message}` }));

export const bench = Command.make(
  "bench",
  {
    only: Flag.Literals("only", parts).pipe(
      Flag.withDescription("Only this measurement; may be repeated"),
      Flag.atLeast(0),
    ),
    payments: wholeFlag("payments", "Payments of one side of a round", 20_000),
    rounds: wholeFlag("rounds", "Rounds of each workload, bare and runtime in turn", 3),
    inFlight: wholeFlag("in-flight", "Payments under way at once", 512),
    growth: wholeFlag("growth", "Payments in the longest log", 100_000, smallestGrowth, largestGrowth),
    sync: Flag.Literals("sync", syncs).pipe(Flag.withDescription("Only this sync_interval"), Flag.optional),
    gateway: Flag.Literals("gateway", gatewayKinds).pipe(Flag.withDescription("Only this gateway"), Flag.optional),
    replicas: oneOfFlag("replicas", copies, "so many copies of a stream, and servers"),
    workers: oneOfFlag("workers", workerCounts, "this many workers"),
    html: Flag.String("html").pipe(
      Flag.withDescription("Also write the report to this file, as one page with charts"),
      Flag.optional,
    ),
    peers: Flag.Boolean("peers").pipe(
      Flag.withDescription("Also measure Restate, DBOS and Effect's workflow engine; fetches them on first use"),
      Flag.withDefault(false),
    ),
    natsServer: natsServerFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* (flags) {
    const { rounds, natsServer, json, growth, html } = flags;
    const load = { payments: flags.payments, inFlight: flags.inFlight };
    const isMeant = <A>(only: Option.Option<A>, value: A) => Option.isNone(only) || only.value === value;
    const workloads = allWorkloads.filter(
      (workload) =>
        isMeant(flags.sync, workload.sync) &&
        isMeant(flags.gateway, workload.gateway) &&
        isMeant(flags.workers, workload.workers) &&
        isMeant<number>(flags.replicas, workload.replicas) &&
        (isUsual(workload) || (Option.isSome(flags.gateway) && Option.isSome(flags.replicas))),
    );
    if (flags.only.includes("mixed") && !workloads.some(({ gateway }) => gateway === "simulator")) {
      return yield* new WrongUsage({
        message: "--only mixed is measured at the simulator: ask for --gateway simulator",
      });
    }
    yield* checkWritable(html);
    const machine = yield* lookAtMachine(natsServer);
    const at = new Date(yield* Clock.currentTimeMillis).toISOString();
    const measured = yield* runBench({
      parts: new Set(flags.only.length === 0 ? parts : flags.only),
      workloads,
      load,
      rounds,
      natsServer,
      sync: Option.getOrElse(flags.sync, () => syncs[0]),
      growth,
      onProgress: printProgress,
    });
    const gateways = gatewayKinds.filter((gateway) => workloads.some((workload) => workload.gateway === gateway));
    const peers = flags.peers ? yield* runPeers({ ...load, gateways, rounds, onProgress: printProgress }) : undefined;
    const all = { ...measured, ...(peers === undefined ? {} : { peers }) };
    const report = benchReport(at, machine, { ...load, rounds }, all);
    if (Option.isSome(html)) yield* write(html.value, benchPage(report));
    return yield* json ? printJson(report) : printResult(`\n${benchTables(report)}`);
  }),
).pipe(
  Command.withDescription("Measure the runtime against bare NATS on this machine; all of it takes about an hour"),
  Command.withExamples(parts.map((part) => ({ command: `aegispay bench --only ${part}`, description: about[part] }))),
);
