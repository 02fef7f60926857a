/** The peers' part of the benchmark: for each gateway rounds in turn, one peer after the other. */
import { Effect, Result } from "effect";
import { warmUpPayments, type GatewayKind, type Load, type Measured } from "../settings.ts";
import { thisMachine } from "./findServers.ts";
import { lookForPeers } from "./lookForPeers.ts";
import { measurePeer } from "./measurePeer.ts";
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

export const runPeers = Effect.fnUntraced(function* ({ gateways, rounds, onProgress, ...given }: PeersOptions) {
  const payments = Math.min(given.payments, paymentsMax);
  const load = { inFlight: given.inFlight, payments, warmUpPayments };
  const found = yield* lookForPeers(installPeers, thisMachine());
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
    for (const [peer, figures] of done) lines.push(peerFigure(peer, { gateway, payments }, figures));
  }
  return lines;
});
