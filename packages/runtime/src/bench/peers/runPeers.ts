/** The peers' part of the benchmark: for each gateway rounds in turn, one peer after the other. */
import { Effect, Result } from "effect";
import { warmUpPayments, type GatewayKind, type Load, type Measured } from "../settings.ts";
import { thisMachine } from "./findServers.ts";
import { lookForPeers } from "./lookForPeers.ts";
import { measurePeer, type PeerLoad } from "./measurePeer.ts";
import type { Peer } from "./Peer.ts";
import { installPeers } from "./peerPackages.ts";
import { peerFigure, type PeerLine } from "./PeerReport.ts";

export interface PeersOptions extends Load {
  readonly gateways: ReadonlyArray<GatewayKind>;
  readonly rounds: number;
  readonly onProgress: (text: string) => Effect.Effect<void>;
}

/** Of payments a round: at some hundred a second more would only take longer. */
const paymentsMax = 5_000;

const progressOf = ({ rate, p50, p99 }: Measured): string =>
  `${rate.toFixed(0)}/s, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;

/** A peer that fails in one round has no figure with this gateway: the rounds before would say the better half. */
const measureAll = Effect.fnUntraced(function* (
  peers: ReadonlyArray<Peer>,
  gateway: GatewayKind,
  load: PeerLoad,
  { rounds, onProgress }: PeersOptions,
) {
  const measured = new Map<Peer, Array<Measured>>(peers.map((peer) => [peer, []]));
  const failed: Array<PeerLine> = [];
  for (let round = 0; round < rounds; round++) {
    for (const [peer, figures] of measured) {
      const outcome = yield* Effect.result(measurePeer(peer, gateway, load));
      if (Result.isSuccess(outcome)) {
        figures.push(outcome.success);
        yield* onProgress(`${peer.name}, gateway ${gateway}: ${progressOf(outcome.success)}`);
        continue;
      }
      const unavailable = outcome.failure.message;
      measured.delete(peer);
      failed.push({ name: peer.name, gateway, unavailable });
      yield* onProgress(`${peer.name}, gateway ${gateway}: no figure, because ${unavailable}`);
    }
  }
  const { payments } = load;
  return [...[...measured].map(([peer, figures]) => peerFigure(peer, { gateway, payments }, figures)), ...failed];
});

export const runPeers = Effect.fnUntraced(function* (options: PeersOptions) {
  const { gateways, inFlight } = options;
  const load = { inFlight, payments: Math.min(options.payments, paymentsMax), warmUpPayments };
  const peers: Array<Peer> = [];
  const lines: Array<PeerLine> = [];
  for (const [name, peer] of yield* lookForPeers(installPeers, thisMachine())) {
    if (Result.isSuccess(peer)) peers.push(peer.success);
    else lines.push({ name, unavailable: peer.failure.message });
  }
  for (const gateway of gateways) lines.push(...(yield* measureAll(peers, gateway, load, options)));
  return lines;
});
