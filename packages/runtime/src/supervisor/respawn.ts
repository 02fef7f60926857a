/** When a worker that has ended is started again, and when that is given up: a pure function of how it ended. */

export const firstRespawnMillis = 100;
/** Between two starts of a worker that cannot start, in milliseconds: it costs next to nothing, and notices a repair soon. */
export const longestRespawnMillis = 10_000;
/** A worker that has served this long, in milliseconds, could start: its end says nothing about the next start. */
export const healthyMillis = 1_000;
/**
 * Starts in a row that came to nothing until the primary gives up and ends: about half a minute of pauses, longer than
 * what mends by itself (a port, a file, a stream's new leader) takes. Whatever supervises the primary sees its end; a
 * worker that is respawned for ever nobody sees.
 */
export const defaultRespawnLimit = 10;

export interface WorkerEnd {
  /** How long it had served, in milliseconds; 0 for one that never did. */
  readonly servedMillis: number;
  /** It ended with exit code 0: somebody told it to, and it has drained. */
  readonly clean: boolean;
  /** Its own primary told it to, to start it again. */
  readonly restarting: boolean;
  /** Without NATS no worker can start: that it ended says nothing. */
  readonly natsConnected: boolean;
}

/** `failures`: starts in a row that came to nothing, this one included. */
export type Respawn =
  | { readonly _tag: "AtOnce"; readonly failures: number }
  | { readonly _tag: "After"; readonly millis: number; readonly failures: number }
  | { readonly _tag: "GiveUp"; readonly failures: number };

/** 100 ms, doubled by each further failure, up to 10 s. */
export const pauseMillis = (failures: number): number =>
  Math.min(firstRespawnMillis * 2 ** Math.max(0, failures - 1), longestRespawnMillis);

export const respawnAfter = (failuresBefore: number, end: WorkerEnd, limit: number): Respawn => {
  const healthy = end.servedMillis >= healthyMillis;
  if (end.restarting) return { _tag: "AtOnce", failures: healthy ? 0 : failuresBefore };
  if (healthy && end.clean) return { _tag: "AtOnce", failures: 0 };
  if (healthy) return { _tag: "After", millis: firstRespawnMillis, failures: 0 };
  if (!end.natsConnected) return { _tag: "After", millis: pauseMillis(failuresBefore), failures: failuresBefore };
  const failures = failuresBefore + 1;
  return failures >= limit ? { _tag: "GiveUp", failures } : { _tag: "After", millis: pauseMillis(failures), failures };
};
