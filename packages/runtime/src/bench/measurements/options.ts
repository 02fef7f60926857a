/** What every measurement is run with. */
import type { Effect } from "effect";
import type { Load, Workload } from "../settings.ts";

export interface MeasurementOptions {
  /** Those that were asked for, each sync, gateway, number of copies and workers. */
  readonly workloads: ReadonlyArray<Workload>;
  readonly load: Load;
  /** What is measured once in each; figures are their medians. */
  readonly rounds: number;
  /** Path of the nats-server binary. */
  readonly natsServer: string;
  readonly onProgress: (text: string) => Effect.Effect<void>;
}

/** One for each sync and number of copies: with the gateway named, or else the first, and the fewest workers. */
export const headlines = (workloads: ReadonlyArray<Workload>, gateway = workloads[0]?.gateway) => {
  const fewest = Math.min(...workloads.map(({ workers }) => workers));
  return workloads.filter((workload) => workload.gateway === gateway && workload.workers === fewest);
};

type Named = Omit<Workload, "gateway"> & { readonly gateway: Workload["gateway"] | "none" };

export const nameOf = ({ sync, gateway, replicas, workers }: Named): string =>
  `sync ${sync}, ${replicas === 1 ? "one server" : `${replicas} servers`}, gateway ${gateway}, ${workers} worker(s)`;
