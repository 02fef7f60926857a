/** What a run says of the peers: a figure for each gateway, or why there is none. */
import { table } from "../../cli/output.ts";
import { quantile } from "../../metrics/quantile.ts";
import type { Summary } from "../report.ts";
import type { GatewayKind, Measured } from "../settings.ts";
import type { Peer } from "./Peer.ts";

/** Medians of its rounds. */
export interface PeerFigure extends Measured {
  readonly name: string;
  readonly version: string;
  readonly durability: string;
  readonly gateway: GatewayKind;
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
  gateway: GatewayKind,
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

const fsyncedRuntime = "fsync behind every commit (sync_interval: always)";

/** What the same run measured of the runtime and of its bare messages with fsync: all that may stand beside the peers. */
const besides = (medians: ReadonlyArray<Summary>, gateway: GatewayKind): ReadonlyArray<ReadonlyArray<string>> =>
  medians
    .filter((line) => line.sync === "always" && line.gateway === gateway)
    .flatMap(({ replicas, workers, bare, runtime, p50, p99 }) => {
      const setting = `R${replicas}, workers: ${workers}`;
      return [
        ["AegisPay", gateway, String(runtime), String(p50), String(p99), setting, fsyncedRuntime],
        ["its bare messages", "none", String(bare), "", "", setting, fsyncedRuntime],
      ];
    });

export const showPeers = (lines: ReadonlyArray<PeerLine>, medians: ReadonlyArray<Summary>): string => {
  const figures = lines.filter((line): line is PeerFigure => !("unavailable" in line));
  const missing = lines.filter((line): line is PeerWithoutFigure => "unavailable" in line);
  const gateways = [...new Set(figures.map(({ gateway }) => gateway))];
  const rows = gateways.flatMap((gateway) => [
    ...besides(medians, gateway),
    ...figures
      .filter((line) => line.gateway === gateway)
      .map(({ name, version, durability, rate, p50, p99 }) =>
        [name, gateway, rate, p50, p99, version, durability].map(String),
      ),
  ]);
  return [
    "The same payment elsewhere, on this machine (docs/peers.md says how):",
    ...(rows.length === 0
      ? []
      : [table(["", "gateway", "payments/s", "p50 ms", "p99 ms", "version", "durability"], rows)]),
    ...missing.map(
      ({ name, gateway, unavailable }) =>
        `${name}${gateway === undefined ? "" : ` with gateway ${gateway}`}: no figure, because ${unavailable}`,
    ),
  ].join("\n");
};
