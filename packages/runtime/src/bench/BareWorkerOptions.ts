/** What a worker of the bare hot path is told, through its environment. */

export interface BareWorkerOptions {
  readonly url: string;
  readonly shards: ReadonlyArray<number>;
  /** Commands of one shard that may be un-acked at once, as the runtime has it. */
  readonly shardWindow: number;
}

export const bareOptionsVariable = "AEGISPAY_BENCH_BARE";

/** The epoch in the names of its consumers: nobody takes over from anybody here. */
export const bareEpoch = 1;
