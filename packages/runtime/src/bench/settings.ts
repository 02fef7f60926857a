/** What one round of the benchmark is run with, and what came out of it. */

export const syncs = ["always", "default"] as const;
/** `always`: every write is on disk before it is acknowledged; `default`: the server's own, every two minutes. */
export type Sync = (typeof syncs)[number];

export const gatewayKinds = ["instant", "simulator"] as const;
/** `instant`: answers in the worker's process; `simulator`: the HTTP simulator, on the same machine. */
export type GatewayKind = (typeof gatewayKinds)[number];

/** One column of the matrix: what is measured with. */
export interface Workload {
  readonly sync: Sync;
  readonly gateway: GatewayKind;
  readonly replicas: number;
  readonly workers: number;
}

/** What a load came to. */
export interface Measured {
  /** Payments a second, from the first publish to the last answer. */
  readonly rate: number;
  /** From a payment's publish to its answer, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

export interface Load {
  readonly payments: number;
  /** Payments under way at once. */
  readonly inFlight: number;
}

/** Payments that are paid before anything is measured: compiled code, open connections, warm files. */
export const warmUpPayments = 2_000;
export const benchShards = 16;
export const benchRoot = "payments";
export const benchMerchant = "bench";
