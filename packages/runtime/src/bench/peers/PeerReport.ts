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

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

export const peerFigure = (
  { name, version, durability }: Pick<Peer, "name" | "version" | "durability">,
  { gateway, payments }: Pick<PeerFigure, "gateway" | "payments">,
  rounds: ReadonlyArray<Measured>,
): PeerFigure => {
  const sorted = (pick: (round: Measured) => number) => rounds.map(pick).toSorted((left, right) => left - right);
  const median = (pick: (round: Measured) => number) => quantile(sorted(pick), 0.5);
  const rates = sorted(({ rate }) => rate);
  return {
    name,
    version,
    durability,
    gateway,
    payments,
    rate: rounded(
      median(({ rate }) => rate),
      0,
    ),
    rateRange: [rounded(rates[0] ?? 0, 0), rounded(rates.at(-1) ?? 0, 0)],
    p50: rounded(
      median(({ p50 }) => p50),
      1,
    ),
    p99: rounded(
      median(({ p99 }) => p99),
      1,
    ),
  };
};
