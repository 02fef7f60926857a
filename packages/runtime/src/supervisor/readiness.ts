/** Whether workers take payments, judged by what they say and by when they last said anything. */
import type { WorkerStatus } from "./WorkerMessage.ts";

/**
 * A worker that has said nothing for this long, in milliseconds, is not counted on: it is frozen, or its event loop is
 * blocked. Fifteen reports missed; less than a lease lives, so that whoever balances load knows before its shards move.
 */
export const silentMillis = 3_000;

/** The last thing a worker has said. */
export interface WorkerReport {
  readonly node: string;
  readonly pid: number;
  readonly status: WorkerStatus;
  /** Monotonic. */
  readonly atMillis: number;
}

/** What `/readyz` says of a worker. */
export interface NodeReadiness {
  readonly node: string;
  readonly pid: number;
  readonly serving: boolean;
  readonly connected: boolean;
  /** Shards that the live members assign to it. */
  readonly wanted: number;
  /** Shards whose deliveries it takes. */
  readonly served: number;
}

/** Serves whatever belongs to it now. */
export const isServing = ({ connected, missing }: WorkerStatus): boolean => connected && missing === 0;

export const readinessOf = (report: WorkerReport, nowMillis: number): NodeReadiness => {
  const { node, pid, status, atMillis } = report;
  const serving = isServing(status) && nowMillis - atMillis < silentMillis;
  return { node, pid, serving, connected: status.connected, wanted: status.wanted, served: status.served };
};
