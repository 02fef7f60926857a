/**
 * What this node has seen of the gateways, added to what the others say that they have seen. Owned by `GatewayHealth`.
 *
 * 1. A node that has not been heard for `peerMillis` counts no more.
 * 2. The figures are made anew when something was seen or heard, and at least every `staleMillis`: reading them is cheap.
 */
import { liveKey, scoreOf, type Figures } from "@aegispay/core/routing/LiveFigures";
import { Schema } from "effect";
import { addSums, noSums, OutcomeWindow, type Sums, Sums as SumsSchema } from "./OutcomeWindow.ts";
import { verdictOf, type Heard } from "./verdict.ts";

/** Life of what a node has said: three missed announcements of one that has nothing new to say. */
export const peerMillis = 30_000;
const staleMillis = 1_000;

/** Gateways that one node can speak of: each is kept, and shown as a metric. */
const gatewaysMax = 1_000;

/** What a node says, by `liveKey`. */
const NodeSums = Schema.Record(Schema.String, SumsSchema).check(Schema.isMaxProperties(gatewaysMax));
export type NodeSums = typeof NodeSums.Type;

/** None: nobody wrote that. */
export const readNodeSums = Schema.decodeUnknownOption(Schema.fromJsonString(NodeSums));

export const figuresFrom = (sums: Sums): Figures => ({
  breakerOpen: false,
  calls: sums.calls,
  answered: sums.answered,
  attempts: sums.attempts,
  successes: sums.successes,
  score: scoreOf(sums.calls, sums.answered),
  ...(sums.timed === 0 ? {} : { latencyMillis: sums.millis / sums.timed }),
});

export const addNodes = (nodes: ReadonlyArray<NodeSums>): ReadonlyMap<string, Sums> => {
  const all = new Map<string, Sums>();
  for (const node of nodes) {
    for (const [key, sums] of Object.entries(node)) all.set(key, addSums(all.get(key) ?? noSums, sums));
  }
  return all;
};

export class ClusterFigures {
  private readonly windows = new Map<string, OutcomeWindow>();
  private readonly peers = new Map<string, { readonly heardAtMillis: number; readonly sums: NodeSums }>();
  private made: ReadonlyMap<string, Figures> = new Map();
  private madeAtMillis = Number.NEGATIVE_INFINITY;
  private isStale = true;

  see(nowMillis: number, gateway: string, account: string, isCharge: boolean, heard: Heard, millis: number): void {
    const verdict = verdictOf(isCharge, heard);
    if (verdict === undefined) return;
    const key = liveKey(gateway, account);
    const window = this.windows.get(key) ?? new OutcomeWindow();
    this.windows.set(key, window);
    window.add(nowMillis, verdict, millis);
    this.isStale = true;
  }

  hear(nowMillis: number, node: string, sums: NodeSums): void {
    this.peers.set(node, { heardAtMillis: nowMillis, sums });
    this.isStale = true;
  }

  forget(node: string): void {
    this.isStale = this.peers.delete(node) || this.isStale;
  }

  /** What this node has seen: what it tells the others. */
  own(nowMillis: number): NodeSums {
    const sums: Record<string, Sums> = {};
    for (const [key, window] of this.windows) {
      const seen = window.sums(nowMillis);
      if (seen.calls === 0 && seen.attempts === 0) this.windows.delete(key);
      else sums[key] = seen;
    }
    return sums;
  }

  /** By `liveKey`; whose breaker is open is not known here. */
  figures(nowMillis: number): ReadonlyMap<string, Figures> {
    if (!this.isStale && nowMillis - this.madeAtMillis < staleMillis) return this.made;
    for (const [node, { heardAtMillis }] of this.peers) {
      if (nowMillis - heardAtMillis > peerMillis) this.peers.delete(node);
    }
    const all = addNodes([this.own(nowMillis), ...[...this.peers.values()].map(({ sums }) => sums)]);
    this.made = new Map([...all].map(([key, sums]) => [key, figuresFrom(sums)]));
    this.madeAtMillis = nowMillis;
    this.isStale = false;
    return this.made;
  }
}
