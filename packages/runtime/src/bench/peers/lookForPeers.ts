/** Which peers can be measured here, and what those lack that cannot. */
import { Effect, Result } from "effect";
import { findPostgres, findRestateServer, type Surroundings } from "./findServers.ts";
import type { Peer, PeerUnavailable } from "./Peer.ts";
import type { PeerPackages } from "./peerPackages.ts";
import { dbosPeer, effectPeer, peerNames, restatePeer } from "./peers.ts";

export type Availability = readonly [name: string, peer: Result.Result<Peer, PeerUnavailable>];

/** Every peer, in the order of the report. */
export const lookForPeers = Effect.fnUntraced(function* (
  install: Effect.Effect<PeerPackages, PeerUnavailable>,
  machine: Surroundings,
) {
  const installed = yield* Effect.result(install);
  if (Result.isFailure(installed)) {
    return Object.values(peerNames).map((name): Availability => [name, Result.fail(installed.failure)]);
  }
  const packages = installed.success;
  const restate = yield* Effect.result(findRestateServer(packages, machine));
  const postgres = yield* Effect.result(findPostgres(packages, machine));
  const all: ReadonlyArray<Availability> = [
    [peerNames.restate, Result.map(restate, (found) => restatePeer(packages, found))],
    [peerNames.dbos, Result.map(postgres, (found) => dbosPeer(packages, found))],
    [peerNames.effect, Result.map(postgres, (found) => effectPeer(packages, found))],
  ];
  return all;
});
