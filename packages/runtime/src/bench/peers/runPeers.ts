/** The peers' part of the benchmark: for each gateway rounds in turn, one peer after the other. */
import { Effect, Result } from "effect";
import type { GatewayKind, Load, Measured } from "../settings.ts";
import { findPostgres, findRestateServer, thisMachine } from "./findServers.ts";
import { measurePeer } from "./measurePeer.ts";
import type { Peer, PeerUnavailable } from "./Peer.ts";
import { installPeers } from "./peerPackages.ts";
import { peerFigure, type PeerLine } from "./PeerReport.ts";
import { dbosPeer, effectPeer, restatePeer } from "./peers.ts";

export interface PeersOptions extends Load {
  readonly gateways: ReadonlyArray<GatewayKind>;
  readonly rounds: number;
  readonly onProgress: (text: string) => Effect.Effect<void>;
}

/** Of payments a round: at some hundred a second more would only take longer. */
const paymentsMax = 5_000;
const warmUpPayments = 1_000;

const peerNames = ["Restate", "DBOS", "Effect workflow engine"] as const;

type Availability = readonly [name: string, peer: Result.Result<Peer, PeerUnavailable>];

/** Each peer with all it needs, or what it lacks. */
const lookForPeers = Effect.gen(function* () {
  const packages = yield* Effect.result(installPeers);
  if (Result.isFailure(packages)) return peerNames.map((name): Availability => [name, Result.fail(packages.failure)]);
  const machine = thisMachine();
  const restate = yield* Effect.result(findRestateServer(packages.success, machine));
  const postgres = yield* Effect.result(findPostgres(packages.success, machine));
  return [
    [peerNames[0], Result.map(restate, (found) => restatePeer(packages.success, found))],
    [peerNames[1], Result.map(postgres, (found) => dbosPeer(packages.success, found))],
    [peerNames[2], Result.map(postgres, (found) => effectPeer(packages.success, found))],
  ] satisfies ReadonlyArray<Availability>;
});

export const runPeers = Effect.fnUntraced(function* ({ gateways, rounds, onProgress, ...given }: PeersOptions) {
  const load = { inFlight: given.inFlight, payments: Math.min(given.payments, paymentsMax), warmUpPayments };
  const found = yield* lookForPeers;
  const lines: Array<PeerLine> = [];
  const peers: Array<Peer> = [];
  for (const [name, peer] of found) {
    if (Result.isSuccess(peer)) peers.push(peer.success);
    else lines.push({ name, unavailable: peer.failure.message });
  }
  for (const gateway of gateways) {
    const done = new Map<Peer, Array<Measured>>(peers.map((peer) => [peer, []]));
    for (let round = 0; round < rounds; round++) {
      for (const [peer, figures] of done) {
        const measured = yield* Effect.result(measurePeer(peer, gateway, load));
        if (Result.isSuccess(measured)) {
          figures.push(measured.success);
          const { rate, p50, p99 } = measured.success;
          yield* onProgress(
            `${peer.name}, gateway ${gateway}: ${rate.toFixed(0)}/s, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
          );
        } else {
          const { message } = measured.failure;
          yield* onProgress(`${peer.name}, gateway ${gateway}: no figure, because ${message}`);
          lines.push({ name: peer.name, gateway, unavailable: message });
          done.delete(peer);
        }
      }
    }
    for (const [peer, figures] of done) lines.push(peerFigure(peer, gateway, figures));
  }
  return lines;
});
