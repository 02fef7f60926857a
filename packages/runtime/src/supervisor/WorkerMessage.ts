/** What passes between a primary and its workers. */
import type { GatewaysConfig } from "@aegispay/gateways/GatewaysConfig";
import type { ShardStatus } from "../shard/ShardOwner.ts";

/** The variable that brings a worker its options; it is taken out of the environment as soon as they are read. */
export const workerOptionsVariable = "AEGISPAY_WORKER_OPTIONS";

/** How a worker is doing, several times a second. */
export interface WorkerStatus extends ShardStatus {
  readonly type: "status";
}

/** A worker's metrics as Prometheus reads them, once a second: too much to go with every status. */
export interface WorkerMetrics {
  readonly type: "metrics";
  readonly text: string;
}

export type WorkerMessage = WorkerStatus | WorkerMetrics;

/** From the primary to a worker: a configuration that replaces the one it has. */
export interface ConfigurationMessage {
  readonly type: "configuration";
  readonly config: GatewaysConfig;
}

export type PrimaryMessage = ConfigurationMessage;
