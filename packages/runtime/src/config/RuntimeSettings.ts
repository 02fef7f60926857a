/**
 * Every setting of a node, in one place: meaning, default, reason. Checked against each other at start-up, so that a
 * deployment whose limits contradict one another does not begin to take payments.
 */
import type { Policy } from "@aegispay/core/payment/Given";
import { defaultPolicy } from "@aegispay/core/payment/Given";
import { Context } from "effect";

export interface RuntimeSettings {
  /** Prefix of the worker's id. */
  readonly nodeId: string;
  /** Subject root; also names streams and buckets. */
  readonly root: string;

  /** Life of a shard lease, in milliseconds. Longer: fewer renewals; shorter: a dead node's shards are free sooner. */
  readonly leaseTtlMillis: number;
  /** Between two renewals, in milliseconds. One that gets no answer within a third of it is sent again at once. */
  readonly leaseRenewMillis: number;

  /** Commands of one shard that may be un-acked at once: what bounds memory; the rest waits in NATS. */
  readonly shardWindow: number;
  /** After this the server delivers an un-acked command again, in milliseconds: only a lost delivery needs it. */
  readonly ackWaitMillis: number;

  /** Commands one actor holds in its mailbox, and askers it answers when it is at rest; what is over goes back to the queue. */
  readonly mailboxCapacity: number;
  /** Finished payments whose state is kept for repeats; an older one is replayed when asked for again. */
  readonly passiveActors: number;
  /**
   * Payments that wait on a timer, are no longer held in memory, and of which is remembered that what was announced was never
   * tried; of any other that is read again only a look-up tells.
   */
  readonly releasedActors: number;
  /** First wait before an actor that crashed starts again from replay, in milliseconds; doubles up to 30 s. */
  readonly actorRestartMillis: number;
  /** Crashes of one payment in a row until it is parked: more would only repeat what these have shown. */
  readonly actorCrashLimit: number;
  /**
   * What waits longer than this, in milliseconds, waits on a durable timer, and its commands are acked; anything shorter
   * waits here, and holds a place in its shard's window meanwhile.
   */
  readonly timerFromMillis: number;

  /**
   * Waiting commits that leave as one atomic batch; fewer are published one by one, without waiting between them. A batch
   * costs the server about four writes to disk, a commit alone one.
   */
  readonly batchFromCommits: number;
  /** Commits in one atomic batch. The server takes at most 1000. */
  readonly batchMaxCommits: number;
  /** Bytes in one atomic batch, bodies and headers together. */
  readonly batchMaxBytes: number;
  /** Batches in flight at once. The server takes at most 50 a stream over all nodes. */
  readonly batchesInFlight: number;
  /** How long an append waits for its answer before it is sent again, in milliseconds. */
  readonly appendTimeoutMillis: number;
  /**
   * How long a log must seem to have lost what was acknowledged, in milliseconds, before its payment is halted: a server
   * that is cut off may answer for some time from what it had (86 s of stale reads were seen).
   */
  readonly lossConfirmMillis: number;

  /** Calls at one gateway at the same time; further ones wait for a place before they are sent. */
  readonly gatewayConcurrency: number;
  /**
   * How long a shard that goes to another node waits for what is under way, in milliseconds. Meanwhile nobody serves it:
   * what takes longer is left to the new owner, who looks it up.
   */
  readonly handOverMillis: number;
  /** How long SIGTERM waits for what is under way where no other node could go on, in milliseconds. */
  readonly drainMillis: number;

  readonly policy: Policy;
}

export class Settings extends Context.Service<Settings, RuntimeSettings>()("@aegispay/runtime/Settings") {}

export const defaultSettings: RuntimeSettings = {
  nodeId: "node",
  root: "payments",
  leaseTtlMillis: 10_000,
  leaseRenewMillis: 3_000,
  shardWindow: 128,
  ackWaitMillis: 300_000,
  mailboxCapacity: 1_000,
  passiveActors: 1_000,
  releasedActors: 100_000,
  actorRestartMillis: 1_000,
  actorCrashLimit: 5,
  timerFromMillis: 5_000,
  batchFromCommits: 16,
  batchMaxCommits: 500,
  batchMaxBytes: 4 * 1024 * 1024,
  batchesInFlight: 2,
  appendTimeoutMillis: 5_000,
  lossConfirmMillis: 90_000,
  gatewayConcurrency: 128,
  handOverMillis: 1_000,
  drainMillis: 15_000,
  policy: defaultPolicy,
};

/** What contradicts itself in the settings, as sentences; empty when all is well. */
export const settingsProblems = (settings: RuntimeSettings): ReadonlyArray<string> => {
  const rules: ReadonlyArray<readonly [holds: boolean, otherwise: string]> = [
    [
      settings.leaseRenewMillis * 3 <= settings.leaseTtlMillis,
      "leaseRenewMillis is at most a third of leaseTtlMillis, so that three more tries fit before the lease is too old to be used",
    ],
    [settings.batchMaxCommits >= 1 && settings.batchMaxCommits <= 1000, "batchMaxCommits is 1 to 1000"],
    [
      settings.batchFromCommits >= 2 && settings.batchFromCommits <= settings.batchMaxCommits,
      "batchFromCommits is 2 to batchMaxCommits",
    ],
    [settings.batchesInFlight >= 1 && settings.batchesInFlight <= 16, "batchesInFlight is 1 to 16"],
    [settings.shardWindow >= 1, "shardWindow is at least 1"],
    [settings.mailboxCapacity >= settings.shardWindow, "a mailbox must hold a shard's whole window"],
    [
      settings.handOverMillis * 3 <= settings.leaseTtlMillis,
      "a hand-over must be shorter than a third of a lease, which it lives on",
    ],
    [settings.handOverMillis <= settings.drainMillis, "drainMillis is at least handOverMillis"],
    [
      settings.timerFromMillis < settings.ackWaitMillis,
      "what waits in the process (timerFromMillis) must be shorter than ackWaitMillis",
    ],
    [settings.policy.maxRounds > settings.policy.maxRetries, "maxRounds must leave room for all retries (maxRetries)"],
    [settings.policy.lookUpDelaysMillis.length > 0, "lookUpDelaysMillis needs an entry"],
  ];
  return rules.filter(([holds]) => !holds).map(([, otherwise]) => otherwise);
};
