/** What a run says of the peers: a figure for each gateway, or why there is none. */
import { quantile } from "../../metrics/quantile.ts";
import type { GatewayKind, Measured } from "../settings.ts";
import type { Peer } from "./Peer.ts";

/** Medians of its rounds. */
export interface PeerFigure extends Measured {
  readonly name: string;
  readonly version: string;
  readonly durability: string;
  readonly gateway: GatewayKind;
  /** Of each round. */
  readonly payments: number;
  /** The slowest and the fastest round's. */
  readonly rateRange: readonly [number, number];
}

export interface PeerWithoutFigure {
  readonly name: string;
  /** Without: there is none with any gateway. */
  readonly gateway?: GatewayKind;
  readonly unavailable: string;
}

export type PeerLine = PeerFigure | PeerWithoutFigure;

export const peerFigure = (
  { name, version, durability }: Pick<Peer, "name" | "version" | "durability">,
  { gateway, payments }: Pick<PeerFigure, "gateway" | "payments">,
  rounds: ReadonlyArray<Measured>,
): PeerFigure => {
  const sorted = (pick: (round: Measured) => number, digits: number) =>
    rounds.map((round) => Number(pick(round).toFixed(digits))).toSorted((left, right) => left - right);
  const rates = sorted(({ rate }) => rate, 0);
  const medianMillis = (pick: (round: Measured) => number) => quantile(sorted(pick, 1), 0.5);
  return {
    name,
    version,
    durability,
    gateway,
    payments,
    rate: quantile(rates, 0.5),
    rateRange: [rates[0] ?? 0, rates.at(-1) ?? 0],
    p50: medianMillis(({ p50 }) => p50),
    p99: medianMillis(({ p99 }) => p99),
  };
};
