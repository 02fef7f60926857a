/** What one round of the benchmark is run with, and what came out of it. */

/** What can be measured, in the order in which it is. */
export const parts = ["saturation", "mixed", "openLoop", "takeOver", "replay", "memory", "growth"] as const;
export type Part = (typeof parts)[number];

export const syncs = ["always", "default"] as const;
/** `always`: every write is on disk before it is acknowledged; `default`: the server's own, every two minutes. */
export type Sync = (typeof syncs)[number];

export const gatewayKinds = ["instant", "simulator"] as const;
/** `instant`: answers in the worker's process; `simulator`: the HTTP simulator, on the same machine. */
export type GatewayKind = (typeof gatewayKinds)[number];

export const copies = [1, 3] as const;
/** Copies of each stream; three need three servers, which then share this machine. */
export type Replicas = (typeof copies)[number];

/** One column of the matrix: what is measured with. */
export interface Workload {
  readonly sync: Sync;
  readonly gateway: GatewayKind;
  readonly replicas: Replicas;
  readonly workers: number;
}

/** In milliseconds: half of the payments took at most this long, and all but one in a hundred. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** What a load came to; latency from a payment's publish, or from its intended start, to its answer. */
export interface Measured extends Latency {
  /** Payments a second, from the first publish to the last answer. */
  readonly rate: number;
}

export interface Saturated extends Measured {
  /** Of the payments whose answer was lost; zeros where none was. */
  readonly answerLost: Latency;
}

export interface Load {
  readonly payments: number;
  /** Payments under way at once. */
  readonly inFlight: number;
}

/** A load whose payments begin at their times. */
export interface Pace {
  /** Payments a second. */
  readonly rate: number;
  readonly seconds: number;
}

/** Of a hundred payments, how many do not simply succeed. */
export interface Mix {
  /** Declined by the issuer: FAILURE. */
  readonly declinedPercent: number;
  /** Charged, but the answer is lost: looked up, then SUCCESS. */
  readonly answerLostPercent: number;
}

/** Payments that are paid before anything is measured: compiled code, open connections, warm files. */
export const warmUpPayments = 2_000;
export const benchShards = 16;
export const benchRoot = "payments";
export const benchMerchant = "bench";
export const benchAmount = { value: 1_999, currency: "USD" };
