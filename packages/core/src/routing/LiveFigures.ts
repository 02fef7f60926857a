/** How the gateways are doing, as the nodes of the whole cluster have seen it within a moving window. Data, never looked up. */

export interface Figures {
  /** Its money circuit is open: what was sent now would be held back. */
  readonly breakerOpen: boolean;
  /** Calls of every kind, look-ups too, and how many of them a working gateway answered, a decline included. */
  readonly calls: number;
  readonly answered: number;
  /** Charges whose end says something about the gateway, and those that went well. */
  readonly attempts: number;
  readonly successes: number;
  /** Mean of the charges that were sent; undefined where there was none. */
  readonly latencyMillis?: number;
  /** 0 to 100, see `scoreOf`. */
  readonly score: number;
}

/** By `liveKey`; a gateway that is not in it has not been called lately. */
export type LiveFigures = ReadonlyMap<string, Figures>;

export const liveKey = (gateway: string, account: string): string => `${gateway}/${account}`;

export const unseen: Figures = {
  breakerOpen: false,
  calls: 0,
  answered: 0,
  attempts: 0,
  successes: 0,
  score: 100,
};

/**
 * The health of a gateway in percent: of its latest calls, those that it answered as a working gateway does. Two that never
 * were count as answered, so that the first failure of a quiet gateway does not bury it.
 */
export const scoreOf = (calls: number, answered: number): number => Math.round((100 * (answered + 2)) / (calls + 2));
