/** The peers' figures, beside what the same run measured of the runtime with fsync. */
import type { Summary } from "../report.ts";
import type { ReportTable } from "../ReportTable.ts";
import type { GatewayKind } from "../settings.ts";
import type { PeerFigure, PeerLine, PeerWithoutFigure } from "./PeerReport.ts";

const fsyncedRuntime = "fsync behind every commit (sync_interval: always)";

export const hasFigure = (line: PeerLine): line is PeerFigure => !("unavailable" in line);
const lacksFigure = (line: PeerLine): line is PeerWithoutFigure => "unavailable" in line;

/** What the same run measured of the runtime and of its bare messages with fsync: all that may stand beside the peers. */
export const comparable = (medians: ReadonlyArray<Summary>, gateway: GatewayKind): ReadonlyArray<Summary> =>
  medians.filter((line) => line.sync === "always" && line.gateway === gateway);

const besides = (medians: ReadonlyArray<Summary>, gateway: GatewayKind): ReadonlyArray<ReadonlyArray<string>> =>
  comparable(medians, gateway).flatMap(({ replicas, workers, bare, runtime, p50, p99 }) => {
    const setting = `R${replicas}, workers: ${workers}`;
    return [
      ["AegisPay", gateway, String(runtime), String(p50), String(p99), setting, fsyncedRuntime],
      ["its bare messages", "none", String(bare), "", "", setting, fsyncedRuntime],
    ];
  });

export const peersTable = (lines: ReadonlyArray<PeerLine>, medians: ReadonlyArray<Summary>): ReportTable => {
  const figures = lines.filter(hasFigure);
  const gateways = [...new Set(figures.map(({ gateway }) => gateway))];
  const rows = gateways.flatMap((gateway) => [
    ...besides(medians, gateway),
    ...figures
      .filter((line) => line.gateway === gateway)
      .map(({ name, version, durability, rate, p50, p99 }) =>
        [name, gateway, rate, p50, p99, version, durability].map(String),
      ),
  ]);
  const missing = lines
    .filter(lacksFigure)
    .map(({ name, gateway = "", unavailable }) => [name, gateway, "", "", "", "", `no figure, because ${unavailable}`]);
  const payments = figures.slice(0, 1).map((figure) => `; ${figure.payments} payments a round of a peer`);
  return {
    chapter: "peers",
    title: "The same payment elsewhere",
    note: `Each with its own durable primitives, on this machine (docs/peers.md says how)${payments.join("")}.`,
    header: ["", "gateway", "payments/s", "p50 ms", "p99 ms", "version", "durability"],
    rows: [...rows, ...missing],
  };
};
