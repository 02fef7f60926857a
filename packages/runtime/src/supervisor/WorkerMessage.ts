/** What passes between a primary and its workers. */
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
