/** The peers' figures as text, beside what the same run measured of the runtime. */
import type { PeerFigure, PeerLine, PeerWithoutFigure } from "../bench/peers/PeerReport.ts";
import type { Summary } from "../bench/report.ts";
import type { GatewayKind } from "../bench/settings.ts";
import { table } from "./output.ts";

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

export const peersTable = (lines: ReadonlyArray<PeerLine>, medians: ReadonlyArray<Summary>): string => {
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
    "The same payment elsewhere, on this machine (docs/peers.md says how)",
    ...figures.slice(0, 1).map(({ payments }) => `${payments} payments a round`),
    "",
    ...(rows.length === 0
      ? []
      : [table(["", "gateway", "payments/s", "p50 ms", "p99 ms", "version", "durability"], rows)]),
    ...missing.map(
      ({ name, gateway, unavailable }) =>
        `${name}${gateway === undefined ? "" : ` with gateway ${gateway}`}: no figure, because ${unavailable}`,
    ),
  ].join("\n");
};
