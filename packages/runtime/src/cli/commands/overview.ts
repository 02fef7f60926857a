/** `aegispay nodes` and `aegispay shards`: who lives, and who owns what, read from the buckets. */
import { Effect } from "effect";
import { Command } from "effect/cli";
import { layerNats } from "../../nats/NatsConnection.ts";
import { layerDeployment } from "../../nats/NatsTopology.ts";
import { readOverview } from "../../shard/NatsOverview.ts";
import { checkRoot, jsonFlag, natsAddress, natsFlags } from "../connection.ts";
import { printJson, printResult, table } from "../output.ts";

const withDeployment = (flags: Parameters<typeof natsAddress>[0] & { readonly root: string }) =>
  checkRoot(flags.root).pipe(
    Effect.andThen(
      readOverview.pipe(
        Effect.provide(layerDeployment(flags.root)),
        Effect.provide(layerNats(natsAddress(flags, "aegispay-overview"))),
      ),
    ),
  );

export const nodes = Command.make(
  "nodes",
  { ...natsFlags, json: jsonFlag },
  Effect.fnUntraced(function* (flags) {
    const { members, owners } = yield* withDeployment(flags);
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

export const shards = Command.make(
  "shards",
  { ...natsFlags, json: jsonFlag },
  Effect.fnUntraced(function* (flags) {
    const { owners } = yield* withDeployment(flags);
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
