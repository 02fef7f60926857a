/** The peers: what each is made of and how it is started. Their programs, which pay, are in `programs/`. */
import { Effect } from "effect";
import type { PostgresFound, RestateServerFound } from "./findServers.ts";
import type { Peer } from "./Peer.ts";
import type { PeerPackages } from "./peerPackages.ts";
import { startProgram } from "./PeerProgram.ts";
import { startPostgres } from "./PostgresServer.ts";
import { startRestate } from "./RestateServer.ts";

export const peerNames = { restate: "Restate", dbos: "DBOS", effect: "Effect workflow engine" } as const;

export const restatePeer = (packages: PeerPackages, found: RestateServerFound): Peer => ({
  name: peerNames.restate,
  version: `server ${found.version}, SDK ${packages.versions["@restatedev/restate-sdk"]}`,
  durability: "one node, its log's WAL fsynced before a write counts (the default)",
  start: Effect.fnUntraced(function* (gateway, folder) {
    const program = yield* startProgram(packages, "restate", gateway, folder);
    const server = yield* startRestate(found, program.origin, folder);
    return {
      origin: server.origin,
      pathOf: (paymentId) => `/payment/${paymentId}/create`,
      failed: Effect.raceFirst(server.failed, program.failed),
    };
  }),
});

/** Twice what both clients open by default: 10, 20 and 40 came to the same within the noise (docs/peers.md). */
const postgresConnections = 20;

const onPostgres = (
  program: "dbos" | "effect",
  version: string | undefined,
  packages: PeerPackages,
  found: PostgresFound,
): Peer => ({
  name: peerNames[program],
  version: `${version}, PostgreSQL ${found.version}`,
  durability: "PostgreSQL with fsync and synchronous_commit on (the defaults)",
  start: Effect.fnUntraced(function* (gateway, folder) {
    const postgres = yield* startPostgres(found, folder);
    const options = { ...gateway, postgres: postgres.url, connections: postgresConnections };
    const { origin, failed } = yield* startProgram(packages, program, options, folder);
    return { origin, pathOf: (paymentId) => `/${paymentId}`, failed: Effect.raceFirst(failed, postgres.failed) };
  }),
});

export const dbosPeer = (packages: PeerPackages, found: PostgresFound): Peer =>
  onPostgres("dbos", packages.versions["@dbos-inc/dbos-sdk"], packages, found);

export const effectPeer = (packages: PeerPackages, found: PostgresFound): Peer =>
  onPostgres("effect", packages.versions["effect"], packages, found);
