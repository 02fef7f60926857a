/** `aegispay nodes` and `aegispay shards`: who lives, and who owns what, read from the buckets. */
import { Effect } from "effect";
import { Command, Flag } from "effect/cli";
import { layerNats, type Nats } from "../../nats/NatsConnection.ts";
import { layerDeployment, type Deployment } from "../../nats/NatsTopology.ts";
import { readOverview } from "../../shard/NatsOverview.ts";
import { readRecoveries } from "../../shard/NatsRecoveries.ts";
import { checkRoot, jsonFlag, natsAddress, natsFlags } from "../connection.ts";
import { printJson, printResult, table } from "../output.ts";

const withDeployment = <A, E>(
  flags: Parameters<typeof natsAddress>[0] & { readonly root: string },
  read: Effect.Effect<A, E, Nats | Deployment>,
) =>
  checkRoot(flags.root).pipe(
    Effect.andThen(
      read.pipe(
        Effect.provide(layerDeployment(flags.root)),
        Effect.provide(layerNats(natsAddress(flags, "aegispay-overview"))),
      ),
    ),
  );

export const nodes = Command.make(
  "nodes",
  { ...natsFlags, json: jsonFlag },
  Effect.fnUntraced(function* (flags) {
    const { members, owners } = yield* withDeployment(flags, readOverview);
    const rows = members
      .map(({ node, pid, host, since, incarnation }) => ({
        node,
        pid,
        host,
        since,
        shards: owners.filter(({ lease }) => lease?.value.incarnation === incarnation).map(({ shard }) => shard),
      }))
      .toSorted((left, right) => left.node.localeCompare(right.node));
    if (flags.json) return yield* printJson(rows);
    const cells = rows.map(({ node, pid, host, since, shards: own }) => [
      node,
      String(pid),
      host,
      since,
      own.join(" "),
    ]);
    yield* printResult(cells.length === 0 ? "no node runs" : table(["node", "pid", "host", "since", "shards"], cells));
  }),
).pipe(Command.withDescription("Show who lives"));

const columns = [
  "totalPayments",
  "inFlightPayments",
  "recoveredPayments",
  "failedRecoveries",
  "takeOverMillis",
  "recoveryMillis",
] as const;

const recoveries = Effect.fnUntraced(function* (
  flags: Parameters<typeof withDeployment>[0] & { readonly json: boolean },
) {
  const reports = yield* withDeployment(flags, readRecoveries);
  if (flags.json) return yield* printJson(reports);
  const cells = reports.map((report) => [
    String(report.shard),
    ...columns.map((column) => String(report[column])),
    report.node,
    report.complete ? report.at : `${report.at} (not finished when it was reported)`,
  ]);
  yield* printResult(
    cells.length === 0 ? "no shard was taken over yet" : table(["shard", ...columns, "node", "at"], cells),
  );
});

export const shards = Command.make(
  "shards",
  {
    ...natsFlags,
    recovery: Flag.Boolean("recovery").pipe(
      Flag.withDescription("Instead: what the latest take-overs of each shard found and recovered, newest first"),
      Flag.withDefault(false),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* (flags) {
    if (flags.recovery) return yield* recoveries(flags);
    const { owners } = yield* withDeployment(flags, readOverview);
    const rows = owners.map(({ shard, lease }) => ({
      shard,
      node: lease?.value.node ?? null,
      pid: lease?.value.pid ?? null,
      leaseRevision: lease?.revision ?? null,
    }));
    if (flags.json) return yield* printJson(rows);
    const cells = rows.map((row) => [
      String(row.shard),
      row.node ?? "-",
      String(row.pid ?? "-"),
      String(row.leaseRevision ?? "-"),
    ]);
    yield* printResult(table(["shard", "node", "pid", "lease revision"], cells));
  }),
).pipe(Command.withDescription("Show who owns which shard"));
